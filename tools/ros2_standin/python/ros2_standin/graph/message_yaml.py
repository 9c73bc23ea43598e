"""Messages as YAML, and YAML as messages."""

from __future__ import annotations

import array
from collections.abc import Mapping
from typing import Any

import yaml

from ros2_standin.errors import CommandError

LONGEST_LIST = 128
"""Longer lists and texts are cut in the output."""


def to_plain(value: Any) -> Any:
    """A message as dictionaries, lists and scalars."""
    if hasattr(value, "get_fields_and_field_types"):
        return {name: to_plain(getattr(value, name)) for name in value.get_fields_and_field_types()}
    if isinstance(value, str):
        return value if len(value) <= LONGEST_LIST else value[:LONGEST_LIST] + "..."
    if isinstance(value, bytes | array.array | list | tuple) or hasattr(value, "tolist"):
        items = [to_plain(item) for item in list(value[: LONGEST_LIST + 1])]
        items = [item.item() if hasattr(item, "item") else item for item in items]
        return items if len(items) <= LONGEST_LIST else [*items[:LONGEST_LIST], "..."]
    return value


def to_yaml(message: Any) -> str:
    """A message as YAML text."""
    return yaml.safe_dump(to_plain(message), sort_keys=False, allow_unicode=True, default_flow_style=False)


def fill(message: Any, values: Any) -> None:
    """Set the fields of a message from a dictionary.

    Raises:
        CommandError: an unknown field, or a value of the wrong type.
    """
    if not isinstance(values, Mapping):
        raise CommandError(f"{type(message).__name__} needs a YAML dictionary, got {values!r}")
    fields = message.get_fields_and_field_types()
    for name, value in values.items():
        if name not in fields:
            raise CommandError(f"{type(message).__name__} has no field '{name}'; it has: {', '.join(fields)}")
        current = getattr(message, name)
        if hasattr(current, "get_fields_and_field_types"):
            fill(current, value)
        else:
            setattr(message, name, _converted(value, current, name, fields[name]))


def _converted(value: Any, current: Any, name: str, type_name: str) -> Any:
    """A value as a field wants it; `current` is what the field holds now.

    Raises:
        CommandError: the value does not fit, or is a list of messages.
    """
    is_list = isinstance(current, list | array.array) or hasattr(current, "tolist")
    expected = {float: (int, float), int: (int,), bool: (bool,), str: (str,)}.get(type(current), (list,))
    fits = isinstance(value, expected) and (isinstance(value, bool) == (bool in expected))
    if not fits or (is_list and any(isinstance(item, Mapping | list) for item in value)):
        raise CommandError(f"field '{name}' is {type_name}, got {value!r}")
    return float(value) if isinstance(current, float) else value
