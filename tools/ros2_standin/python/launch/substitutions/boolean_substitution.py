"""Logic on substitutions whose text is true, false, 1 or 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.substitutions.substitution_failure import SubstitutionFailure

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


def _truth(context: LaunchContext, some: SomeSubstitutionsType) -> bool:
    from launch.utilities import _expand, _to_bool

    try:
        return _to_bool(_expand(context, some))
    except ValueError as error:
        raise SubstitutionFailure(str(error)) from error


class _Combined(Substitution):
    """Several truth values combined by `all` or `any`."""

    _combine = staticmethod(all)

    def __init__(self, *args: SomeSubstitutionsType) -> None:
        from launch.utilities import normalize_to_list_of_substitutions

        self.args = [normalize_to_list_of_substitutions(arg) for arg in args]

    def describe(self) -> str:
        from launch.utilities import _describe

        return f"{type(self).__name__}({' '.join(_describe(arg) for arg in self.args)})"

    def perform(self, context: LaunchContext) -> str:
        return str(self._combine([_truth(context, arg) for arg in self.args])).lower()


class AllSubstitution(_Combined):
    """`true` where every argument is."""


class AnySubstitution(_Combined):
    """`true` where at least one argument is."""

    _combine = staticmethod(any)


class AndSubstitution(_Combined):
    """`true` where both arguments are."""

    def __init__(self, left: SomeSubstitutionsType, right: SomeSubstitutionsType) -> None:
        super().__init__(left, right)


class OrSubstitution(_Combined):
    """`true` where either argument is."""

    _combine = staticmethod(any)

    def __init__(self, left: SomeSubstitutionsType, right: SomeSubstitutionsType) -> None:
        super().__init__(left, right)


class NotSubstitution(_Combined):
    """`true` where the argument is false."""

    def __init__(self, value: SomeSubstitutionsType) -> None:
        super().__init__(value)

    def perform(self, context: LaunchContext) -> str:
        return str(not _truth(context, self.args[0])).lower()
