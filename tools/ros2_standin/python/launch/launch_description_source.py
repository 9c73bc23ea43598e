"""Where a launch description comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launch._standin.refusal import StrictKeywords, Unsupported
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.utilities import _describe, normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext
    from launch.launch_description import LaunchDescription


class LaunchDescriptionSource(metaclass=StrictKeywords):
    """A launch description, loaded from its location when it is first needed."""

    def __init__(
        self,
        launch_description: LaunchDescription | None = None,
        location: SomeSubstitutionsType = "<script>",
    ) -> None:
        self._description = launch_description
        self._location = normalize_to_list_of_substitutions(location)
        self._path: str | None = None

    def get_launch_description(self, context: LaunchContext) -> LaunchDescription:
        """The description, with its location worked out in this context."""
        self._path = self._path or perform_substitutions(context, self._location)
        if self._description is None:
            self._description = self._load(self._path)
        return self._description

    def try_get_launch_description_without_context(self) -> LaunchDescription | None:
        """The description where its location does not depend on the running launch, else None."""
        from launch.launch_context import LaunchContext

        try:
            return self._load(perform_substitutions(LaunchContext(), self._location))
        except (RuntimeError, LookupError, ValueError, OSError, Unsupported):
            return None  # its arguments are then checked when the include runs, if it ever does

    def _load(self, path: str) -> LaunchDescription:
        raise NotImplementedError(f"{type(self).__name__} cannot load '{path}'")

    @property
    def location(self) -> str:
        """The path, or a description of it where it is not yet known."""
        return self._path or _describe(self._location)
