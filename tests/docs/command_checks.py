"""Whether a command of the documentation would be taken: names, flags, values, types. Nothing is run."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import re
import shutil
import typing
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import yaml
from ament_index_python.packages import get_package_prefix
from shell_blocks import ROOT, Command

import graph_tables
from kprl import cli

Kwargs = dict[str, Any]
ENVIRONMENT = (
    "KPRL_BUNDLE", "KPRL_ROBOT_IP", "KPRL_COMMIT", "ROS_DOMAIN_ID", "TORCH", "DISPLAY",
    "ROS_SECURITY_KEYSTORE", "ROS_SECURITY_ENABLE", "ROS_SECURITY_STRATEGY", "ROS_SECURITY_ENCLAVE_OVERRIDE",
)  # fmt: skip


def parsed(words: tuple[str, ...], whole: bool = True) -> tuple[Callable[..., None] | None, Kwargs]:
    """The function of a `kprl` command and what the real command line makes of its flags; None for a `--help`.

    Raises AssertionError where it would be refused. What a command in running text leaves out is added.
    """
    arguments = [word for word in words[1:] if word != "..."]
    taken: list[tuple[Callable[..., None], Kwargs]] = []

    def stub(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def take(**kwargs: Any) -> None:
            taken.append((function, kwargs))

        return take

    if not whole and len(arguments) >= 2 and arguments[1] in cli.COMMANDS.get(arguments[0], {}):
        arguments += missing(cli.COMMANDS[arguments[0]][arguments[1]], arguments)
    real = {group: dict(commands) for group, commands in cli.COMMANDS.items()}
    try:
        for group, commands in real.items():
            cli.COMMANDS[group] = {name: stub(function) for name, function in commands.items()}
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()) as said:
            cli.main(arguments)
    except SystemExit as ended:
        is_help = ended.code in (0, None) and "--help" in arguments
        assert is_help, f"refused: {words}\n{said.getvalue()}"
        return None, {}
    finally:
        for group, commands in real.items():
            cli.COMMANDS[group] = commands
    assert len(taken) == 1, f"no command: {words}"
    return taken[0]


def missing(function: Callable[..., None], given: list[str]) -> list[str]:
    """Flags that must be given and are not, with values of their types."""
    hints = typing.get_type_hints(function)
    flags = []
    for name, parameter in inspect.signature(function).parameters.items():
        flag = "--" + name.replace("_", "-")
        if parameter.default is parameter.empty and flag not in given:
            flags += [flag, "1" if hints[name] in (int, float) else "x"]
    return flags


def check(command: Command) -> None:
    """Raise AssertionError where the command would be refused, or is of a kind that nothing here knows."""
    words = command.words
    while re.fullmatch(r"\w+=\S*", words[0]):
        name = words[0].partition("=")[0]
        assert name in ENVIRONMENT, f"unknown variable {name}"
        words = words[1:]
        if not words:
            return
    program, rest = words[0], words[1:]
    assert program in CHECKS, f"nothing checks commands of '{program}': add a check to tests/docs/command_checks.py"
    CHECKS[program](rest, command.whole)


def check_kprl(rest: tuple[str, ...], whole: bool) -> None:
    if not whole and len(rest) == 1 and rest[0] in cli.COMMANDS:
        return  # speaks of the whole group
    parsed(("kprl", *rest), whole)


def check_ros2(rest: tuple[str, ...], whole: bool) -> None:
    if rest[0].startswith("-"):
        assert rest == ("--help",)
        return
    if not whole and rest in (("launch",), ("run",)):
        return
    verb = rest[0] if rest[0] in ROS2 else " ".join(rest[:2])
    assert verb in ROS2, f"unknown: ros2 {verb}"
    ROS2[verb](rest[len(verb.split()) :], whole)


def check_launch(rest: tuple[str, ...], whole: bool) -> None:
    package, file, *given = rest
    assert package == "kprl_bringup"
    declared = graph_tables.launch_arguments(file)
    for word in given:
        if word == "--show-args":
            continue
        name, separator, value = word.partition(":=")
        assert separator and name in declared, f"{file} has no argument {name}"
        choices = declared[name][2]
        assert not choices or value in choices, f"{file}: {name} is {value}, not one of {choices}"


def check_run(rest: tuple[str, ...], whole: bool) -> None:
    package, executable, *options = rest
    program = Path(get_package_prefix(package)) / "lib" / package / executable
    assert program.is_file(), f"{package} has no program {executable}"
    node = "camera_node" if executable == "fake_camera_node" else executable
    check_ros_arguments(node, options)


def check_ros_arguments(node: str, options: list[str]) -> None:
    known = {parameter.name for parameter in graph_tables.parameters(node)} if node in graph_tables.NODES else set()
    own, _, ros = " ".join(options).partition("--ros-args")
    assert not own.strip() or node not in graph_tables.NODES or own.startswith("--world"), f"{node} takes no {own}"
    words = ros.split()
    while words:
        option, value, *words = words
        if option == "--params-file":
            assert (ROOT / value).is_file(), f"no file {value}"
        elif option == "-p":
            name = value.partition(":=")[0]
            assert name in known, f"{node} has no parameter {name}"
        else:
            assert option == "-r" and ":=" in value, f"unknown option {option}"


def check_service(rest: tuple[str, ...], whole: bool) -> None:
    name, kind, *request = rest
    services = graph_tables.endpoints()["service"]
    assert name in services, f"no service {name}"
    assert kind == services[name].type, f"{name} is of type {services[name].type}"
    package, _, message = kind.split("/")
    fields = getattr(importlib.import_module(f"{package}.srv"), message).Request.get_fields_and_field_types()
    values = yaml.safe_load(request[0]) if request else {}
    assert isinstance(values, dict) and set(values) <= set(fields), f"{kind} has {fields}"


def check_topic(rest: tuple[str, ...], whole: bool) -> None:
    name = next(word for word in rest if not word.startswith("-"))
    assert name in graph_tables.endpoints()["topic"], f"no topic {name}"


def check_topic_list(rest: tuple[str, ...], whole: bool) -> None:
    assert set(rest) <= {"-t"}


def check_param(rest: tuple[str, ...], whole: bool) -> None:
    node = rest[0].lstrip("/")
    assert node in graph_tables.NODES
    names = {parameter.name for parameter in graph_tables.parameters(node)}
    assert len(rest) == 1 or rest[1] in names or rest[1] == "NAME"


def check_keystore(rest: tuple[str, ...], whole: bool) -> None:
    assert len(rest) == 1


def check_artifacts(rest: tuple[str, ...], whole: bool) -> None:
    keystore, _, policy, file = rest
    assert (keystore, policy) == ("-k", "-p") and file.endswith(".xml")
    assert "/" not in file or (ROOT / file).is_file(), f"no file {file}"


def check_export(rest: tuple[str, ...], whole: bool) -> None:
    for word in rest:
        name, separator, _ = word.partition("=")
        assert separator and name in ENVIRONMENT, f"unknown variable {name}"


def check_nothing(rest: tuple[str, ...], whole: bool) -> None:
    assert not rest


def check_make(rest: tuple[str, ...], whole: bool) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^(\w+):", makefile, re.MULTILINE))
    for word in rest:
        name, is_variable, _ = word.partition("=")
        if is_variable:
            assert re.search(rf"\b{name}\b", makefile), f"the Makefile knows no {name}"
        else:
            assert word in targets, f"no target {word}"


def check_docker(rest: tuple[str, ...], whole: bool) -> None:
    first, option, file, action, *more = rest
    assert (first, option) == ("compose", "-f") and action in ("build", "run", "up")
    services = yaml.safe_load((ROOT / file).read_text())["services"]
    named = [word for word in more if not word.startswith("-")]
    assert not named or named[0] in services, f"{file} has no service {named[0]}"
    if len(named) > 1:
        check(Command(file, 0, tuple(more[more.index(named[1]) :]), whole))


def check_python(rest: tuple[str, ...], whole: bool) -> None:
    if rest[0] == "-c":
        compile(rest[1], "-c", "exec")
    elif rest[0] == "-m":
        assert importlib.util.find_spec(rest[1]) is not None, f"no module {rest[1]}"
        if rest[1] == "pytest":
            assert all((ROOT / word).exists() for word in rest[2:] if word.startswith("tests/"))
        if rest[1] == "kprl.cli":
            parsed(("kprl", *rest[2:]), whole)
        if rest[1].startswith("kprl_fake_hardware."):
            check_parser(rest[1], [word for word in rest[2:] if word.startswith("--")])
    else:
        assert (ROOT / rest[0]).is_file(), f"no file {rest[0]}"
        check_parser(str(ROOT / rest[0]), [word for word in rest[1:] if word.startswith("--")])


def check_parser(module: str, flags: list[str]) -> None:
    """A module with an argparse parser: its text must add each flag."""
    path = Path(module)
    if not path.is_file():
        spec = importlib.util.find_spec(module)
        assert spec is not None and spec.origin is not None
        path = Path(spec.origin)
    shared = path.parent / "command.py"  # of the fake hardware
    texts = path.read_text() + (shared.read_text() if shared.is_file() else "")
    for flag in flags:
        assert f'"{flag}"' in texts, f"{module} has no flag {flag}"


def check_torchrun(rest: tuple[str, ...], whole: bool) -> None:
    assert rest[0] == "--nproc-per-node"
    check_python(rest[2:], whole)


def check_source(rest: tuple[str, ...], whole: bool) -> None:
    assert (ROOT / rest[0]).is_file(), f"no file {rest[0]}"


def check_echo(rest: tuple[str, ...], whole: bool) -> None:
    """To a pendant of the fake hardware: the first word is the name of a fault."""
    text, arrow, target = rest
    found = re.fullmatch(r"/dev/tcp/127\.0\.0\.\d/(\d+)", target)
    assert arrow == ">" and found, "only the pendants of the fake hardware are written to"
    faults = {"29100": "faults", "29103": "camera_faults"}[found[1]]
    source = (ROOT / "src" / "kprl_fake_hardware" / "kprl_fake_hardware" / f"{faults}.py").read_text()
    assert f"def {text.split()[0]}(" in source, f"{faults}.py has no {text}"


def check_installed(program: str, flags: tuple[str, ...]) -> Callable[[tuple[str, ...], bool], None]:
    def look(rest: tuple[str, ...], whole: bool) -> None:
        assert shutil.which(program), f"{program} is not installed"
        assert all(word in flags or not word.startswith("-") for word in rest)

    return look


ROS2: dict[str, Callable[[tuple[str, ...], bool], None]] = {
    "launch": check_launch,
    "run": check_run,
    "service call": check_service,
    "security create_keystore": check_keystore,
    "security generate_artifacts": check_artifacts,
    "daemon stop": check_nothing,
    "topic echo": check_topic,
    "topic hz": check_topic,
    "topic list": check_topic_list,
    "node list": check_nothing,
    "param get": check_param,
    "param list": check_param,
    "param describe": check_param,
}
CHECKS: dict[str, Callable[[tuple[str, ...], bool], None]] = {
    "kprl": check_kprl,
    "ros2": check_ros2,
    "make": check_make,
    "docker": check_docker,
    "python": check_python,
    "torchrun": check_torchrun,
    "source": check_source,
    "echo": check_echo,
    "export": check_export,
    "mkdir": check_installed("mkdir", ("-p",)),
    "tensorboard": check_installed("tensorboard", ("--logdir",)),
    "mkdocs": check_installed("mkdocs", ("--strict",)),
    "rviz2": lambda rest, whole: None,  # the distribution's
}
