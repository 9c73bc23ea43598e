"""The registers through which RTDE clients and the program on the controller talk, and who may write them."""

from __future__ import annotations

from kprl_fake_hardware.rtde import IN_USE, NOT_FOUND, Value
from kprl_fake_hardware.variables import INPUTS, REGISTERS


class Registers:
    """Integers and doubles, in and out; an input belongs to one client at a time, as on the real controller."""

    def __init__(self) -> None:
        self.ints_in, self.doubles_in = [0] * REGISTERS, [0.0] * REGISTERS
        self.ints_out, self.doubles_out = [0] * REGISTERS, [0.0] * REGISTERS
        self.fieldbus: frozenset[str] = frozenset()  # inputs that something else than an RTDE client writes
        self._owners: dict[str, object] = {}

    def claim(self, names: list[str], client: object) -> list[str]:
        """The types of the inputs `names`, which are the client's from now on; IN_USE or NOT_FOUND spoils it all."""
        types = [self._type_for(name, client) for name in names]
        if IN_USE not in types and NOT_FOUND not in types:
            self._owners.update(dict.fromkeys(names, client))
        return types

    def release(self, client: object) -> None:
        """The client is gone; its inputs keep their last values."""
        self._owners = {name: owner for name, owner in self._owners.items() if owner is not client}

    def write(self, name: str, value: Value) -> None:
        """An input that a client sends. Inputs that are no register (lights, analogue outputs) are accepted, unused."""
        if name.startswith("input_int_register_"):
            self.ints_in[int(name.rpartition("_")[2])] = int(value)  # type: ignore[arg-type]
        elif name.startswith("input_double_register_"):
            self.doubles_in[int(name.rpartition("_")[2])] = float(value)  # type: ignore[arg-type]

    def outputs(self) -> dict[str, Value]:
        """The output registers by the names of their RTDE variables."""
        ints: dict[str, Value] = {f"output_int_register_{index}": value for index, value in enumerate(self.ints_out)}
        return ints | {f"output_double_register_{index}": value for index, value in enumerate(self.doubles_out)}

    def _type_for(self, name: str, client: object) -> str:
        if name not in INPUTS:
            return NOT_FOUND
        if name in self.fieldbus or self._owners.get(name, client) is not client:
            return IN_USE
        return INPUTS[name]
