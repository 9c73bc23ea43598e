from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo
from launch.substitutions import LaunchConfiguration


def generate_launch_description():
    return LaunchDescription(
        [
            DeclareLaunchArgument("name", default_value="inner", description="a name"),
            DeclareLaunchArgument("needed", description="no default"),
            DeclareLaunchArgument("extra", default_value="e", choices=["e", "f"]),
            LogInfo(msg=["included ", LaunchConfiguration("name"), " ", LaunchConfiguration("extra")]),
        ]
    )
