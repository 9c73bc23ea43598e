"""RTDE, the Real-Time Data Exchange of UR controllers, as bytes: pure functions, no sockets.

Source: Universal Robots, "Real-Time Data Exchange (RTDE) guide", protocol version 2. All numbers are big-endian.
A package is `uint16 size` (header included), `uint8 kind`, payload.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

PROTOCOL_VERSION = 2
HEADER = struct.Struct(">HB")
MAX_PACKAGE = 0xFFFF  # [bytes] that the size field can name
NOT_FOUND = "NOT_FOUND"  # in place of a type: there is no such variable
IN_USE = "IN_USE"  # in place of a type: another client, or a fieldbus, writes this input

# RTDE type name: struct codes and how many numbers it has.
TYPES: dict[str, tuple[str, int]] = {
    "BOOL": ("?", 1),
    "UINT8": ("B", 1),
    "UINT32": ("I", 1),
    "UINT64": ("Q", 1),
    "INT32": ("i", 1),
    "DOUBLE": ("d", 1),
    "VECTOR3D": ("3d", 3),
    "VECTOR6D": ("6d", 6),
    "VECTOR6INT32": ("6i", 6),
    "VECTOR6UINT32": ("6I", 6),
}

Value = float | int | bool | tuple[float, ...] | tuple[int, ...]


class MalformedPackage(ValueError):
    """Bytes that are not RTDE; the connection they came from cannot be trusted any further."""


class Kind(IntEnum):
    """Kinds of package; the numbers are letters."""

    PROTOCOL_VERSION = ord("V")
    CONTROLLER_VERSION = ord("v")
    TEXT = ord("M")
    DATA = ord("U")
    SETUP_OUTPUTS = ord("O")
    SETUP_INPUTS = ord("I")
    START = ord("S")
    PAUSE = ord("P")


@dataclass(frozen=True)
class Package:
    """One package without its header."""

    kind: Kind
    payload: bytes


def build(kind: Kind, payload: bytes = b"") -> bytes:
    """The bytes of a package."""
    size = HEADER.size + len(payload)
    if size > MAX_PACKAGE:
        raise MalformedPackage(f"a package of {size} bytes: at most {MAX_PACKAGE} fit")
    return HEADER.pack(size, kind) + payload


def split(stream: bytes) -> tuple[list[Package], bytes]:
    """The complete packages at the start of `stream`, and the bytes that are left for later.

    Errors: `MalformedPackage` if a header cannot be one.
    """
    packages = []
    while len(stream) >= HEADER.size:
        size, kind = HEADER.unpack_from(stream)
        if size < HEADER.size or kind not in Kind.__members__.values():
            raise MalformedPackage(f"not an RTDE header: size {size}, kind {kind}")
        if len(stream) < size:
            break
        packages.append(Package(Kind(kind), stream[HEADER.size : size]))
        stream = stream[size:]
    return packages, stream


def parse_protocol_version(payload: bytes) -> int:
    """The version that a client asks for."""
    return int(_unpack(">H", payload)[0])


def build_protocol_version(version: int) -> bytes:
    """A client's request."""
    return build(Kind.PROTOCOL_VERSION, struct.pack(">H", version))


def build_controller_version(version: Sequence[int]) -> bytes:
    """The answer to `Kind.CONTROLLER_VERSION`: major, minor, bugfix, build."""
    return build(Kind.CONTROLLER_VERSION, struct.pack(">4I", *version))


def parse_controller_version(payload: bytes) -> tuple[int, ...]:
    """Major, minor, bugfix and build of the controller's software."""
    return tuple(int(part) for part in _unpack(">4I", payload))


def build_output_setup(frequency: float, names: Iterable[str]) -> bytes:
    """A client's request for `names`, `frequency` [Hz] times a second."""
    return build(Kind.SETUP_OUTPUTS, struct.pack(">d", frequency) + ",".join(names).encode("ascii"))


def parse_output_setup(payload: bytes) -> tuple[float, list[str]]:
    """Frequency [Hz] and names that a client asks for."""
    (frequency,) = _unpack(">d", payload[:8])
    if not 0.0 < frequency < float("inf"):
        raise MalformedPackage(f"an output frequency of {frequency} Hz")
    return frequency, parse_names(payload[8:])


def build_input_setup(names: Iterable[str]) -> bytes:
    """A client's announcement that it will write `names`."""
    return build(Kind.SETUP_INPUTS, ",".join(names).encode("ascii"))


def parse_names(payload: bytes) -> list[str]:
    """A comma-separated list; ur_rtde ends its own with a comma."""
    try:
        text = payload.decode("ascii")
    except UnicodeDecodeError as error:
        raise MalformedPackage("variable names that are not ASCII") from error
    return [name for name in text.split(",") if name]


def build_setup_reply(kind: Kind, recipe: int, types: Iterable[str]) -> bytes:
    """The answer to a set-up: the recipe's number, 0 if it is refused, and a type (or a complaint) for each name."""
    return build(kind, struct.pack(">B", recipe) + ",".join(types).encode("ascii"))


def parse_setup_reply(payload: bytes) -> tuple[int, list[str]]:
    """Recipe number and types."""
    return int(_unpack(">B", payload[:1])[0]), parse_names(payload[1:])


def build_accepted(kind: Kind, accepted: bool) -> bytes:
    """The answer to a protocol version, a start or a pause."""
    return build(kind, struct.pack(">?", accepted))


class Layout:
    """The values of one recipe, in order, as they lie in a data package."""

    def __init__(self, types: Sequence[str]) -> None:
        unknown = [name for name in types if name not in TYPES]
        if unknown:
            raise MalformedPackage(f"no RTDE type {', '.join(unknown)}: expected one of {', '.join(TYPES)}")
        self._counts = [TYPES[name][1] for name in types]
        self._struct = struct.Struct(">B" + "".join(TYPES[name][0] for name in types))

    def build(self, recipe: int, values: Iterable[Value]) -> bytes:
        """The data package that carries `values`."""
        numbers: list[float | int] = [recipe]
        for value in values:
            if isinstance(value, tuple):
                numbers.extend(value)
            else:
                numbers.append(value)
        try:
            return build(Kind.DATA, self._struct.pack(*numbers))
        except struct.error as error:
            raise MalformedPackage(f"values that do not fit their recipe: {error}") from error

    def parse(self, payload: bytes) -> tuple[int, list[Value]]:
        """Recipe number and values of a data package."""
        if len(payload) != self._struct.size:
            raise MalformedPackage(f"{len(payload)} bytes of data: the recipe has {self._struct.size}")
        recipe, *numbers = self._struct.unpack(payload)
        values: list[Value] = []
        at = 0
        for count in self._counts:
            values.append(numbers[at] if count == 1 else tuple(numbers[at : at + count]))
            at += count
        return int(recipe), values


def _unpack(layout: str, payload: bytes) -> tuple[float | int, ...]:
    try:
        return struct.unpack(layout, payload)
    except struct.error as error:
        raise MalformedPackage(f"a payload of {len(payload)} bytes: {error}") from error
