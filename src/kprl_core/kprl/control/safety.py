"""The one way from a wanted tool velocity to the one that is sent to the arm, and published."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kprl.control.joint_limits import JOINT_LOWER, JOINT_MARGIN, JOINT_UPPER, MAX_JOINT_SPEED
from kprl.control.kinematics import resolved_rates, tool_and_jacobian
from kprl.control.limits import MAX_LINEAR_SPEED, WORKSPACE, Workspace, limit_velocity

Array = npt.NDArray[np.float64]

SINGULAR_SLOW, SINGULAR_STOP = 17.0, 30.0  # condition number of the Jacobian, as MoveIt Servo's defaults
SINGULAR = 1e6  # beyond it there is no telling which rates would move the tool as wanted
JOINT_SLOW = 0.3  # [rad] from a joint limit at which the tool begins to slow down; at JOINT_MARGIN it stands
STANDING = 1e-9  # [m/s] below which a velocity counts as none
PROBE = 1e-3  # [rad] of the fastest joint: so far a motion is followed to see if it nears a singularity or leaves it


@dataclass(frozen=True)
class ArmState:
    """Where the arm is, as measured, and what was sent last."""

    joints: Array  # (6,) [rad]
    position: Array  # (3,) [m] of the tool centre point in base_link
    sent: Array  # (3,) [m/s] what `safe_velocity` returned last


@dataclass(frozen=True)
class SafeVelocity:
    """What to send, and why it differs from what was wanted beyond speed, acceleration and walls."""

    linear: Array  # (3,) [m/s] in base_link
    reason: str = ""


def safe_velocity(
    wanted: Array, state: ArmState, period: float, tool_offset: float, workspace: Workspace = WORKSPACE
) -> SafeVelocity:
    """The velocity for the next `period` [s] on the way to `wanted` (3,) [m/s] in base_link.

    In order: where anything is not finite, standstill is wanted; towards a singularity, or a joint towards its limit,
    the wanted velocity is scaled down as a whole, to nothing at SINGULAR_STOP and JOINT_MARGIN, while the way out stays
    open, and no joint is asked for more than its speed; then `limit_velocity`: speed, acceleration, and of the
    velocity towards a wall (the table's height is one) what cannot be braked. `tool_offset` [m] is the tool centre
    point's distance from the flange.
    """
    if not (np.isfinite(wanted).all() and np.isfinite(state.joints).all() and np.isfinite(state.position).all()):
        sent = np.where(np.isfinite(state.sent), state.sent, 0.0)
        position = np.where(np.isfinite(state.position), state.position, workspace.centre)
        stopped = limit_velocity(np.zeros(3), sent, position, workspace, period)
        return SafeVelocity(stopped, "the command or the arm's state is not finite: the arm is stopped")
    wanted = wanted * (MAX_LINEAR_SPEED / max(float(np.linalg.norm(wanted)), MAX_LINEAR_SPEED))
    share, reason = _share(wanted, state.joints, tool_offset)
    return SafeVelocity(limit_velocity(share * wanted, state.sent, state.position, workspace, period), reason)


def _share(wanted: Array, joints: Array, tool_offset: float) -> tuple[float, str]:
    """How much of the wanted velocity the arm's posture allows, 0 to 1, and why not all of it."""
    if np.abs(wanted).max() < STANDING:
        return 0.0, ""
    _, jacobian = tool_and_jacobian(joints, tool_offset)
    rates = resolved_rates(jacobian, np.concatenate([wanted, np.zeros(3)]))
    condition = float(np.linalg.cond(jacobian))
    if not (condition < SINGULAR and np.isfinite(rates).all()):
        return 0.0, "the arm is at a singularity: move it away by hand, or from the pendant"
    step = PROBE * (rates / np.abs(rates).max())  # farther it might come out on the other side of the singularity
    nears = np.linalg.cond(tool_and_jacobian(joints + step, tool_offset)[1]) > condition
    room = np.where(rates > 0, JOINT_UPPER - joints, joints - JOINT_LOWER)
    room[rates == 0] = np.inf
    nearest, fastest = int(np.argmin(room)), int(np.argmax(np.abs(rates) / MAX_JOINT_SPEED))
    shares = {
        f"near a singularity (condition {condition:.0f} of {SINGULAR_STOP:g})": _falling(
            condition if nears else 0.0, SINGULAR_SLOW, SINGULAR_STOP
        ),
        f"joint {nearest + 1} is {max(room[nearest], 0.0):.2f} rad from its limit": _falling(
            -float(room[nearest]), -JOINT_SLOW, -JOINT_MARGIN
        ),
        f"joint {fastest + 1} would turn faster than it may": min(
            1.0, float(MAX_JOINT_SPEED[fastest] / np.abs(rates[fastest]))
        ),
    }
    reason = min(shares, key=lambda name: shares[name])
    return shares[reason], f"slowed to {shares[reason]:.0%}: {reason}" if shares[reason] < 1.0 else ""


def _falling(value: float, one: float, zero: float) -> float:
    """1 up to `one`, 0 from `zero` on, linear in between."""
    return float(np.clip((zero - value) / (zero - one), 0.0, 1.0))
