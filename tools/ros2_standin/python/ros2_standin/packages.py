"""Packages and their files in the ament index."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Sized

from ament_index_python.packages import get_package_prefix, get_packages_with_prefixes

from ros2_standin.errors import CommandError

_SHOWN = 12


def package_prefix(package: str, *, offering: Callable[[str, str], Sized], what: str) -> str:
    """Install prefix of a package; where it is not found, name those that do offer something.

    Raises:
        CommandError: no such package, or no ament index at all.
    """
    if not os.environ.get("AMENT_PREFIX_PATH"):
        raise CommandError("AMENT_PREFIX_PATH is not set; run `source setup.bash` first")
    try:
        return get_package_prefix(package)
    except (LookupError, ValueError):
        pass
    prefixes = get_packages_with_prefixes()
    close = difflib.get_close_matches(package, list(prefixes), n=1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    useful = sorted(name for name, prefix in prefixes.items() if offering(name, prefix))
    raise CommandError(f"package '{package}' not found; {hint}packages with {what}: {listed(useful)}")


def launch_files(package: str, prefix: str) -> dict[str, list[str]]:
    """Launch files below the package's share folder: name to paths."""
    found: dict[str, list[str]] = {}
    for folder, _, names in os.walk(os.path.join(prefix, "share", package)):
        for name in names:
            if name.endswith((".launch.py", "_launch.py")):
                found.setdefault(name, []).append(os.path.join(folder, name))
    return found


def executables(package: str, prefix: str) -> list[str]:
    """Names of the package's programs."""
    folder = os.path.join(prefix, "lib", package)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [name for name in names if os.access(os.path.join(folder, name), os.X_OK)]


def listed(names: list[str]) -> str:
    """Names for a message, cut where there are many."""
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more if names else "none"
