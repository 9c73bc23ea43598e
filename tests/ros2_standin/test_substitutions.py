"""Substitutions, conditions and scopes: one launch file each, whose messages are compared."""

from __future__ import annotations

import shutil

import pytest


def messages(output: str) -> list[str]:
    """What LogInfo printed."""
    mark = "[INFO] [launch.user]: "
    return [line.removeprefix(mark) for line in output.splitlines() if line.startswith(mark)]


def test_every_substitution_and_condition(ros2):
    result = ros2.launch("substitutions.launch.py", STANDIN_SAMPLE="overwritten")
    assert result.returncode == 0, result.stdout + result.stderr
    folder = ros2.prefix / "share" / "standin_demo" / "launch"
    assert messages(result.stdout) == [
        "text grasp",
        "default fallback",
        "number 5",
        "path /models/grasp/bundle",
        "environment is grasp",
        "unset none",
        f"share {folder}",
        f"folder {folder}",
        f"executable {shutil.which('sh')}",
        "python 9",
        "python True",
        "python 4.443",
        "equals true true",
        "equals true false",
        "logic falsetrue",
        "not falsetrue",
        "if yes",
        "if no",
        "shown 1",
        "shown 2",
        "shown 3",
        "shown 4",
    ]


def test_scopes_includes_and_environments(ros2):
    result = ros2.launch("scopes.launch.py", "extra:=f")
    assert result.returncode == 0, result.stdout + result.stderr
    assert messages(result.stdout) == [
        "before unset unset",
        "inside group group",
        "after unset unset",
        "unscoped open unset",
        "configured given unset",
        "included outer/inner f",
        "name outer",
    ]
    assert "[sh-1] one open\n[sh-1] /\n" in result.stdout


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("LaunchConfiguration('nothing')", "launch configuration 'nothing' does not exist"),
        ("EnvironmentVariable('STANDIN_UNSET')", "environment variable 'STANDIN_UNSET' is not set"),
        ("FindExecutable(name='no-such-program')", "executable 'no-such-program' is not on PATH"),
        ("NotSubstitution('maybe')", "'maybe' is not a condition; expected true, false, 1 or 0"),
        ("PythonExpression('open(1)')", "unknown name 'open'"),
        ("PythonExpression('().__class__')", "does not evaluate '.__class__'"),
        ("PythonExpression('[x for x in (1,)]')", "does not evaluate ListComp"),
        ("PythonExpression('1 +')", "invalid syntax"),
    ],
)
def test_a_substitution_without_a_value_ends_the_launch_with_one_line(ros2, expression, problem):
    file = ros2.folder / "failing.launch.py"
    file.write_text(
        "from launch import LaunchDescription\n"
        "from launch.actions import *\nfrom launch.substitutions import *\n"
        f"def generate_launch_description():\n    return LaunchDescription([LogInfo(msg=[{expression}])])\n"
    )
    result = ros2("launch", str(file))
    errors = [line for line in result.stdout.splitlines() if line.startswith("[ERROR]")]
    assert result.returncode == 1 and len(errors) == 1 and problem in errors[0], result.stdout
