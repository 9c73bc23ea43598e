"""`ros2 run PKG EXE [arguments]`."""

from __future__ import annotations

import os

from ros2_standin.errors import CommandError
from ros2_standin.packages import executables, listed, package_prefix


def run(arguments: list[str]) -> int:
    """Become the program, so that signals and the exit code are its own."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: ros2 run PKG EXE [arguments …]")
        return 0
    if arguments[0].startswith("-"):
        raise CommandError(f"the ros2 stand-in does not support '{arguments[0]}'; usage: PKG EXE [arguments]")
    package = arguments[0]
    prefix = package_prefix(package, offering=executables, what="executables")
    names = executables(package, prefix)
    if len(arguments) < 2 or arguments[1] not in names:
        asked = f"no executable '{arguments[1]}'" if len(arguments) > 1 else "no executable given"
        raise CommandError(f"{asked} in package '{package}'; it has: {listed(names)}")
    path = os.path.join(prefix, "lib", package, arguments[1])
    os.execv(path, [path, *arguments[2:]])
