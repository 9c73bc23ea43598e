"""Resolve requirements/*.in into lock files that name every package with its exact version (`make lock`).

Two files: lock.txt is needed everywhere, ros-lock.txt only where ROS comes from wheels. Both were found to be the same
for Python 3.11 and 3.12. torch is left out: torch.txt pins it.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements"
# The CUDA build of torch names its libraries itself, each with an exact version.
TORCH_ONLY = re.compile(r"torch|triton|nvidia-.*|cuda-.*")
# Published as pure-Python source only; everything else must have a wheel for the Python that the lock is made with.
SOURCE_ONLY = "empy"
HEADER = "# Written by `make lock` from {sources}. Change those, not this file.\n"


def resolve(python: str, sources: list[str], constraints: Path | None) -> dict[str, str]:
    """Return {normalised name: version} of everything that pip would install for `sources` under `python`."""
    command = [python, "-m", "pip", "install", "--dry-run", "--ignore-installed", "-qq", "--report", "-"]
    command += ["--only-binary", ":all:", "--no-binary", SOURCE_ONLY]
    for source in sources:
        command += ["-r", str(REQUIREMENTS / source)]
    if constraints is not None:
        command += ["-c", str(constraints)]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    found = {}
    for item in report["install"]:
        name = re.sub(r"[-_.]+", "-", item["metadata"]["name"]).lower()
        if not TORCH_ONLY.fullmatch(name):
            found[name] = item["metadata"]["version"]
    return found


def write(path: Path, sources: list[str], pins: dict[str, str]) -> None:
    """Write the pins beside `path` and rename, so that a broken run leaves the old file."""
    lines = [HEADER.format(sources=" and ".join(sources))]
    lines += [f"{name}=={version}\n" for name, version in sorted(pins.items())]
    partial = path.with_suffix(".partial")
    partial.write_text("".join(lines))
    partial.replace(path)
    print(f"{path.name}: {len(pins)} packages")


def main() -> None:
    """Entry point of `make lock`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="interpreter to resolve for")
    parser.add_argument("--upgrade", action="store_true", help="take new versions instead of those already locked")
    arguments = parser.parse_args()

    everywhere = ["runtime.in", "dev.in"]
    locks = [REQUIREMENTS / "lock.txt", REQUIREMENTS / "ros-lock.txt"]
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        kept = [] if arguments.upgrade else [lock.read_text() for lock in locks if lock.exists()]
        constraints.write_text("\n".join(kept))
        base = resolve(arguments.python, everywhere, constraints)
        with_torch = resolve(arguments.python, [*everywhere, "torch.txt"], constraints)
        if differing := {name for name in base if base[name] != with_torch[name]}:
            sys.exit(f"torch asks for other versions of {sorted(differing)}: pin them in runtime.in")
        with_torch.pop("uv")
        constraints.write_text("".join(f"{name}=={version}\n" for name, version in with_torch.items()))
        ros = resolve(arguments.python, ["ros.in"], constraints)
    write(locks[0], everywhere, with_torch)
    write(locks[1], ["ros.in"], {name: version for name, version in ros.items() if name not in with_torch})


if __name__ == "__main__":
    main()
