"""Workcells at loopback addresses of their own: all ports are fixed."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

for folder in ("fake_hardware", "graph", "camera"):  # ur_rtde_process, waiting; graph_processes; camera_graph
    sys.path.insert(0, str(Path(__file__).parents[1] / folder))
sys.path.insert(0, str(Path(__file__).parent))  # hand

from ur_rtde_process import UrRtde  # noqa: E402

from kprl_fake_hardware.workcell import Workcell  # noqa: E402

_addresses = itertools.count(2)


def next_address() -> str:
    """A loopback address that nothing else uses."""
    return f"127.{2 + os.getpid() % 250}.{100 + os.getpid() // 250 % 150}.{next(_addresses)}"


@pytest.fixture(scope="session")
def make_address():
    """A function that gives a new one each time."""
    return next_address


@pytest.fixture(scope="module")
def workcell() -> Iterator[Workcell]:
    """A running one, its arm over the table."""
    with Workcell(host=next_address(), seed=1) as workcell:
        yield workcell


@pytest.fixture(scope="module")
def client(workcell: Workcell) -> Iterator[UrRtde]:
    """The real ur_rtde clients, in a process of their own."""
    client = UrRtde(workcell.controller.servers["rtde"].address[0])
    client.open("control")
    client.open("receive")
    yield client
    client.kill()
