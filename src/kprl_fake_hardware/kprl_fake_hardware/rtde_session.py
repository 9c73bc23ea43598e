"""One client of the RTDE server: bytes in, bytes out, no sockets."""

from __future__ import annotations

from kprl_fake_hardware import rtde
from kprl_fake_hardware.robot import Robot
from kprl_fake_hardware.rtde import Kind, Layout, Package
from kprl_fake_hardware.variables import INPUTS, OUTPUTS

MAX_RECIPES = 255
_ROUNDING = 1e-9


class RtdeSession:
    """What the controller remembers of one connection."""

    greeting = b""

    def __init__(self, robot: Robot) -> None:
        self._robot = robot
        self._pending = b""
        self._inputs: list[tuple[Layout, list[str]]] = []  # recipe 1 is the first
        self._outputs: tuple[Layout, list[str]] | None = None
        self._interval = robot.period  # [s] between data packages
        self._next = 0.0  # robot time of the next one
        self._started = False

    def receive(self, data: bytes) -> bytes:
        """The answer to what a client sent. Errors: `MalformedPackage`, after which the connection must be closed."""
        packages, self._pending = rtde.split(self._pending + data)
        return b"".join(map(self._answer, packages))

    def close(self) -> None:
        """The client is gone."""
        self._robot.registers.release(self)

    def on_tick(self) -> bytes:
        """The data package for this tick, if one is due."""
        if not self._started or self._outputs is None or self._robot.time < self._next - _ROUNDING:
            return b""
        self._next = max(self._next + self._interval, self._robot.time)
        layout, names = self._outputs
        state = self._robot.state()
        return layout.build(1, [state[name] for name in names])

    def _answer(self, package: Package) -> bytes:
        match package.kind:
            case Kind.PROTOCOL_VERSION:
                accepted = rtde.parse_protocol_version(package.payload) == rtde.PROTOCOL_VERSION
                return rtde.build_accepted(package.kind, accepted)
            case Kind.CONTROLLER_VERSION:
                return rtde.build_controller_version(self._robot.version)
            case Kind.SETUP_OUTPUTS:
                return self._set_up_outputs(package.payload)
            case Kind.SETUP_INPUTS:
                return self._set_up_inputs(package.payload)
            case Kind.START:
                self._started, self._next = self._outputs is not None, self._robot.time
                return rtde.build_accepted(package.kind, self._started)
            case Kind.PAUSE:
                self._started = False
                return rtde.build_accepted(package.kind, True)
            case Kind.DATA:
                self._take(package.payload)
        return b""  # also to a text message

    def _set_up_outputs(self, payload: bytes) -> bytes:
        frequency, names = rtde.parse_output_setup(payload)
        types = [OUTPUTS.get(name, rtde.NOT_FOUND) for name in names]
        if not names or rtde.NOT_FOUND in types:
            return rtde.build_setup_reply(Kind.SETUP_OUTPUTS, 0, types)
        self._interval = max(1.0 / frequency, self._robot.period)
        self._outputs = Layout(types), names
        return rtde.build_setup_reply(Kind.SETUP_OUTPUTS, 1, types)

    def _set_up_inputs(self, payload: bytes) -> bytes:
        names = rtde.parse_names(payload)
        types = self._robot.registers.claim(names, self)
        recipe = len(self._inputs) + 1
        if not names or rtde.NOT_FOUND in types or rtde.IN_USE in types or recipe > MAX_RECIPES:
            return rtde.build_setup_reply(Kind.SETUP_INPUTS, 0, types)
        self._inputs.append((Layout([INPUTS[name] for name in names]), names))
        return rtde.build_setup_reply(Kind.SETUP_INPUTS, recipe, types)

    def _take(self, payload: bytes) -> None:
        recipe = payload[0] if payload else 0
        if not 1 <= recipe <= len(self._inputs):
            raise rtde.MalformedPackage(f"data for recipe {recipe}: {len(self._inputs)} are set up")
        layout, names = self._inputs[recipe - 1]
        for name, value in zip(names, layout.parse(payload)[1], strict=True):
            self._robot.write_input(name, value)
