"""What arrives at the script port: whole programs, from `def name():` to `end`, one after the other."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_SCRIPT = 1 << 20  # [bytes] without an end after which a connection is given up
_DEFINITION = re.compile(r"^def\s+(\w+)\s*\(", re.MULTILINE)
_END = re.compile(r"^end[ \t]*\r?\n", re.MULTILINE)
_OFFSET = re.compile(r"#\s*int register offset\s*\n\s*(\d+)")


@dataclass(frozen=True)
class Script:
    """What the fake needs to know of a program: it runs none, but knows what ur_rtde's does."""

    name: str
    is_ur_rtde: bool
    register_offset: int  # first register that it reads and writes


def split_scripts(stream: str) -> tuple[list[str], str]:
    """The complete programs at the start of `stream`, and what is left for later."""
    scripts = []
    while (end := _END.search(stream)) is not None:
        scripts.append(stream[: end.end()])
        stream = stream[end.end() :]
    return scripts, stream


def read_script(text: str) -> Script:
    """Name and kind of a program. ur_rtde's own is known by its main loop."""
    name, offset = _DEFINITION.search(text), _OFFSET.search(text)
    return Script(
        name=name.group(1) if name else "unnamed",
        is_ur_rtde="RTDE Control script - Main loop" in text and "process_cmd" in text,
        register_offset=int(offset.group(1)) if offset else 0,
    )
