"""Where a result comes from: code, libraries, machine."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

GIT_TIME_OUT = 10.0  # [s]
UNKNOWN = "unknown"


def provenance(*packages: str) -> dict[str, str | int]:
    """The commit of kprl's sources (a trailing + if they were changed since), versions of `packages`, the machine.

    $KPRL_COMMIT overrides what git says: a copy or a container knows its commit only so.
    """
    return {
        "commit": _commit(),
        "python": platform.python_version(),
        **{package: _version(package) for package in packages},
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
    }


def _commit() -> str:
    given = os.environ.get("KPRL_COMMIT", UNKNOWN)
    if given != UNKNOWN:
        return given
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--", ".")
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN  # not a checkout
    return f"{commit}{'+' if changed else ''}"


def _git(*arguments: str) -> str:
    folder = Path(__file__).resolve().parent
    result = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=GIT_TIME_OUT, check=True
    )
    return result.stdout.strip()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
