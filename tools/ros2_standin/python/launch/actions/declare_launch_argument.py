"""An argument of a launch file."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from launch.action import Action
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class DeclareLaunchArgument(Action):
    """Declares an argument that `ros2 launch … name:=value` or an include may set."""

    def __init__(
        self,
        name: str,
        *,
        default_value: SomeSubstitutionsType | None = None,
        description: str | None = None,
        choices: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.choices = None if choices is None else list(choices)
        self.default_value = None if default_value is None else normalize_to_list_of_substitutions(default_value)
        self.description = self._full_description(description)
        self._conditionally_included = False
        if self.choices is not None and not self.choices:
            raise ValueError(f"launch argument '{name}': choices is empty; leave it out to allow any value")
        if isinstance(default_value, str):
            problem = self.problem_with(default_value)
            if problem:
                raise ValueError(f"default of {problem}")

    def _full_description(self, description: str | None) -> str:
        """The description with the choices, as `--show-args` prints it."""
        if self.choices is None:
            return "no description given" if description is None else description
        if description is None:
            return f"One of: {self.choices}"
        stop = "" if description.endswith(".") else "."
        return f"{description}{stop} Valid choices are: {self.choices}"

    def problem_with(self, value: str) -> str | None:
        """One line that says why a value is not allowed, or None where it is."""
        if self.choices is None or value in self.choices:
            return None
        close = difflib.get_close_matches(value, self.choices, n=1)
        hint = f" (did you mean '{close[0]}'?)" if close else ""
        return f"launch argument '{self.name}' is '{value}'; valid: {', '.join(self.choices)}{hint}"

    def execute(self, context: LaunchContext) -> None:
        context._declared_arguments.add(self.name)
        values = context.launch_configurations
        if self.name not in values:
            if self.default_value is None:
                raise RuntimeError(self.missing())
            values[self.name] = perform_substitutions(context, self.default_value)
        problem = self.problem_with(values[self.name])
        if problem:
            raise RuntimeError(problem)

    def missing(self) -> str:
        """One line that says that the argument is required."""
        return f"required launch argument '{self.name}' is missing ({self.description}); give {self.name}:=…"
