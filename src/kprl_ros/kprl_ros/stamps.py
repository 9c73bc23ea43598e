"""Time stamps as integer nanoseconds: comparable, and exact where seconds as float are not."""

from __future__ import annotations

from builtin_interfaces.msg import Time

NANOSECONDS = 1_000_000_000


def to_nanoseconds(stamp: Time) -> int:
    """[ns] of a stamp."""
    return int(stamp.sec) * NANOSECONDS + int(stamp.nanosec)


def to_stamp(nanoseconds: int) -> Time:
    """The stamp of a time [ns]."""
    return Time(sec=nanoseconds // NANOSECONDS, nanosec=nanoseconds % NANOSECONDS)
