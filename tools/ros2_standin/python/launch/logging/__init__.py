"""Output of a launch: console and `launch.log`."""

from __future__ import annotations

import contextlib
import datetime
import logging as _logging
import os
import socket
import time
from collections.abc import Callable
from typing import TextIO

from launch._standin.console import Console
from launch._standin.refusal import refuse_missing_names

__all__ = ["get_logger"]

_console = Console()
_file: TextIO | None = None
_level = _logging.INFO
_known: set[str] = set()


class _Both(_logging.Handler):
    """Writes a launch message to the console and to the log file."""

    def emit(self, record: _logging.LogRecord) -> None:
        line = f"[{record.levelname}] [{record.name}]: {record.getMessage()}"
        write_to_console(line)
        write_to_file(line)


def get_logger(name: str = "launch") -> _logging.Logger:
    """A logger whose messages look like `[INFO] [name]: message`."""
    logger = _logging.getLogger(name)
    if name not in _known:
        _known.add(name)
        logger.addHandler(_Both())
        logger.propagate = False
    logger.setLevel(_level)
    return logger


def set_debug(debug: bool) -> None:
    """Whether debug messages are shown."""
    global _level
    _level = _logging.DEBUG if debug else _logging.INFO


def write_to_console(line: str) -> None:
    """One line to standard output."""
    _console.line(line)


def show_progress(source: str, line: str) -> None:
    """A line that replaces the one that `source` showed before."""
    _console.progress(source, line)


def end_progress(source: str, *, keep: bool) -> None:
    """`source` shows no more progress; with `keep` its last state stays as a line."""
    _console.end_progress(source, keep=keep)


def on_broken_output(callback: Callable[[], None]) -> None:
    """Call back once when standard output turns out to be closed."""
    _console.on_broken = callback


def write_to_file(line: str) -> None:
    """One line to `launch.log`, with the time in seconds since 1970."""
    global _file
    if _file is None:
        _file = open(os.path.join(log_directory(), "launch.log"), "a", encoding="utf-8", buffering=1)
    _file.write(f"{time.time():.7f} {line}\n")


def log_directory() -> str:
    """Folder of this launch's log, below $ROS_LOG_DIR, $ROS_HOME/log or ~/.ros/log."""
    if "path" not in _directory:
        base = os.environ.get("ROS_LOG_DIR") or os.path.join(os.environ.get("ROS_HOME") or "~/.ros", "log")
        base = os.path.abspath(os.path.expanduser(base))
        stamp = datetime.datetime.now().strftime("%Y-%m-%d-%H-%M-%S-%f")
        path = os.path.join(base, f"{stamp}-{socket.gethostname()}-{os.getpid()}")
        try:
            os.makedirs(path)
        except OSError as error:
            problem = f"cannot write logs below {base} ({error.strerror})"
            raise RuntimeError(f"{problem}; set ROS_LOG_DIR to a folder that can be written") from error
        _point_latest_at(path)
        _directory["path"] = path
    return _directory["path"]


_directory: dict[str, str] = {}


def _point_latest_at(path: str) -> None:
    """Make the link `latest` beside the folder lead to it, unless something else bears that name."""
    latest = os.path.join(os.path.dirname(path), "latest")
    if os.path.lexists(latest) and not os.path.islink(latest):
        return
    beside = f"{path}.link"
    os.symlink(path, beside)
    with contextlib.suppress(IsADirectoryError):
        os.replace(beside, latest)


__getattr__ = refuse_missing_names(__name__, __all__)
