"""Mend the ROS wheels' CMake files, which name folders of the machine that the wheels were built on.

CMake refuses an imported target whose include folders do not exist. The wheels' *Export.cmake files carry
/opt/python/cp311-cp311/include/python3.11 and /opt/python/cp311-cp311/lib/python3.11/site-packages (or those of
another Python); both have a true counterpart here.
"""

from __future__ import annotations

import re
from pathlib import Path

BUILD_PYTHON = r"/opt/python/cp3\d+-cp3\d+t?"
INCLUDE = re.compile(BUILD_PYTHON + r"/include/python3\.\d+t?")
SITE_PACKAGES = re.compile(BUILD_PYTHON + r"/lib/python3\.\d+t?/site-packages")


def repair_text(text: str, include: str, site_packages: str) -> str:
    """Return `text` with the build machine's folders replaced by this machine's; repaired text stays as it is."""
    text = INCLUDE.sub(lambda _: include, text)
    return SITE_PACKAGES.sub(lambda _: site_packages, text)


def repair_tree(prefix: Path, include: str, site_packages: str) -> int:
    """Repair every export file under `prefix`/share and return how many had to change."""
    changed = 0
    for path in sorted(prefix.glob("share/*/cmake/*Export.cmake")):
        old = path.read_text()
        new = repair_text(old, include, site_packages)
        if new != old:
            partial = path.with_suffix(".partial")
            partial.write_text(new)
            partial.replace(path)
            changed += 1
    return changed
