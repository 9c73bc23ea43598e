"""Known weaknesses of the locked packages (`make audit`), as pip-audit knows them from the public advisory databases.

It needs the network. Where nobody answers it says so and ends with status 3: nothing was found then because nothing was
asked. Status 1: there are weaknesses; 0: none that anybody knows. pip-audit lives in a folder of its own meanwhile, so
that nothing of it is locked or installed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements"
LOCKS = ("lock.txt", "ros-lock.txt", "torch.txt", "cxx.txt")
TOOL = "pip-audit>=2.7,<3"
TIMEOUT = 1200.0  # [s] for one of its two steps
FOUND, UNKNOWN = 1, 3  # exit statuses


class NoAnswerError(Exception):
    """The advisory database could not be asked."""


def pins() -> list[str]:
    """Every `name==version` of the lock files, once: pip-audit takes no package twice."""
    lines = [line for name in LOCKS for line in (REQUIREMENTS / name).read_text().splitlines()]
    return sorted({line.partition("#")[0].strip() for line in lines} - {""})


def ask(folder: Path) -> list[dict[str, Any]]:
    """What pip-audit says of each pin. Errors: `NoAnswerError`."""
    asked = folder / "requirements.txt"
    asked.write_text("\n".join(pins()) + "\n")
    venv.create(folder / "venv", with_pip=True)
    python = str(folder / "venv" / "bin" / "python")
    quietly = ["--quiet", "--disable-pip-version-check"]
    _run([python, "-m", "pip", "install", *quietly, TOOL], "pip-audit cannot be fetched")
    flags = ["--requirement", str(asked), "--disable-pip", "--no-deps", "--format", "json", "--progress-spinner", "off"]
    answer = _run([python, "-m", "pip_audit", *flags], "the advisory database does not answer", statuses=(0, FOUND))
    return read(answer)


def _run(command: list[str], failure: str, statuses: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
    # setup.bash puts this project's packages on the path; pip-audit is to have its own.
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        raise NoAnswerError(f"{failure} within {TIMEOUT:g} s") from None
    if done.returncode not in statuses:
        raise NoAnswerError(f"{failure}: {_last_line(done.stderr)}")
    return done


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "no reason given")


def read(answer: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """The packages in pip-audit's JSON. Errors: `NoAnswerError`; its status is the same for that and for weaknesses."""
    try:
        return json.loads(answer.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        raise NoAnswerError(f"the advisory database does not answer: {_last_line(answer.stderr)}") from None


def report(packages: list[dict[str, Any]]) -> tuple[int, list[str]]:
    """Exit status, and lines for people."""
    skipped = [package for package in packages if "skip_reason" in package]
    weak = [package for package in packages if package.get("vulns")]
    lines = [
        f"{package['name']} {package['version']}: {weakness['id']}"
        + (f", mended in {', '.join(weakness['fix_versions'])}" if weakness.get("fix_versions") else ", not mended yet")
        for package in weak
        for weakness in package["vulns"]
    ]
    if len(skipped) == len(packages):
        return UNKNOWN, ["audit: no package is known to the database that answered: nothing was looked at"]
    if skipped:
        lines.append(f"not known to the database: {', '.join(sorted(package['name'] for package in skipped))}")
    lines.append(f"audit: {len(packages) - len(skipped)} packages, {len(weak)} with known weaknesses")
    return (FOUND if weak else 0), lines


def main() -> int:
    """Print what is known; returns the exit status."""
    with tempfile.TemporaryDirectory(prefix="kprl-audit-") as folder:
        try:
            packages = ask(Path(folder))
        except NoAnswerError as error:
            print(f"audit: {error}. Nothing is known about the packages: run it where the network is", file=sys.stderr)
            return UNKNOWN
    status, lines = report(packages)
    print("\n".join(lines))
    return status


if __name__ == "__main__":
    raise SystemExit(main())
