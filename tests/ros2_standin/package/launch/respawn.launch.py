from launch import LaunchDescription
from launch.actions import Shutdown, TimerAction
from launch_ros.actions import Node


def generate_launch_description():
    return LaunchDescription(
        [
            Node(package="standin_demo", executable="args", exec_name="again", respawn=True, respawn_delay=0.15),
            TimerAction(period=0.8, actions=[Shutdown()]),
        ]
    )
