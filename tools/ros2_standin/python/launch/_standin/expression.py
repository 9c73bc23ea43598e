"""Evaluation of a Python expression without access to anything but its own literals and `math`."""

from __future__ import annotations

import ast
import math
from typing import Any

_FUNCTIONS = {f.__name__: f for f in (abs, bool, float, int, len, max, min, round, str)}
_CONSTANTS = {"true": True, "false": False}
_STRING_METHODS = ("endswith", "lower", "replace", "split", "startswith", "strip", "upper")
_NODES = (
    ast.Expression, ast.Constant, ast.Name, ast.Load, ast.Attribute, ast.Call, ast.keyword, ast.Subscript,
    ast.Slice, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd, ast.BinOp, ast.Add,
    ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE,
    ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot, ast.IfExp, ast.List, ast.Tuple, ast.Set, ast.Dict,
)  # fmt: skip


def _check(node: ast.AST) -> None:
    if not isinstance(node, _NODES):
        raise ValueError(f"the ros2 stand-in does not evaluate {type(node).__name__}")
    if isinstance(node, ast.Attribute):
        is_math = isinstance(node.value, ast.Name) and node.value.id == "math"
        if not (is_math and not node.attr.startswith("_")) and node.attr not in _STRING_METHODS:
            raise ValueError(f"the ros2 stand-in does not evaluate '.{node.attr}'")
    for child in ast.iter_child_nodes(node):
        _check(child)


def evaluate(text: str) -> Any:
    """Value of a Python expression.

    Raises:
        SyntaxError: the text is no expression.
        ValueError: it uses something outside literals, operators, string methods and `math`.
    """
    tree = ast.parse(text.strip(), mode="eval")
    _check(tree)
    names = {**vars(math), **_CONSTANTS, **_FUNCTIONS, "math": math}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and (node.id not in names or node.id.startswith("_")):
            raise ValueError(f"unknown name '{node.id}' (quote text: \"'\", value, \"'\")")
    return eval(compile(tree, "<PythonExpression>", "eval"), {"__builtins__": {}}, names)
