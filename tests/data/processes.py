"""`kprl data generate` as a process group of its own, and what is left of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

SCRIPT = Path(__file__).with_name("generate_synthetic.py")
PATIENCE = 20.0  # [s]


def start_generate(out: Path, *more: str, images: int, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPT), "data", "generate", "--images", str(images), "--out", str(out), *more]
    environment = {**os.environ, **(env or {})}
    return subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True, env=environment)


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE:g} s for {what}"
        time.sleep(0.01)


def members(group: int) -> list[int]:
    """Living processes of a process group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        if int(its_group) == group and state != "Z":
            found.append(int(stat.parent.name))
    return found


def kill(process: subprocess.Popen[str], whole_group: bool) -> None:
    """SIGKILL to the process, or to its workers too; returns when none of them lives."""
    if process.poll() is None:
        (os.killpg if whole_group else os.kill)(process.pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    wait_for(lambda: not members(process.pid), "the workers of a killed parent to end")


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, hidden ones too."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}
