"""Workcell and fake camera as the processes that a launch starts: from the world to images on the real topic."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from camera_graph import next_domain
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PointStamped
from graph_processes import Graph, Process, environment
from hand import joints_over
from kprl_interfaces.msg import SimTruth
from kprl_interfaces.srv import ResetEpisode
from sensor_msgs.msg import CameraInfo, Image
from ur_rtde_process import UrRtde

from kprl.envs.world import World
from kprl.preprocess import preprocess
from kprl_fake_hardware.controller import LOOPBACK
from kprl_fake_hardware.fake_camera_node import CAMERA_PENDANT
from kprl_fake_hardware.scene import Domain
from kprl_fake_hardware.workcell import ROBOT_PENDANT
from kprl_ros import camera_messages, topics
from kprl_ros.stamps import NANOSECONDS, to_nanoseconds
from kprl_ros.topics import LATCHED, NEWEST, STREAM

pytestmark = [pytest.mark.graph, pytest.mark.timeout(120)]
TIMEOUT = 30.0  # [s] of every wait
CONFIG = Path(__file__).parents[2] / "config" / "workcell.yaml"
QUICK = ["stale_timeout:=0.6", "discovery_timeout:=0.3", "reconnect_interval:=0.3"]


@dataclass
class Cell:
    """Both processes, and what is heard of them."""

    graph: Graph
    folder: Path
    address: str
    images: list[Image] = field(default_factory=list)
    infos: list[CameraInfo] = field(default_factory=list)
    truths: list[SimTruth] = field(default_factory=list)
    goals: list[PointStamped] = field(default_factory=list)
    diagnostics: list[DiagnosticArray] = field(default_factory=list)

    def run(self, module: str, *arguments: str) -> None:
        log = self.folder / f"{module}.log"
        command = [sys.executable, "-m", f"kprl_fake_hardware.{module}", *arguments]
        with log.open("w") as file:
            popen = subprocess.Popen(
                command, env=environment(self.graph.domain), stdout=file, stderr=file, text=True
            )
        self.graph.processes[module] = Process(popen, log)

    def order(self, port: int, line: str) -> dict[str, Any]:
        with socket.create_connection((self.address, port), 5.0) as pendant:
            pendant.sendall(f"{line}\n".encode())
            answer = json.loads(pendant.makefile().readline())
        assert answer["ok"], answer
        return answer

    def more(self, count: int = 3) -> list[np.ndarray]:
        """Images that come from now on."""
        before = len(self.images)
        self.graph.wait(lambda: len(self.images) >= before + count, f"{count} images", TIMEOUT)
        return [camera_messages.image_array(image) for image in self.images[before:]]

    def status(self, node: str) -> dict[str, str]:
        for message in reversed(self.diagnostics):
            if message.status[0].name == f"/{node}":
                return {value.key: value.value for value in message.status[0].values}
        return {}

    def new_scene(self, seed: int) -> Any:
        return self.graph.call(ResetEpisode, topics.NEW_SCENE, ResetEpisode.Request(seed=seed))


@pytest.fixture(scope="module")
def cell(make_address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cell]:
    folder = tmp_path_factory.mktemp("cell")
    graph = Graph(next_domain(), folder)
    cell = Cell(graph, folder, make_address())
    try:
        for kind, topic, messages, quality in (
            (Image, topics.IMAGE, cell.images, NEWEST),
            (CameraInfo, topics.CAMERA_INFO, cell.infos, NEWEST),
            (SimTruth, topics.SIM_TRUTH, cell.truths, STREAM),
            (DiagnosticArray, topics.DIAGNOSTICS, cell.diagnostics, STREAM),
        ):
            graph.node.create_subscription(kind, topic, messages.append, quality)
        cell.run("fake_camera_node", "--world", cell.address, "--ros-args", *(f for q in QUICK for f in ("-p", q)))
        here = ["-p", f"bind:={cell.address}", "-p", "scene:=env2"]
        cell.run("workcell_node", "--ros-args", "--params-file", str(CONFIG), *here)
        cell.more(1)
        yield cell
    finally:
        graph.close()


@pytest.fixture(scope="module")
def robot(cell: Cell) -> Iterator[UrRtde]:
    client = UrRtde(cell.address)
    client.open("control")
    yield client
    client.kill()


def grey_change(one: np.ndarray, other: np.ndarray) -> float:
    """Share of the picture that differs by more than noise, which blocks of 8 x 8 pixels average."""
    small = [cv2.resize(image, (80, 60), interpolation=cv2.INTER_AREA).astype(int) for image in (one, other)]
    return float((np.abs(small[0] - small[1]) > 12).mean())


def test_images_are_those_of_a_d435_by_rate_size_age_and_lens(cell: Cell):
    began, before = time.monotonic(), len(cell.images)
    cell.more(30)
    assert (len(cell.images) - before) / (time.monotonic() - began) > 12  # 30 Hz, on a busy machine fewer
    image, info = cell.images[-1], cell.infos[-1]
    assert (image.width, image.height, image.encoding) == (640, 480, "mono8")
    assert image.header.frame_id == topics.CAMERA_FRAME
    age = (time.time_ns() - to_nanoseconds(image.header.stamp)) / NANOSECONDS
    assert 0.02 < age < 0.5
    view = preprocess(camera_messages.image_array(image), camera_messages.intrinsics(info))
    assert view.shape == (64, 64) and view.std() > 5


def test_the_arm_is_seen_to_move(cell: Cell, robot: UrRtde):
    assert robot.control("moveJ", joints_over(0.5, -0.1, 0.15).tolist(), 1.0, 2.0)
    cell.graph.spin(0.3)
    rests, again = cell.more(2)[:2]
    assert robot.control("moveJ", joints_over(0.5, 0.1, 0.15).tolist(), 1.0, 2.0)
    cell.graph.spin(0.3)
    moved = cell.more(1)[0]
    assert grey_change(rests, moved) > 0.02 > 10 * grey_change(rests, again)


def test_a_new_scene_is_the_seeds_and_is_told(cell: Cell, robot: UrRtde):
    assert robot.control("moveJ", joints_over(0.5, 0.0, 0.15).tolist(), 1.0, 2.0)
    cell.graph.spin(0.3)
    cell.graph.node.create_subscription(PointStamped, topics.GOAL, cell.goals.append, LATCHED)
    cell.graph.wait(lambda: cell.goals, "the goal of the scene at the start")
    cell.truths.clear()
    answer = cell.new_scene(11)
    assert answer.success, answer.message
    cell.graph.wait(lambda: cell.truths and cell.truths[-1].seed == 11 and cell.truths[-1].step > 5, "the truth")
    steps = [truth.step for truth in cell.truths if truth.seed == 11]
    assert steps == list(range(steps[-1] + 1))  # every control period, from the first
    played = World("grasp", "env2", "cube", "train")
    begun = played.reset(11)
    played.close()
    place, goal = cell.truths[-1].object_pose.position, cell.goals[-1].point
    assert np.allclose([place.x, place.y, place.z], begun.object_position, atol=2e-3)
    assert np.allclose([goal.x, goal.y, goal.z], begun.goal) and goal == answer.goal
    assert not cell.truths[-1].engaged and not cell.truths[-1].is_success


def test_a_scene_is_refused_while_the_tool_is_low(cell: Cell, robot: UrRtde):
    assert robot.control("moveJ", joints_over(0.5, 0.0, 0.08).tolist(), 1.0, 2.0)
    cell.graph.spin(0.3)
    answer = cell.new_scene(12)
    assert not answer.success and "80 mm over the table" in answer.message
    assert robot.control("moveJ", joints_over(0.5, 0.0, 0.15).tolist(), 1.0, 2.0)


@pytest.mark.parametrize("fault", ["freeze", "cover"])
def test_frozen_and_black_images_go_on_coming(cell: Cell, fault: str):
    before = cell.more(1)[0]
    cell.order(CAMERA_PENDANT, fault)
    cell.graph.spin(0.3)
    images = cell.more(4)
    if fault == "freeze":
        assert all(np.array_equal(image, images[0]) for image in images)
    else:
        assert max(image.mean() for image in images) < 20 < before.mean()
    cell.order(CAMERA_PENDANT, "mend")
    cell.graph.spin(0.3)
    last = cell.more(2)
    assert not np.array_equal(last[-1], last[-2]) and last[-1].mean() == pytest.approx(before.mean(), abs=5)


def test_late_and_lost_frames(cell: Cell):
    cell.order(CAMERA_PENDANT, "delay_frames 0.3")
    cell.graph.spin(0.6)
    cell.more(2)
    assert (time.time_ns() - to_nanoseconds(cell.images[-1].header.stamp)) / NANOSECONDS > 0.3
    cell.order(CAMERA_PENDANT, "mend")
    lost = int(cell.status("camera_node")["frames dropped"])
    cell.order(CAMERA_PENDANT, "drop_frames 0.7")
    cell.graph.wait(lambda: int(cell.status("camera_node")["frames dropped"]) > lost + 20, "the lost frames", TIMEOUT)
    cell.order(CAMERA_PENDANT, "mend")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("go_silent", "no frame for"),
        ("unplug", "no RealSense camera"),
        ("change_size 424x240", "it has 424 x 240 at"),
    ],
)
def test_a_camera_that_is_away_is_a_fault_until_it_is_back(cell: Cell, fault: str, reason: str):
    cell.order(CAMERA_PENDANT, fault)
    cell.graph.wait(lambda: reason in cell.status("camera_node")["last error"], reason, TIMEOUT)
    cell.order(CAMERA_PENDANT, "mend")
    cell.graph.spin(0.3)
    cell.more(3)


def test_the_configuration_states_the_defaults():
    stated = yaml.safe_load(CONFIG.read_text())["/**/workcell"]["ros__parameters"]
    assert stated == asdict(Domain()) | {"seed": 0, "goal": "", "bind": LOOPBACK, "series": "cb3"}


def test_the_pendants_answer(cell: Cell):
    assert cell.order(CAMERA_PENDANT, "state")["state"]["size"] == "640x480"
    assert cell.order(ROBOT_PENDANT, "state")["state"]["robot_mode"] == "RUNNING"
    assert float(cell.status("workcell")["pace"]) > 0.5


def test_without_a_workcell_the_camera_goes_and_comes_back_with_it(cell: Cell):
    status, _ = cell.graph.processes["workcell_node"].stop()
    assert status == 0 and "Traceback" not in cell.graph.processes["workcell_node"].log.read_text()
    cell.graph.wait(lambda: "no RealSense camera" in cell.status("camera_node")["last error"], "the absence", TIMEOUT)
    cell.run("workcell_node", "--ros-args", "-p", f"bind:={cell.address}")
    cell.more(3)
    status, seconds = cell.graph.processes["fake_camera_node"].stop()
    assert status == 0 and seconds < 3.0, cell.graph.processes["fake_camera_node"].log.read_text()


@pytest.mark.parametrize(
    ("parameter", "reason"),
    [("object:=spoon", "unknown object 'spoon'"), ("scene:=moon", "scene"), ("bind:=203.0.113.1", "cannot listen")],
)
def test_what_a_user_can_mend_is_one_line_and_status_2(parameter: str, reason: str, make_address):
    given = [f"bind:={make_address()}", parameter]
    command = [sys.executable, "-m", "kprl_fake_hardware.workcell_node", "--ros-args"]
    command += [part for value in given for part in ("-p", value)]
    ended = subprocess.run(command, env=environment(next_domain()), capture_output=True, text=True, timeout=TIMEOUT)
    assert ended.returncode == 2 and reason in ended.stderr and "Traceback" not in ended.stderr, ended.stderr


FAKE = "import kprl_fake_hardware.fake_camera_node as node; node.WORLD_TIMEOUT = 0.5; node.main()"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--world", "ADDRESS"], "no workcell at"),
        (["--world", "203.0.113.1"], "cannot listen"),
        (["--wrold"], "unrecognized arguments: --wrold"),
    ],
)
def test_a_camera_without_its_world_ends_in_one_line(words: list[str], reason: str, make_address):
    command = [sys.executable, "-c", FAKE, *(make_address() if word == "ADDRESS" else word for word in words)]
    ended = subprocess.run(command, env=environment(next_domain()), capture_output=True, text=True, timeout=TIMEOUT)
    assert ended.returncode == 2 and reason in ended.stderr and len(ended.stderr.splitlines()) == 1, ended.stderr
