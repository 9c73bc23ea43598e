"""Declares an argument only when the launch runs."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction
from launch.substitutions import LaunchConfiguration


def decide(context, word, times=1):
    value = context.perform_substitution(LaunchConfiguration("count", default="2"))
    assert "count" not in context.launch_configurations or context.launch_configurations["count"] == value
    return [
        DeclareLaunchArgument("late", default_value="7"),
        *[
            ExecuteProcess(cmd=["echo", word, LaunchConfiguration("late")], output="screen")
            for _ in range(int(value) * times)
        ],
    ]


def generate_launch_description():
    return LaunchDescription(
        [
            DeclareLaunchArgument("count", default_value="1"),
            OpaqueFunction(function=decide, args=["word"], kwargs={"times": 2}),
        ]
    )
