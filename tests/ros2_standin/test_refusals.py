"""What the stand-in does not support is refused by name."""

from __future__ import annotations

import pytest

INSTALL = "install a ROS 2 distribution"


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (
            "from launch.actions import ResetEnvironment",
            ["ResetEnvironment of launch.actions", "ExecuteProcess"],
        ),
        ("from launch.substitutions import Command", ["Command of launch.substitutions", "FindExecutable"]),
        ("from launch_ros.actions import LifecycleNode", ["LifecycleNode of launch_ros.actions", "Node"]),
        ("import launch.frontend", ["the module 'frontend' of launch", "actions"]),
        ("import launch; launch.LaunchIntrospector", ["LaunchIntrospector of launch;", "LaunchDescription"]),
        (
            "from launch.actions import ExecuteProcess; ExecuteProcess(cmd=['x'], emulate_tty=True)",
            ["the argument 'emulate_tty' of launch.actions.ExecuteProcess", "sigterm_timeout"],
        ),
        (
            "from launch_ros.actions import Node; Node(executable='x', prefix='gdb')",
            ["the argument 'prefix' of launch_ros.actions.Node", "remappings", "on_exit"],
        ),
        (
            "from launch.actions import ExecuteProcess; ExecuteProcess(cmd=['x'], shell=True)",
            ["shell=True of launch.actions.ExecuteProcess"],
        ),
        (
            "from launch.substitutions import PythonExpression; PythonExpression('1', ['os'])",
            ["the module 'os' of launch.substitutions.PythonExpression", "math"],
        ),
    ],
)
def test_names_and_arguments_of_the_launch_api(ros2, line, names):
    file = ros2.folder / "refused.launch.py"
    file.write_text(f"{line}\n\n\ndef generate_launch_description():\n    return None\n")
    result = ros2("launch", str(file))
    assert result.returncode == 1 and len(result.stderr.splitlines()) == 1, result.stderr
    assert "refused.launch.py:1: Unsupported: the ros2 stand-in does not support" in result.stderr
    for name in [*names, INSTALL]:
        assert name in result.stderr


@pytest.mark.parametrize("output", ["own_log", "full", "nonsense"])
def test_output_modes(ros2, output):
    result = ros2.launch("output.launch.py", f"output:={output}")
    assert result.returncode == 1
    assert f"does not support output='{output}' of launch.actions.ExecuteProcess; supported: both" in result.stdout


@pytest.mark.parametrize("words", [["bag", "record"], ["pkg", "prefix", "x"], ["topic", "pub"], ["lunch"]])
def test_commands(ros2, words):
    result = ros2(*words)
    assert result.returncode == 2 and len(result.stderr.splitlines()) == 1
    assert f"ros2 {' '.join(words[:2])}: not in the ros2 stand-in" in result.stderr
    assert "launch, run, node list" in result.stderr and INSTALL in result.stderr
