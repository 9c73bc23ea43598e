from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, EmitEvent, ExecuteProcess, Shutdown
from launch.conditions import IfCondition
from launch.events import Shutdown as ShutdownEvent
from launch.substitutions import EqualsSubstitution, LaunchConfiguration


def fail(event, context):
    if event.returncode != 0:
        raise RuntimeError(f"{event.process_name} failed with {event.returncode}")
    return [Shutdown()]


def generate_launch_description():
    reactions = {
        "none": None,
        "shutdown": Shutdown(reason="required"),
        "emit": [EmitEvent(event=ShutdownEvent(reason="required"))],
        "raise": fail,
    }
    return LaunchDescription(
        [
            DeclareLaunchArgument("code"),
            DeclareLaunchArgument("reaction", choices=list(reactions)),
            DeclareLaunchArgument("other", default_value="30"),
            ExecuteProcess(cmd=["sleep", LaunchConfiguration("other")], output="screen"),
            *[
                ExecuteProcess(
                    cmd=["sh", "-c", ["sleep 0.1; exit ", LaunchConfiguration("code")]],
                    name="required",
                    on_exit=reaction,
                    condition=IfCondition(EqualsSubstitution(LaunchConfiguration("reaction"), name)),
                )
                for name, reaction in reactions.items()
            ],
        ]
    )
