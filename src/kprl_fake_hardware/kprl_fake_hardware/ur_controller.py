"""Run a fake UR5 controller until Ctrl-C: `python -m kprl_fake_hardware.ur_controller --help`."""

from __future__ import annotations

from collections.abc import Sequence

from kprl_fake_hardware.command import Parser, port_number, serve
from kprl_fake_hardware.controller import CB3, E_SERIES, LOOPBACK, Ports, UrController
from kprl_fake_hardware.pendant import Pendant, robot_state
from kprl_fake_hardware.tcp_server import TcpServer

VERSIONS = {"cb3": CB3, "e-series": E_SERIES}


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    ports = Ports()
    parser = Parser("ur_controller", description="A UR5 controller that exists only on the wire.")
    parser.add_argument("--bind", default=LOOPBACK, help="address to listen at, another loopback for a second robot")
    parser.add_argument("--series", choices=VERSIONS, default="cb3", help="cb3 has 125 Hz, e-series 500 Hz")
    parser.add_argument("--dashboard-port", type=port_number, default=ports.dashboard)
    parser.add_argument("--script-port", type=port_number, default=ports.script, help="fixed in ur_rtde")
    parser.add_argument("--rtde-port", type=port_number, default=ports.rtde, help="fixed in ur_rtde")
    parser.add_argument("--pendant-port", type=port_number, help="inject faults there, see README.md; off by default")
    chosen = parser.parse_args(arguments)

    def make() -> UrController:
        wanted = Ports(chosen.dashboard_port, chosen.script_port, chosen.rtde_port)
        controller = UrController(chosen.bind, wanted, VERSIONS[chosen.series])
        if chosen.pendant_port is not None:
            pendant = Pendant(controller.faults, state=lambda: robot_state(controller.robot))
            try:
                controller.add_server(TcpServer(chosen.bind, chosen.pendant_port, pendant.session))
            except OSError:
                controller.stop()
                raise
        return controller

    return serve(make, f"fake UR5 controller ({chosen.series}) at {chosen.bind}")


if __name__ == "__main__":
    raise SystemExit(main())
