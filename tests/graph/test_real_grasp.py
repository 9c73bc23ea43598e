"""real_grasp.launch.py: the whole real stack on fake hardware, and what a person in front of a real robot relies on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from graph_processes import FIRST_DOMAIN, Graph, environment, open_graph
from kprl_interfaces.msg import RobotStatus
from sensor_msgs.msg import CameraInfo, Image
from std_srvs.srv import SetBool

sys.path.insert(0, str(Path(__file__).parents[1] / "driver"))  # machines
from machines import Truth, next_address  # noqa: E402

from kprl.preprocess import Intrinsics  # noqa: E402
from kprl.tasks.outcome import FAILURES  # noqa: E402
from kprl_fake_hardware.controller import UrController  # noqa: E402
from kprl_fake_hardware.gripper_server import RobotiqServer  # noqa: E402
from kprl_ros import camera_messages, topics  # noqa: E402
from kprl_ros.topics import LATCHED, NEWEST  # noqa: E402

pytestmark = pytest.mark.graph
OFFSET = 6  # of the domain
DEPLOYED = {"driver_node", "camera_node", "keypoint_node", "policy_node"}
START_TIMEOUT = 60.0  # [s] for all nodes on a machine under load
END_TIMEOUT = 120.0  # [s]
STILL = 3.0  # [s] in which nothing may move
IMAGE_PERIOD = 1.0 / 30.0  # [s]


@contextmanager
def launched(log: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """real_grasp.launch.py with these arguments; ended by Ctrl-C where it has not ended by itself."""
    with log.open("w") as file:
        process = subprocess.Popen(
            ["ros2", "launch", "kprl_bringup", "real_grasp.launch.py", *arguments],
            env=environment(FIRST_DOMAIN + OFFSET),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.wait(30.0)
            print(log.read_text())
    assert "Traceback" not in log.read_text() and "had left running" not in log.read_text()


def test_two_episodes_on_fake_hardware_leave_a_result(bundle: Path, tmp_path: Path) -> None:
    address, out, log = next_address(), tmp_path / "out", tmp_path / "launch.log"
    arguments = (f"bundle:={bundle}", "use_fake_hardware:=true", f"robot_ip:={address}", "episodes:=2")
    listeners: set[str] = set()
    with open_graph(OFFSET, tmp_path) as graph:

        def has_ended() -> bool:
            for info in graph.node.get_subscriptions_info_by_topic(topics.SIM_TRUTH):
                listeners.add(info.node_name)
            return process.poll() is not None

        with launched(log, *arguments, f"output:={out}", "goal:=0.5,0.05,0.15") as process:
            graph.wait(lambda: DEPLOYED <= set(graph.node.get_node_names()), "all nodes", START_TIMEOUT)
            graph.wait(has_ended, "the end of the evaluation", END_TIMEOUT)
    assert process.returncode == 0
    assert listeners - {"_NODE_NAME_UNKNOWN_"} == {"evaluate_node"}
    result = json.loads((out / "result.json").read_text())
    assert result["episodes"] == 2 and sum(result["outcomes"].values()) == 2
    assert 0.0 <= result["success_rate"] <= 1.0 and set(result["failures"]) == set(FAILURES)
    for number, episode in enumerate(result["per_episode"]):
        assert episode["seed"] == 3_000_000 + number and episode["steps"] == 50
        assert episode["gripper_says"] in ("success", "nothing_held", "not_at_goal")
        assert episode["truth"]["step"] >= 45  # control periods since the scene was laid, on a machine that lags
    assert {"is_success", "engaged", "object_position"} <= set(result["per_episode"][0]["truth"])


@contextmanager
def robot() -> Iterator[tuple[str, Truth]]:
    """A controller and a gripper that nothing lays scenes for, as a real robot's, and the truth about the arm."""
    address = next_address()
    with UrController(address) as controller, RobotiqServer(address):
        yield address, Truth(controller)


def look(graph: Graph) -> None:
    """Publish images as a camera node that runs already does."""
    images = graph.node.create_publisher(Image, topics.IMAGE, NEWEST)
    infos = graph.node.create_publisher(CameraInfo, topics.CAMERA_INFO, NEWEST)
    info = camera_messages.camera_info(Intrinsics(385.0, 385.0, 320.0, 240.0, 640, 480))
    rng = np.random.default_rng(0)

    def shoot() -> None:
        grey = rng.integers(0, 256, (48, 64), np.uint8).repeat(10, 0).repeat(10, 1)  # never the same
        stamp = graph.node.get_clock().now().to_msg()
        info.header.stamp = stamp
        infos.publish(info)
        images.publish(camera_messages.grey_image(grey, stamp))

    graph.node.create_timer(IMAGE_PERIOD, shoot)


def test_a_real_arm_stands_until_a_person_permits_the_episode(bundle: Path, tmp_path: Path) -> None:
    out, log = tmp_path / "out", tmp_path / "launch.log"
    with robot() as (address, truth), open_graph(OFFSET, tmp_path) as graph:
        look(graph)
        statuses = graph.listen(RobotStatus, topics.ROBOT_STATUS, LATCHED)
        arguments = (f"bundle:={bundle}", f"robot_ip:={address}", "camera:=external", "episodes:=2")
        with launched(log, *arguments, f"output:={out}") as process:
            for number in (1, 2):
                waits = f"episode {number} of 2 waits for you"
                graph.wait(lambda waits=waits: waits in log.read_text(), waits, START_TIMEOUT)
                graph.wait(lambda: statuses and statuses[-1].mode != RobotStatus.MODE_FAULT, "the driver")
                graph.wait(lambda: not truth.is_moving(), "the end of a reset that was under way")
                before = truth.moved_at
                assert number == 2 or before < 0.0  # it has not moved since it was switched on
                if number == 2:  # what an evaluation that breaks off leaves
                    so_far = json.loads((out / "result.json").read_text())
                    assert (so_far["episodes"], so_far["asked"]) == (1, 2)
                graph.spin(STILL)
                assert truth.moved_at == before
                answer = graph.call(SetBool, topics.POLICY_ENABLE, SetBool.Request(data=True))
                assert answer.message == "the episode begins: the gripper opens and the arm goes home"
                graph.wait(lambda before=before: truth.moved_at > before, "the arm moves")
                if number == 1:
                    graph.spin(0.2)
                    answer = graph.call(SetBool, topics.POLICY_ENABLE, SetBool.Request(data=False))
                    assert answer.message == "the episode is over"
            graph.wait(lambda: process.poll() is not None, "the end of the evaluation", END_TIMEOUT)
    assert process.returncode == 0
    result = json.loads((out / "result.json").read_text())
    assert [episode["truth"] for episode in result["per_episode"]] == [None, None]
    assert result["per_episode"][0]["outcome"] == "disabled" and result["gripper_is_right"] is None
    assert result["per_episode"][1]["outcome"] == result["per_episode"][1]["gripper_says"]
