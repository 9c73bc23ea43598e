"""The value of a Python expression."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launch._standin.expression import evaluate
from launch._standin.refusal import Unsupported
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.substitutions.substitution_failure import SubstitutionFailure

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class PythonExpression(Substitution):
    """Text of a Python expression's value; only literals, operators, `math` and a few functions."""

    def __init__(self, expression: SomeSubstitutionsType, python_modules: SomeSubstitutionsType = ("math",)) -> None:
        from launch.utilities import normalize_to_list_of_substitutions

        modules = [python_modules] if isinstance(python_modules, str) else list(python_modules)
        for module in modules:
            if module != "math":
                raise Unsupported(f"the module {module!r}", "launch.substitutions.PythonExpression", ["math"])
        self.expression = normalize_to_list_of_substitutions(expression)

    def describe(self) -> str:
        from launch.utilities import _describe

        return f"PythonExpr({_describe(self.expression)}, ['math'])"

    def perform(self, context: LaunchContext) -> str:
        from launch.utilities import perform_substitutions

        text = perform_substitutions(context, self.expression)
        try:
            return str(evaluate(text))
        except (SyntaxError, ValueError, TypeError, ArithmeticError, LookupError) as error:
            raise SubstitutionFailure(f'PythonExpression "{text}": {error}') from error
