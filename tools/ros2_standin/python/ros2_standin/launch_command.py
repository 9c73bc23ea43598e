"""`ros2 launch PKG FILE [name:=value …]` and `ros2 launch PATH [name:=value …]`.

Uses only the public API of `launch`, so that it runs on a real one too.
"""

from __future__ import annotations

import os
import sys
import traceback

from ros2_standin.errors import CommandError, OneLineParser
from ros2_standin.launch_arguments import (
    check_arguments,
    format_arguments,
    parse_arguments,
    refuse_unknown_at_run_time,
)
from ros2_standin.packages import launch_files, listed, package_prefix

EXIT_FAILED = 1


def run(arguments: list[str]) -> int:
    """Launch, or show the arguments of a launch file."""
    parser = OneLineParser("ros2 launch", description="Run a launch file.")
    parser.add_argument("target", metavar="PKG|PATH", help="package, or path of a launch file")
    parser.add_argument("rest", metavar="FILE name:=value", nargs="*", help="launch file, and its arguments")
    parser.add_argument("-s", "--show-args", "--show-arguments", action="store_true", help="list arguments")
    parser.add_argument("-d", "--debug", action="store_true", help="debug messages and tracebacks")
    parser.add_argument("-n", "--noninteractive", action="store_true", help="accepted; changes nothing here")
    parser.add_argument("-a", "--show-all-subprocesses-output", action="store_true", help="all on screen")
    options = parser.parse_intermixed_args(arguments)
    path, rest = _find_file(options.target, options.rest)
    given = parse_arguments(rest)
    if options.show_all_subprocesses_output:
        os.environ["OVERRIDE_LAUNCH_PROCESS_OUTPUT"] = "both"

    from launch import LaunchDescription, LaunchService
    from launch.actions import IncludeLaunchDescription, OpaqueFunction
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    description = _load(path, options.debug)
    if options.show_args:
        print(format_arguments(description.get_launch_arguments()))
        return 0
    check_arguments(description, given)
    include = IncludeLaunchDescription(PythonLaunchDescriptionSource(path), launch_arguments=given.items())
    check = OpaqueFunction(function=refuse_unknown_at_run_time, args=[description, given])
    service = LaunchService(argv=rest, noninteractive=True, debug=options.debug)
    service.include_launch_description(LaunchDescription([include, check]))
    try:
        return service.run()
    except (OSError, RuntimeError) as error:  # before anything started: the log cannot be written
        raise CommandError(str(error), EXIT_FAILED) from error


def _find_file(target: str, rest: list[str]) -> tuple[str, list[str]]:
    """Path of the launch file, and the words after it.

    Raises:
        CommandError: there is no such package or file, or the package has the file twice.
    """
    if os.path.isfile(target):
        return os.path.abspath(target), rest
    if target.endswith(".py") or os.sep in target:
        raise CommandError(f"launch file '{target}' does not exist")
    prefix = package_prefix(target, offering=launch_files, what="launch files")
    files = launch_files(target, prefix)
    if not rest or ":=" in rest[0]:
        raise CommandError(f"which launch file of '{target}'? it has: {listed(sorted(files))}")
    paths = files.get(rest[0], [])
    if len(paths) != 1:
        problem = "is there more than once" if paths else "not found"
        raise CommandError(f"launch file '{rest[0]}' {problem} in package '{target}'; it has: {listed(sorted(files))}")
    return paths[0], rest[1:]


def _load(path: str, debug: bool):  # noqa: ANN202  (the type lives in whichever launch is installed)
    """The launch description of a file.

    Raises:
        CommandError: the file raised, with the line where it did.
    """
    from launch import LaunchContext
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    try:
        return PythonLaunchDescriptionSource(path).get_launch_description(LaunchContext())
    except Exception as error:  # a launch file is a program: it may raise anything
        if debug:
            traceback.print_exc(file=sys.stderr)
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == path]
        line = getattr(error, "lineno", None) or (frames[-1].lineno if frames else None)
        where = f"{path}:{line}" if line else path
        text = " ".join(str(error).split())
        raise CommandError(f"{where}: {type(error).__name__}: {text}", EXIT_FAILED) from error
