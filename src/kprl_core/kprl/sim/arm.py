"""The UR5 in simulation: end-effector velocity in, joint motion out, as the controller's speedL does."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kprl.control.joint_limits import limit_joint_plan
from kprl.control.kinematics import (
    ELBOW_UP,
    JOINT_NAMES,
    pose_error,
    resolved_rates,
    solve_inverse,
    tool_and_jacobian,
)
from kprl.control.kinematics import TOOL_DOWN as TOOL_DOWN
from kprl.control.limits import CONTROL_PERIOD, TICK, TICKS, WORKSPACE, limit_components
from kprl.errors import KprlError
from kprl.sim.assets.make_urdf import EFFORT, TCP_OFFSET
from kprl.sim.bullet import Bullet

Array = npt.NDArray[np.float64]

RESYNC_DISTANCE = 0.02  # [m] between wanted and real tool position beyond which the wanted one is given up
INVERSE_TOLERANCE = 1e-4  # [m, rad]


class Arm:
    """Follows Cartesian velocities with the tool pointing down; the velocity is held until replaced."""

    def __init__(self, bullet: Bullet, body: int) -> None:
        self._bullet, self._body = bullet, body
        names = bullet.joint_indices(body)
        self._joints = [names[name] for name in JOINT_NAMES]
        self._wanted = np.zeros(3)  # (3,) [m] where the tool should be at the end of the period
        self._command = [0.0, 0.0, 0.0]  # [m/s] followed at the moment
        self._rates = np.zeros(6)  # (6,) [rad/s] of the last tick
        self.velocity = np.zeros(3)  # (3,) [m/s] sent to the joints during the last tick
        self.delay = 0  # [ticks] after which a command is followed
        self.gain = 1.0  # of the tool's velocity over what was sent

    def place(self, position: Array) -> None:
        """Put the tool centre point at `position` (3,) [m], at rest, without physics."""
        joints, error = solve_inverse(position, TOOL_DOWN, ELBOW_UP, TCP_OFFSET)
        if error > INVERSE_TOLERANCE:
            raise KprlError(f"the arm cannot reach {np.round(position, 3)}: choose a position nearer to the workspace")
        self._wanted, self._command = position.copy(), [0.0, 0.0, 0.0]
        self._rates, self.velocity = np.zeros(6), np.zeros(3)
        self.put(joints)
        self.observe()

    def put(self, joints: Array) -> None:
        """Put the joints at positions (6,) [rad], at rest, without physics."""
        self._bullet.set_joints(self._body, self._joints, joints.tolist())
        self._bullet.drive_joints(self._body, self._joints, [0.0] * 6, EFFORT)

    def joint_positions(self) -> Array:
        """Joint positions (6,) [rad]."""
        return self._bullet.joint_positions(self._body, self._joints)

    def observe(self) -> tuple[Array, Array]:
        """Joint positions (6,) [rad] and pose (4, 4) of the tool centre point in `base_link`; the next plan's start."""
        self._measured = self.joint_positions()
        self._pose, self._jacobian = tool_and_jacobian(self._measured, TCP_OFFSET)
        return self._measured, self._pose

    def plan(self, linear: Array) -> Array:
        """Joint rates (TICKS, 6) [rad/s] of a control period in which tool velocity `linear` (3,) [m/s] is commanded.

        The period begins where the arm was when last observed.

        Each tick ramps and limits the velocity as the driver's does. The Jacobian is that of the period's beginning:
        within 12 mm the tool strays by less than 0.3 mm, and the next period takes that back.
        """
        joints, pose, jacobian = self._measured, self._pose, self._jacobian
        if np.abs(pose[:3, 3] - self._wanted).max() > RESYNC_DISTANCE:
            # Something holds the arm: wanting more and more would let it jump when it comes free.
            self._wanted = pose[:3, 3].copy()
        wanted = self._wanted
        sent = np.array(self._ramp(linear.tolist()))
        twists = np.empty((TICKS, 6))
        twists[:] = pose_error(pose, wanted, TOOL_DOWN) / CONTROL_PERIOD
        twists[:, :3] += self.gain * sent
        rates = limit_joint_plan(resolved_rates(jacobian, twists.T).T, self._rates, joints, TICK)
        self.velocity, self._rates = sent[-1], rates[-1]
        return rates

    def _ramp(self, linear: list[float]) -> list[list[float]]:
        """Tool velocity [m/s] of each tick under a new command; moves on the wanted position."""
        velocity, wanted, step = self.velocity.tolist(), self._wanted.tolist(), self.gain * TICK
        sent = []
        for tick in range(TICKS):
            if tick >= self.delay:
                self._command = linear
            velocity = limit_components(self._command, velocity, wanted, WORKSPACE, TICK)
            wanted = [at + part * step for at, part in zip(wanted, velocity, strict=True)]
            sent.append(velocity)
        self._wanted = np.array(wanted)
        return sent

    def drive(self, rates: Array) -> None:
        """Set the motors for one tick of a plan, joint rates (6,) [rad/s]."""
        self._bullet.drive_joints(self._body, self._joints, rates.tolist(), EFFORT)
