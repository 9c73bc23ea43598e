"""`name:=value` arguments of `ros2 launch`: parsed, checked against the declared ones, shown."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from ros2_standin.errors import CommandError

BUILT_IN = ("sigkill_timeout", "sigterm_timeout")
"""Configurations that every process reads [s], declared or not."""


def parse_arguments(words: list[str]) -> dict[str, str]:
    """Names and values; of duplicates the last wins.

    Raises:
        CommandError: a word is not `name:=value`.
    """
    given: dict[str, str] = {}
    for word in words:
        name, separator, value = word.partition(":=")
        if not separator or not name:
            raise CommandError(f"'{word}' is no launch argument; expected name:=value")
        given[name] = value
    return given


def check_arguments(description: Any, given: dict[str, str]) -> None:
    """Refuse what is certainly wrong before anything runs.

    Unknown names are refused here only where the whole of the description is known beforehand;
    otherwise `refuse_unknown_at_run_time` does it.

    Raises:
        CommandError: an unknown name, a value that is no choice, or a required argument left out.
    """
    declared = {argument.name: argument for argument in description.get_launch_arguments()}
    if _is_fully_known(description.describe_sub_entities()):
        _refuse_unknown(declared, given)
    for argument in declared.values():
        # The arguments of included files may get their values from the including one.
        is_own = any(argument is entity for entity in description.entities)
        if not is_own or argument._conditionally_included:
            continue
        if argument.name in given and argument.choices and given[argument.name] not in argument.choices:
            close = difflib.get_close_matches(given[argument.name], argument.choices, n=1)
            hint = f" (did you mean '{close[0]}'?)" if close else ""
            raise CommandError(
                f"launch argument '{argument.name}' is '{given[argument.name]}'; "
                f"valid: {', '.join(argument.choices)}{hint}"
            )
        if argument.name not in given and argument.default_value is None:
            raise CommandError(
                f"required launch argument '{argument.name}' is missing ({argument.description}); "
                f"give {argument.name}:=…"
            )


def refuse_unknown_at_run_time(context: Any, description: Any, given: dict[str, str]) -> None:
    """Refuse unknown names when all declarations have been visited and nothing has started yet.

    Raises:
        RuntimeError: a given name is not declared anywhere; the launch service turns it into one line.
    """
    visited = getattr(context, "_declared_arguments", None)
    if visited is not None:  # a real launch package keeps no such record, and accepts any name
        declared = {argument.name for argument in description.get_launch_arguments()} | visited
        try:
            _refuse_unknown(declared, given)
        except CommandError as error:
            raise RuntimeError(str(error)) from error


def _refuse_unknown(declared: Iterable[str], given: dict[str, str]) -> None:
    known = sorted(declared)
    for name in given:
        if name not in known and name not in BUILT_IN:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean '{close[0]}'? " if close else ""
            raise CommandError(f"unknown launch argument '{name}'; {hint}declared: {', '.join(known) or 'none'}")


def _is_fully_known(entities: Iterable[Any]) -> bool:
    """Whether no part of the description is decided only while it runs."""
    from launch.actions import IncludeLaunchDescription, OpaqueFunction

    for entity in entities:
        inner = list(entity.describe_sub_entities())
        inner += [e for _, part in entity.describe_conditional_sub_entities() for e in part]
        undecided_include = isinstance(entity, IncludeLaunchDescription) and not inner
        if isinstance(entity, OpaqueFunction) or undecided_include or not _is_fully_known(inner):
            return False
    return True


def format_arguments(arguments: Iterable[Any]) -> str:
    """The text of `--show-args`."""
    lines = ["Arguments (pass arguments as '<name>:=<value>'):"]
    conditional = False
    arguments = list(arguments)
    for argument in arguments:
        star = "*" if argument._conditionally_included else ""
        conditional = conditional or bool(star)
        lines += ["", f"    '{argument.name}':{star}", f"        {argument.description}"]
        if argument.default_value is not None:
            default = " + ".join(substitution.describe() for substitution in argument.default_value)
            lines.append(f"        (default: {default})")
    if not arguments:
        lines += ["", "  No arguments."]
    elif conditional:
        lines += ["", "* argument(s) which are only used if specific conditions occur"]
    return "\n".join(lines)
