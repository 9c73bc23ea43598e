from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution


def generate_launch_description():
    robot = LaunchConfiguration("robot")
    return LaunchDescription(
        [
            DeclareLaunchArgument("robot", description="Which robot", choices=["ur5", "ur10"]),
            DeclareLaunchArgument("speed", default_value="0.5", description="Speed [m/s]."),
            DeclareLaunchArgument("mode", default_value="slow", choices=["slow", "fast"]),
            DeclareLaunchArgument("model", default_value=["my_", robot]),
            DeclareLaunchArgument("file", default_value=PathJoinSubstitution(["/models", robot]), description="F"),
            DeclareLaunchArgument("rare", default_value="", condition=IfCondition("false")),
            LogInfo(msg=["robot=", robot, " speed=", LaunchConfiguration("speed")]),
            LogInfo(msg=["model=", LaunchConfiguration("model"), " file=", LaunchConfiguration("file")]),
        ]
    )
