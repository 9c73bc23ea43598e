"""What a person does in the workcell beside the robot: lay things out, pull at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kprl.errors import KprlError

if TYPE_CHECKING:
    from kprl_fake_hardware.workcell import Workcell

SAFE_HEIGHT = 0.11  # [m] of the tool over the table: the fingers are then 2 cm over the highest thing
SETTLED = 1e-3  # [rad/s]


class WorldOrders:
    """By name at the world's port, one argument each."""

    def __init__(self, workcell: Workcell) -> None:
        self._workcell = workcell

    def new_scene(self, seed: int) -> None:
        """Lay object, goal and clutter anew. Errors: `KprlError` where the robot is in the way or holds something."""
        self._workcell.new_scene(seed)

    def slip(self) -> None:
        """What the fingers hold slips out of them."""
        with self._workcell.lock:
            self._workcell.fingers.take_object()


def refuse_scene(height: float, speed: float, holds: bool) -> str:
    """Why nobody may reach into the cell; empty where it is safe.

    `height` [m] of the tool, `speed` [rad/s] of the fastest joint, whether the gripper `holds` something.
    """
    if speed > SETTLED:
        return f"the arm moves, its fastest joint at {speed:.3f} rad/s"
    if holds:
        return "the gripper holds something"
    if height < SAFE_HEIGHT:
        return f"the tool is {1000 * height:.0f} mm over the table, at least {1000 * SAFE_HEIGHT:.0f} mm are needed"
    return ""


def require_safe(height: float, speed: float, holds: bool) -> None:
    """Errors: `KprlError` where `refuse_scene` has a reason."""
    reason = refuse_scene(height, speed, holds)
    if reason:
        raise KprlError(f"no new scene: {reason}; open the gripper and send the arm home first (/reset_episode)")


