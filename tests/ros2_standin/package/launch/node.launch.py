from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, GroupAction
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node, PushRosNamespace, SetParameter
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare


def generate_launch_description():
    file = PathJoinSubstitution([FindPackageShare("standin_demo"), "launch", "parameters.yaml"])
    number = LaunchConfiguration("number")
    return LaunchDescription(
        [
            DeclareLaunchArgument("number", default_value="42"),
            DeclareLaunchArgument("executable", default_value="parameter_node"),
            GroupAction(
                [
                    SetParameter("everywhere", True),
                    PushRosNamespace("outer"),
                    Node(
                        package="standin_demo",
                        executable=LaunchConfiguration("executable"),
                        name="worker",
                        namespace="inner",
                        output="screen",
                        arguments=["--plain", number],
                        ros_arguments=["--log-level", "warn"],
                        parameters=[
                            file,
                            {
                                "both": "dictionary",
                                "whole": number,
                                "text": ParameterValue(number, value_type=str),
                                "floats": [1, 2.5],
                                "names": ["a", "b"],
                                "list": ParameterValue(["[", number, ", 1]"], value_type=list[int]),
                                "nested": {"inner": {"flag": False}},
                                "quoted": "7",
                                "joined": ["n", number],
                            },
                        ],
                        remappings=[("chatter", "/news"), ("ping", ["pong_", number])],
                    ),
                ]
            ),
            Node(
                package="standin_demo",
                executable="args",
                exec_name="plain",
                parameters=[{"a": 1}],
                output="screen",
            ),
            Node(
                package="standin_demo",
                executable="args",
                exec_name="alone",
                namespace="/abs",
                output="screen",
            ),
        ]
    )
