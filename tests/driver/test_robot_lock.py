"""One driver a robot."""

from __future__ import annotations

import pytest

from kprl.errors import KprlError
from kprl_driver.robot_lock import RobotLock


def test_the_second_is_refused_until_the_first_is_gone(address):
    first = RobotLock(address)
    with pytest.raises(KprlError, match=f"another driver on this machine controls the robot {address}"):
        RobotLock(address)
    first.release()
    RobotLock(address).release()


def test_another_robot_has_another_lock(address):
    first, second = RobotLock(address), RobotLock("10.0.0.1/../x")
    first.release()
    second.release()
