from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackagePrefix


def generate_launch_description():
    program = PathJoinSubstitution([FindPackagePrefix("standin_demo"), "lib", "standin_demo", "steady"])
    return LaunchDescription(
        [
            DeclareLaunchArgument("first", default_value=""),
            DeclareLaunchArgument("second", default_value=""),
            DeclareLaunchArgument("timeout", default_value="0.5"),
            *[
                ExecuteProcess(
                    cmd=[program, LaunchConfiguration(which), "child"],
                    name=which,
                    output="screen",
                    sigterm_timeout=LaunchConfiguration("timeout"),
                    sigkill_timeout=LaunchConfiguration("timeout"),
                )
                for which in ("first", "second")
            ],
        ]
    )
