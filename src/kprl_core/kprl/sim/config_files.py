"""YAML files of config/world as frozen dataclasses: every key named, every number checked, faults in words."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import yaml

from kprl.errors import KprlError

FOLDER = Path(__file__).parent / "config"  # a link to config/world of the repository
Range = tuple[float, float]  # lowest and highest
T = TypeVar("T")


def read_yaml(path: Path) -> Any:
    """The content of a YAML file; KprlError names a file that is missing or no YAML."""
    try:
        return yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise KprlError(f"{path} cannot be read as YAML: {' '.join(str(error).split())}") from None


def build(kind: type[T], content: Any, where: str) -> T:
    """An instance of the dataclass `kind` from a mapping that names exactly its fields.

    Fields are nested dataclasses, numbers, or pairs of numbers in ascending order. Fields whose name ends in `share`
    lie within 0 and 1. KprlError names the key that is wrong, and what was expected.
    """
    types = get_type_hints(kind)
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    if not isinstance(content, dict) or set(content) != set(names):
        found = ", ".join(map(str, content)) if isinstance(content, dict) else repr(content)
        raise KprlError(f"{where} has {found}: expected exactly {', '.join(names)}")
    values = {}
    for name in names:
        place = f"{where}: {name}"
        if is_dataclass(types[name]):
            values[name] = build(types[name], content[name], place)
        elif types[name] is float:
            values[name] = _number(content[name], name, place)
        else:
            values[name] = _pair(content[name], name, place, ascending=types[name] == Range)
    return kind(**values)


def _number(value: Any, name: str, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise KprlError(f"{place} is {value!r}: expected a number")
    if name.endswith("share") and not 0 <= value <= 1:
        raise KprlError(f"{place} is {value}: expected a share from 0 to 1")
    return float(value)


def _pair(value: Any, name: str, place: str, ascending: bool) -> Any:
    if not isinstance(value, list) or len(value) != 2:
        raise KprlError(f"{place} is {value!r}: expected two numbers")
    low, high = (_number(part, name, place) for part in value)
    if ascending and low > high:
        raise KprlError(f"{place} is {value}: expected the lowest number first")
    return low, high
