from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    LogInfo,
    RegisterEventHandler,
    Shutdown,
    TimerAction,
)
from launch.event_handlers import OnProcessExit, OnProcessStart, OnShutdown
from launch.substitutions import LaunchConfiguration


def generate_launch_description():
    first = ExecuteProcess(cmd=["sh", "-c", "exit 4"], name="first")
    never = TimerAction(period=60.0, actions=[LogInfo(msg="never")])

    def on_exit(event, context):
        return [LogInfo(msg=f"exit {event.process_name} {event.returncode} {event.pid > 0}")]

    return LaunchDescription(
        [
            DeclareLaunchArgument("period", default_value="0.2"),
            RegisterEventHandler(OnProcessStart(target_action=first, on_start=[LogInfo(msg="started")])),
            RegisterEventHandler(OnProcessExit(target_action=first, on_exit=on_exit)),
            RegisterEventHandler(
                OnProcessExit(
                    target_action=first,
                    on_exit=[ExecuteProcess(cmd=["echo", "second runs"], name="second", output="screen")],
                )
            ),
            RegisterEventHandler(OnShutdown(on_shutdown=[LogInfo(msg="shutting down")])),
            RegisterEventHandler(
                OnShutdown(on_shutdown=lambda event, context: [LogInfo(msg=["because ", event.reason])])
            ),
            first,
            never,
            TimerAction(
                period=LaunchConfiguration("period"),
                actions=[LogInfo(msg="time is up"), Shutdown(reason="the timer")],
            ),
        ]
    )
