"""A fake controller in this process, and real ur_rtde clients in processes of their own."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

if find_spec("kprl_fake_hardware") is None:
    sys.path.insert(0, str(Path(__file__).parents[2] / "src" / "kprl_fake_hardware"))
sys.path.insert(0, str(Path(__file__).parent))

from ur_rtde_process import UrRtde  # noqa: E402

from kprl_fake_hardware.controller import CB3, UrController  # noqa: E402
from kprl_fake_hardware.gripper_server import RobotiqServer  # noqa: E402

# Properties are tested for truth, not for speed: a busy machine must not fail them.
settings.register_profile("fake_hardware", deadline=None, max_examples=60)
settings.load_profile("fake_hardware")

_addresses = itertools.count(2)


@pytest.fixture
def address() -> str:
    """A loopback address of its own for every test: ur_rtde's ports are fixed."""
    return f"127.{2 + os.getpid() % 250}.{os.getpid() // 250 % 250}.{next(_addresses)}"


@pytest.fixture
def make_controller(address) -> Iterator[Callable[..., UrController]]:
    """Start a controller at `address`; it is stopped after the test."""
    started = []

    def make(version=CB3) -> UrController:
        started.append(UrController(address, version=version))
        started[-1].start()
        return started[-1]

    yield make
    for controller in started:
        controller.stop()


@pytest.fixture
def controller(make_controller) -> UrController:
    """A CB3."""
    return make_controller()


@pytest.fixture
def make_client(address) -> Iterator[Callable[..., UrRtde]]:
    """Start a process with ur_rtde's clients of the robot at `address`; it is killed after the test."""
    started = []

    def make(*interfaces: str, **arguments) -> UrRtde:
        started.append(UrRtde(address))
        for interface in interfaces:
            started[-1].open(interface, **arguments)
        return started[-1]

    yield make
    for client in started:
        client.kill()


@pytest.fixture
def client(controller, make_client) -> UrRtde:
    """Control and receive interfaces that are connected."""
    return make_client("control", "receive")


@pytest.fixture
def gripper() -> Iterator[RobotiqServer]:
    """A gripper at a free port."""
    with RobotiqServer(port=0) as server:
        yield server
