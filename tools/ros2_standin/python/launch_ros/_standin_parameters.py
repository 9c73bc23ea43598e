"""Parameter dictionaries of launch files as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import yaml
from launch.substitution import Substitution
from launch.utilities import _expand

from launch_ros.parameter_descriptions import ParameterValue, is_substitution

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


def evaluate_parameters(context: LaunchContext, parameters: Mapping[Any, Any]) -> dict[str, Any]:
    """Names and plain values of a parameter dictionary; nested names are joined with dots.

    A value that comes from a substitution is read as YAML; text written in the launch file stays text.

    Raises:
        TypeError: a value is no parameter value.
    """
    found: dict[str, Any] = {}
    for some_name, value in parameters.items():
        name = _expand(context, some_name)
        if isinstance(value, Mapping):
            inner = evaluate_parameters(context, value)
            found.update({f"{name}.{inner_name}": item for inner_name, item in inner.items()})
            continue
        try:
            found[name] = _evaluate(context, value)
        except ValueError as error:
            raise TypeError(f"parameter '{name}': {error}") from error
    return found


def _evaluate(context: LaunchContext, value: Any) -> Any:
    if isinstance(value, ParameterValue):
        return value.evaluate(context)
    if is_substitution(value):
        text = _expand(context, value)
        read = ParameterValue(_Text(text)).evaluate(context) if text else ""
        return _uniform(read) if isinstance(read, list) else read
    if isinstance(value, list | tuple):
        return _uniform([_element(context, item) for item in value])
    if isinstance(value, bool | int | float | str | bytes):
        return value
    raise ValueError(f"expected a number, text, boolean, list or substitution, got {value!r}")


def _element(context: LaunchContext, item: Any) -> Any:
    """A list's element; one that comes from a substitution is read as YAML."""
    if is_substitution(item) or isinstance(item, list | tuple):
        return yaml.safe_load(_expand(context, item))
    return item


def _uniform(items: list[Any]) -> list[Any]:
    """A list whose elements have one type; whole numbers among others become floats."""
    types = {type(item) for item in items}
    if types == {int, float}:
        return [float(item) for item in items]
    if len(types) != 1 or not types <= {bool, int, float, str}:
        raise ValueError(f"a list needs elements of one type, got {items!r}")
    return items


class _Text(Substitution):
    """Text that was already worked out, to be read as YAML."""

    def __init__(self, text: str) -> None:
        self._text = text

    def perform(self, context: LaunchContext) -> str:
        return self._text
