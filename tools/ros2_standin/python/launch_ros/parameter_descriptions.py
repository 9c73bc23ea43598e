"""Parameters with a given type, and parameter files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, get_args, get_origin

import yaml
from launch._standin.refusal import StrictKeywords, Unsupported, refuse_missing_names
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.utilities import _expand, _to_bool

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext

__all__ = ["ParameterFile", "ParameterValue"]

_SCALARS = (bool, int, float, str)


def is_substitution(value: Any) -> bool:
    """A substitution, or a list of text and at least one substitution."""
    if isinstance(value, Substitution):
        return True
    return (
        isinstance(value, list | tuple)
        and all(isinstance(item, str | Substitution) for item in value)
        and any(isinstance(item, Substitution) for item in value)
    )


def _convert(text: str, value_type: Any) -> Any:
    """Text as a value of a type, or as YAML reads it where the type is None.

    Raises:
        ValueError: the text is no value of that type.
    """
    if value_type is str:
        return text
    if value_type in (int, float):
        return value_type(text)
    if value_type is bool:
        return _to_bool(text)
    try:
        value = yaml.safe_load(text) if text else text
    except yaml.YAMLError as error:
        raise ValueError(f"'{text}' is no YAML value") from error
    if get_origin(value_type) is list:
        inner = get_args(value_type)[0]
        if not isinstance(value, list) or not all(isinstance(item, inner) for item in value):
            raise ValueError(f"'{text}' is no list of {inner.__name__}")
    elif value_type is not None:
        raise Unsupported(f"value_type={value_type}", "launch_ros.parameter_descriptions", map(str, _SCALARS))
    elif not isinstance(value, (*_SCALARS, list)):
        raise ValueError(f"'{text}' is no parameter value; for text use ParameterValue(…, value_type=str)")
    return value


class ParameterValue(metaclass=StrictKeywords):
    """A parameter's value, converted to `value_type` where it comes from a substitution.

    `value_type` is bool, int, float, str, a list of one of them (`List[int]`), or None for YAML's rules.
    """

    def __init__(self, value: Any, *, value_type: Any = None) -> None:
        self.value = value
        self.value_type = value_type
        if not is_substitution(value) and value_type in _SCALARS and not isinstance(value, value_type):
            raise TypeError(f"ParameterValue {value!r} is no {value_type.__name__}")

    def evaluate(self, context: LaunchContext) -> Any:
        """The value in this context."""
        if is_substitution(self.value):
            return _convert(_expand(context, self.value), self.value_type)
        if isinstance(self.value, list | tuple):
            return [_expand(context, item) if is_substitution(item) else item for item in self.value]
        return self.value


class ParameterFile(metaclass=StrictKeywords):
    """A YAML file of parameters."""

    def __init__(self, param_file: SomeSubstitutionsType | os.PathLike[str]) -> None:
        self.param_file = os.fspath(param_file) if isinstance(param_file, os.PathLike) else param_file

    def evaluate(self, context: LaunchContext) -> str:
        """Its path in this context."""
        return _expand(context, self.param_file)


__getattr__ = refuse_missing_names(__name__, __all__)
