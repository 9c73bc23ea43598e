"""Run a fake Robotiq 2F-85 until Ctrl-C: `python -m kprl_fake_hardware.robotiq_gripper --help`."""

from __future__ import annotations

from collections.abc import Sequence

from kprl_fake_hardware.command import Parser, port_number, serve
from kprl_fake_hardware.controller import LOOPBACK
from kprl_fake_hardware.gripper_server import PORT, RobotiqServer
from kprl_fake_hardware.pendant import Pendant, gripper_state
from kprl_fake_hardware.tcp_server import TcpServer


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    parser = Parser("robotiq_gripper", description="A 2F-85 that exists only on the wire.")
    parser.add_argument("--bind", default=LOOPBACK, help="address to listen at")
    parser.add_argument("--port", type=port_number, default=PORT)
    parser.add_argument("--pendant-port", type=port_number, help="inject faults there, see README.md; off by default")
    chosen = parser.parse_args(arguments)

    def make() -> RobotiqServer:
        server = RobotiqServer(chosen.bind, chosen.port)
        if chosen.pendant_port is not None:
            pendant = Pendant(server.faults, state=lambda: gripper_state(server.gripper))
            try:
                server.add_server(TcpServer(chosen.bind, chosen.pendant_port, pendant.session))
            except OSError:
                server.stop()
                raise
        return server

    return serve(make, f"fake Robotiq 2F-85 at {chosen.bind}:{chosen.port}")


if __name__ == "__main__":
    raise SystemExit(main())
