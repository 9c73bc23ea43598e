from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess
from launch.substitutions import LaunchConfiguration


def generate_launch_description():
    return LaunchDescription(
        [
            DeclareLaunchArgument("output", default_value="screen"),
            ExecuteProcess(
                cmd=["sh", "-c", "echo to-out; echo to-err >&2; printf 'no newline'"],
                name="talker",
                output=LaunchConfiguration("output"),
            ),
        ]
    )
