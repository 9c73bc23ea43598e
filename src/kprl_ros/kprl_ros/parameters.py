"""Parameters with description, choices or range; read-only, because a node reads them once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node

from kprl.errors import KprlError, require_choice

T = TypeVar("T", bool, int, float, str)


def declare(node: Node, name: str, default: T, description: str, bounds: tuple[T, T] | None = None) -> T:
    """Declare a read-only parameter and return its value.

    `bounds` are inclusive. Errors: `KprlError` for a value of another type or out of bounds.
    """
    descriptor = ParameterDescriptor(description=description, read_only=True)
    if bounds is not None and isinstance(default, float):
        descriptor.floating_point_range = [
            FloatingPointRange(from_value=float(bounds[0]), to_value=float(bounds[1]))
        ]
    elif bounds is not None:
        descriptor.integer_range = [IntegerRange(from_value=int(bounds[0]), to_value=int(bounds[1]), step=1)]
    descriptor.dynamic_typing = isinstance(default, float)  # 4 is a float too
    expected = f"{type(default).__name__}" + (f" from {bounds[0]} to {bounds[1]}" if bounds else "")
    try:
        value: Any = node.declare_parameter(name, default, descriptor).value
    except (InvalidParameterTypeException, InvalidParameterValueException) as error:
        raise KprlError(f"parameter {name} is {_given(node, name)}: expected {expected}") from error
    if isinstance(default, float) and type(value) is int:
        value = float(value)
    in_range = bounds is None or (type(value) is type(default) and bounds[0] <= value <= bounds[1])
    if type(value) is not type(default) or not in_range:
        raise KprlError(f"parameter {name} is {value}: expected {expected}")
    return value


def _given(node: Node, name: str) -> Any:
    """The value that the command line or a file gave."""
    override = node._parameter_overrides.get(name)
    return None if override is None else override.value


def declare_choice(node: Node, name: str, default: str, description: str, choices: Sequence[str]) -> str:
    """Declare a read-only parameter that takes one of `choices`."""
    value = declare(node, name, default, f"{description}: {', '.join(choices)}")
    return require_choice(name, value, list(choices))


def declare_path(node: Node, name: str, description: str) -> Path:
    """Declare a read-only path that must be given."""
    text = declare(node, name, "", description)
    if not text:
        raise KprlError(
            f"parameter {name} is missing: set it to {description}, as in --ros-args -p {name}:=PATH"
        )
    return Path(text).expanduser()
