"""Fake machines at loopback addresses of their own, and the real driver against them."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))  # machines, rig
sys.path.insert(0, str(Path(__file__).parents[1] / "graph"))  # graph_processes

from machines import Arm, next_address  # noqa: E402
from rig import Rig, open_rig  # noqa: E402

from kprl_fake_hardware.controller import CB3, UrController  # noqa: E402
from kprl_fake_hardware.gripper_server import RobotiqServer  # noqa: E402

# Properties are tested for truth, not for speed: a busy machine must not fail them.
settings.register_profile("driver", deadline=None, max_examples=30)
settings.load_profile("driver")


@pytest.fixture(scope="session", autouse=True)
def own_locks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Lock files of robots that only the tests know go away with the tests' other files; nodes inherit this."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(tmp_path_factory.mktemp("locks")))
        patch.setattr(tempfile, "tempdir", None)
        yield


@pytest.fixture
def address() -> str:
    """A loopback address that no other test uses: ur_rtde's ports are fixed."""
    return next_address()


@pytest.fixture
def controller(address: str) -> Iterator[UrController]:
    """A CB3."""
    with UrController(address, version=CB3) as controller:
        yield controller


@pytest.fixture
def gripper(address: str) -> Iterator[RobotiqServer]:
    """A gripper that is not activated yet."""
    with RobotiqServer(address) as gripper:
        yield gripper


@pytest.fixture
def make_arm(address: str) -> Iterator[Callable[..., Arm]]:
    """Start the arm process of the robot at `address`; it is ended after the test."""
    started: list[Arm] = []

    def make(**options: object) -> Arm:
        started.append(Arm(address, **options))
        return started[-1]

    yield make
    for arm in started:
        arm.link.close()


@pytest.fixture
def arm(controller: UrController, make_arm: Callable[..., Arm]) -> Arm:
    """An arm that is ready, at home."""
    arm = make_arm()
    arm.until_ready()
    arm.go_home()
    return arm


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """The driver node as a process, with a robot: one for all tests of a module."""
    with open_rig(tmp_path_factory.mktemp("driver")) as rig:
        yield rig


@pytest.fixture
def ready(rig: Rig) -> Iterator[Rig]:
    """The node of the module, well and at home, whatever the test before did to it."""
    rig.truth.allow(1e9)
    rig.truth.forbidden.clear()
    rig.mend()
    rig.home()
    yield rig
    rig.velocity = None
