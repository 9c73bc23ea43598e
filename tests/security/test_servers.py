"""Who listens where: on this machine only, unless somebody names another address.

Beside it: Ray's ports (tests/data/test_ray_engine.py), addresses beyond this machine that real_grasp.launch.py refuses
(tests/graph/test_bad_input.py).
"""

from __future__ import annotations

import argparse
import ast
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from kprl_fake_hardware import robotiq_gripper, ur_controller, wait_for_workcell
from kprl_fake_hardware.command import Parser
from kprl_fake_hardware.controller import LOOPBACK, Ports, UrController
from kprl_fake_hardware.gripper_server import RobotiqServer
from kprl_fake_hardware.workcell import Workcell
from kprl_ros.launch_extras import EXTRA_ARGUMENTS

ROOT = Path(__file__).resolve().parents[2]
FAKES = "src/kprl_fake_hardware/kprl_fake_hardware"
OPENING = ("bind", "create_server", "serve_grpc", "serve_web_viewer", "spawn", "init_process_group", "serve_forever")
# Every place that opens a port. Whoever adds one says here, and in docs/security.md, where it listens.
PLACES = {
    f"{FAKES}/tcp_server.py": {"bind"},  # all of the fake hardware: the address that it is given, see below
    "src/kprl_inspection/kprl_inspection/screen.py": {"bind"},  # viewer:=…: Rerun's program, at the parameter bind
    "src/kprl_core/kprl/keypoints/group.py": {"init_process_group"},  # under torchrun, which says where
}


def opened(path: Path) -> set[str]:
    """Calls of a module that open a port."""
    calls = (part.func for part in ast.walk(ast.parse(path.read_text())) if isinstance(part, ast.Call))
    return {call.attr for call in calls if isinstance(call, ast.Attribute) and call.attr in OPENING}


def test_every_place_that_opens_a_port_is_known() -> None:
    files = [path for folder in ("src", "tools", "launch") for path in (ROOT / folder).rglob("*.py")]
    assert {path.relative_to(ROOT).as_posix(): found for path in files if (found := opened(path))} == PLACES


@pytest.mark.parametrize("make", [lambda: UrController(ports=Ports(0, 0, 0)), lambda: RobotiqServer(port=0)])
def test_the_fake_machines_listen_on_loopback(make: Callable[[], Any]) -> None:
    machine = make()
    servers = machine.servers
    try:
        addresses = {server.address[0] for server in (servers.values() if isinstance(servers, dict) else servers)}
    finally:
        machine.stop()
    assert addresses == {LOOPBACK}


@pytest.mark.parametrize(
    ("module", "flag"), [(ur_controller, "bind"), (robotiq_gripper, "bind"), (wait_for_workcell, "world")]
)
def test_the_commands_take_loopback(monkeypatch: pytest.MonkeyPatch, module: Any, flag: str) -> None:
    class ParsedError(Exception):
        """Instead of going on with what was parsed."""

    def parse(parser: Parser, arguments: Sequence[str] | None = None) -> argparse.Namespace:
        raise ParsedError(argparse.ArgumentParser.parse_args(parser, []))

    monkeypatch.setattr(module.Parser, "parse_args", parse)
    with pytest.raises(ParsedError) as caught:
        module.main()
    assert getattr(caught.value.args[0], flag) == LOOPBACK


def test_the_workcell_and_its_camera_take_loopback() -> None:
    assert inspect.signature(Workcell).parameters["host"].default == LOOPBACK
    assert 'declare(self, "bind", LOOPBACK,' in (ROOT / FAKES / "workcell_node.py").read_text()
    stated = yaml.safe_load((ROOT / "config" / "workcell.yaml").read_text())["/**/workcell"]["ros__parameters"]
    assert stated["bind"] == LOOPBACK
    camera = (ROOT / FAKES / "fake_camera_node.py").read_text()
    assert '"--world", default=LOOPBACK,' in camera and "TcpServer(chosen.world, CAMERA_PENDANT" in camera


def test_the_viewer_listens_only_where_it_is_asked_for() -> None:
    assert EXTRA_ARGUMENTS["viewer"][0] == "false"
