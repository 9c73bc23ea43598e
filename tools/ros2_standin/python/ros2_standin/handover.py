"""A real `ros2` always wins over the stand-in."""

from __future__ import annotations

import os
from importlib.machinery import PathFinder

from ros2_standin.errors import CommandError

_MARK = b"ros2_standin"
_HEAD_BYTES = 1024


def real_ros2(search_path: str) -> str | None:
    """Path of a `ros2` that is not a stand-in (this one or another copy), or None."""
    for folder in search_path.split(os.pathsep):
        candidate = os.path.join(folder, "ros2")
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            with open(candidate, "rb") as file:
                if _MARK not in file.read(_HEAD_BYTES):
                    return candidate
    return None


def hand_over_to_real_ros2(argv: list[str]) -> None:
    """Become the real `ros2` where there is one; returns only where there is none.

    Raises:
        CommandError: only one of the two launch packages is real; mixing them cannot work.
    """
    found = real_ros2(os.environ.get("PATH", ""))
    if found is not None:
        os.execv(found, [found, *argv])
    real = {name: is_real(name) for name in ("launch", "launch_ros")}
    if real["launch"] != real["launch_ros"]:
        there, missing = sorted(real, key=lambda name: not real[name])
        raise CommandError(f"a real '{there}' is installed, '{missing}' is not; install both or neither")


def is_real(package: str) -> bool:
    """Whether the package that an import would find comes from outside the stand-in.

    With a real launch package but no `ros2` command, `ros2 launch` here runs on the real package: it
    uses only its public API.
    """
    own = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    spec = PathFinder.find_spec(package)
    if spec is None or spec.origin is None:
        return False
    return not os.path.realpath(spec.origin).startswith(own + os.sep)
