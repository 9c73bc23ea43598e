from launch import LaunchDescription
from launch.actions import LogInfo, SetEnvironmentVariable, SetLaunchConfiguration
from launch.conditions import (
    IfCondition,
    LaunchConfigurationEquals,
    LaunchConfigurationNotEquals,
    UnlessCondition,
)
from launch.substitutions import (
    AndSubstitution,
    EnvironmentVariable,
    EqualsSubstitution,
    FindExecutable,
    IfElseSubstitution,
    LaunchConfiguration,
    NotEqualsSubstitution,
    NotSubstitution,
    OrSubstitution,
    PathJoinSubstitution,
    PythonExpression,
    TextSubstitution,
    ThisLaunchFileDir,
)
from launch_ros.substitutions import FindPackageShare


def generate_launch_description():
    task = LaunchConfiguration("task")
    return LaunchDescription(
        [
            SetLaunchConfiguration("task", ["gr", TextSubstitution(text="asp")]),
            SetEnvironmentVariable("STANDIN_SAMPLE", ["is ", task]),
            LogInfo(msg=["text ", task]),
            LogInfo(msg=["default ", LaunchConfiguration("nothing", default="fallback")]),
            LogInfo(msg=["number ", LaunchConfiguration("nothing", default=5)]),
            LogInfo(msg=["path ", PathJoinSubstitution(["/models", task, "bundle"])]),
            LogInfo(msg=["environment ", EnvironmentVariable("STANDIN_SAMPLE")]),
            LogInfo(msg=["unset ", EnvironmentVariable("STANDIN_UNSET", default_value="none")]),
            LogInfo(msg=["share ", PathJoinSubstitution([FindPackageShare("standin_demo"), "launch"])]),
            LogInfo(msg=["folder ", ThisLaunchFileDir()]),
            LogInfo(msg=["executable ", FindExecutable(name="sh")]),
            LogInfo(msg=["python ", PythonExpression(["3 * (1 + ", "2) if '", task, "' == 'grasp' else 0"])]),
            LogInfo(msg=["python ", PythonExpression(["'", task, "'.upper() in ('GRASP', 'PUSH')"])]),
            LogInfo(msg=["python ", PythonExpression("round(math.sqrt(2.0) * pi, 3)")]),
            LogInfo(msg=["equals ", EqualsSubstitution(task, "grasp"), " ", EqualsSubstitution("1", "true")]),
            LogInfo(msg=["equals ", EqualsSubstitution("1.0", "1"), " ", NotEqualsSubstitution(task, "grasp")]),
            LogInfo(msg=["logic ", AndSubstitution("true", "0"), OrSubstitution("false", "1")]),
            LogInfo(msg=["not ", NotSubstitution("True"), NotSubstitution("false")]),
            LogInfo(msg=["if ", IfElseSubstitution(EqualsSubstitution(task, "grasp"), "yes", "no")]),
            LogInfo(msg=["if ", IfElseSubstitution("false", if_value="yes", else_value="no")]),
            LogInfo(msg="shown 1", condition=IfCondition("True")),
            LogInfo(msg="hidden", condition=IfCondition(["", "0"])),
            LogInfo(msg="shown 2", condition=UnlessCondition("false")),
            LogInfo(msg="hidden", condition=UnlessCondition(EqualsSubstitution(task, "grasp"))),
            LogInfo(msg="shown 3", condition=LaunchConfigurationEquals("task", "grasp")),
            LogInfo(msg="hidden", condition=LaunchConfigurationNotEquals("task", "grasp")),
            LogInfo(msg="shown 4", condition=LaunchConfigurationEquals("unset", None)),
        ]
    )
