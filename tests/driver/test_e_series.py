"""The driver node as a process with an e-Series controller: 500 Hz, remote control, the same promises."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import numpy as np
import pytest
from kprl_interfaces.msg import RobotStatus
from machines import STANDSTILL, WATCHDOG_STANDSTILL
from rig import Rig, kill, open_rig

from kprl_fake_hardware.controller import E_SERIES
from kprl_ros import topics

pytestmark = [pytest.mark.graph, pytest.mark.timeout(120)]
TRANSPORT = 0.02  # [s] that a message may be on its way on a busy machine
SIDE = np.array([0.0, 0.1, 0.0])  # [m/s]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with open_rig(tmp_path_factory.mktemp("driver"), version=E_SERIES) as rig:
        assert rig.controller.robot.period == pytest.approx(0.002)
        yield rig


def test_it_follows_velocities_and_stands_soon_after_the_last(ready: Rig) -> None:
    ready.drive(SIDE)
    before, began = ready.truth.position()
    ready.spin(0.5)
    after, ended = ready.truth.position()
    assert np.allclose((after - before) / (ended - began), SIDE, atol=0.01)
    ready.velocity = None
    assert ready.truth.standstill(ready.last_command) <= STANDSTILL + TRANSPORT


def test_it_stands_after_the_arm_process_was_killed_and_comes_back(ready: Rig) -> None:
    ready.drive(SIDE)
    since = ready.truth.now()
    kill(ready.arm_pid, signal.SIGKILL)
    assert ready.truth.standstill(since) <= WATCHDOG_STANDSTILL + TRANSPORT
    assert ready.reason(RobotStatus.MODE_FAULT)
    ready.velocity = None
    ready.mend()
    ready.drive(SIDE)


def test_a_protective_stop_waits_for_a_person(ready: Rig) -> None:
    ready.drive(SIDE)
    ready.controller.faults.protective_stop()
    assert "protective stop" in ready.reason(RobotStatus.MODE_FAULT)
    assert not ready.ask(topics.DRIVER_RECOVER).success
    ready.velocity = None
    ready.mend()
    ready.home()


def test_remote_control_is_lost_and_given_back(ready: Rig) -> None:
    ready.drive(SIDE)
    since = ready.truth.now()
    ready.controller.faults.local_control()
    ready.controller.faults.stop_program()
    assert ready.truth.standstill(since) <= WATCHDOG_STANDSTILL + TRANSPORT
    assert ready.reason(RobotStatus.MODE_FAULT)
    ready.velocity = None
    answer = ready.ask(topics.DRIVER_RECOVER)
    assert not answer.success and "local control" in answer.message
    ready.controller.faults.remote_control()
    ready.mend()
    ready.drive(SIDE)
