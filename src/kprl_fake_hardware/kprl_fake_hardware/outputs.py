"""What the arm and the modes are called among the RTDE outputs, in their units and frames."""

from __future__ import annotations

from kprl_fake_hardware.arm import Arm, Array, to_vector
from kprl_fake_hardware.modes import RobotMode, RuntimeState, SafetyMode, robot_status_bits, safety_status_bits
from kprl_fake_hardware.rtde import Value


def arm_outputs(arm: Arm) -> dict[str, Value]:
    """Joints [rad], [rad/s]; tool pose and twist in `base`. What is aimed at is what is: the arm never lags."""
    pose, tool_jacobian = arm.pose_and_jacobian()
    measured = {
        "q": _six(arm.joints),
        "qd": _six(arm.rates),
        "TCP_pose": _six(to_vector(pose)),
        "TCP_speed": _six(tool_jacobian @ arm.rates),
    }
    return {f"{kind}_{name}": value for kind in ("actual", "target") for name, value in measured.items()}


def mode_outputs(mode: RobotMode, safety: SafetyMode, runtime: RuntimeState) -> dict[str, Value]:
    """The modes by number, and as bits."""
    return {
        "robot_mode": int(mode),
        "safety_mode": int(safety),
        "runtime_state": int(runtime),
        "robot_status_bits": robot_status_bits(mode, runtime),
        "safety_status_bits": safety_status_bits(safety),
    }


def _six(values: Array) -> tuple[float, ...]:
    return tuple(values.tolist())
