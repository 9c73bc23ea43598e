"""Turning what launch files write into substitutions, and substitutions into values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from launch._standin.refusal import refuse_missing_names
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.substitutions.text_substitution import TextSubstitution

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext

__all__ = ["is_a_subclass", "normalize_to_list_of_substitutions", "perform_substitutions"]

_TRUE = ("true", "1")
_FALSE = ("false", "0")


def normalize_to_list_of_substitutions(some: SomeSubstitutionsType) -> list[Substitution]:
    """A list of substitutions from text, one substitution, or an iterable of both."""
    items = [some] if isinstance(some, str | Substitution) else some
    if not isinstance(items, Iterable):
        raise TypeError(f"expected text, a substitution or a list of both, got {some!r}")
    found: list[Substitution] = []
    for item in items:
        if not isinstance(item, str | Substitution):
            raise TypeError(f"expected text or a substitution, got {item!r} of type {type(item).__name__}")
        found.append(TextSubstitution(text=item) if isinstance(item, str) else item)
    return found


def perform_substitutions(context: LaunchContext, substitutions: Iterable[Substitution]) -> str:
    """The text of several substitutions, joined without a separator."""
    return "".join(context.perform_substitution(substitution) for substitution in substitutions)


def is_a_subclass(entity: Any, cls: type) -> bool:
    """True for an instance or a subclass of `cls`."""
    return isinstance(entity, cls) or (isinstance(entity, type) and issubclass(entity, cls))


def _expand(context: LaunchContext, some: SomeSubstitutionsType) -> str:
    """Normalise and perform in one step."""
    return perform_substitutions(context, normalize_to_list_of_substitutions(some))


def _to_bool(text: str) -> bool:
    """`true`, `1`, `false` or `0`, in any case of letters.

    Raises:
        ValueError: any other text.
    """
    folded = text.strip().lower()
    if folded in _TRUE or folded in _FALSE:
        return folded in _TRUE
    raise ValueError(f"'{text}' is not a condition; expected true, false, 1 or 0")


def _describe(substitutions: Iterable[Substitution]) -> str:
    """Description of several joined substitutions."""
    return " + ".join(substitution.describe() for substitution in substitutions)


__getattr__ = refuse_missing_names(__name__, __all__)
