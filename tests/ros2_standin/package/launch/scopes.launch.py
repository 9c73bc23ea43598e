import os

from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    GroupAction,
    IncludeLaunchDescription,
    LogInfo,
    SetEnvironmentVariable,
    SetLaunchConfiguration,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import EnvironmentVariable, LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare


def show(label):
    value = LaunchConfiguration("value", default="unset")
    return LogInfo(msg=[label, " ", value, " ", EnvironmentVariable("STANDIN_SCOPE", default_value="unset")])


def generate_launch_description():
    inner = PathJoinSubstitution([FindPackageShare("standin_demo"), "launch", "included.launch.py"])
    return LaunchDescription(
        [
            DeclareLaunchArgument("name", default_value="outer"),
            show("before"),
            GroupAction(
                [
                    SetLaunchConfiguration("value", "group"),
                    SetEnvironmentVariable("STANDIN_SCOPE", "group"),
                    show("inside"),
                ]
            ),
            show("after"),
            GroupAction([SetLaunchConfiguration("value", "open")], scoped=False),
            show("unscoped"),
            GroupAction([show("configured")], launch_configurations={"value": "given"}),
            GroupAction(
                [
                    IncludeLaunchDescription(
                        PythonLaunchDescriptionSource(inner),
                        launch_arguments={
                            "name": [LaunchConfiguration("name"), "/inner"],
                            "needed": "n",
                        }.items(),
                    ),
                ]
            ),
            LogInfo(msg=["name ", LaunchConfiguration("name")]),
            ExecuteProcess(
                cmd=["sh", "-c", "echo $STANDIN_ONE $STANDIN_TWO; pwd"],
                output="screen",
                cwd=os.sep,
                additional_env={"STANDIN_ONE": "one", "STANDIN_TWO": LaunchConfiguration("value")},
            ),
        ]
    )
