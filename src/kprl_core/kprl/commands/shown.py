"""What commands share: results on one line, and numbers that must be large enough."""

from __future__ import annotations

from typing import Any

from kprl.errors import KprlError


def require_at_least(name: str, value: int, least: int) -> None:
    """Raise a `KprlError` where a number from the command line is too small."""
    if value < least:
        raise KprlError(f"{name} is {value}: expected at least {least}")


def as_line(values: dict[str, Any]) -> str:
    """`name value, name value`, numbers to three digits."""
    def text(value: Any) -> str:
        if isinstance(value, float):
            return f"{value:.3g}"
        if isinstance(value, dict):
            return "{" + as_line(value) + "}"
        return "[" + ", ".join(text(part) for part in value) + "]" if isinstance(value, list) else str(value)

    return ", ".join(f"{name} {text(value)}" for name, value in values.items())
