"""What each message becomes on the screen: places, colours, numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from kprl_interfaces.msg import GripperCommand, RobotStatus
from sensor_msgs.msg import JointState
from std_msgs.msg import Header

from kprl.control.kinematics import forward
from kprl.control.limits import WORKSPACE
from kprl.errors import KprlError
from kprl.keypoints.overlay import palette
from kprl_inspection import scene as scene_module
from kprl_inspection.scene import PATH_SECONDS, SECONDS_AHEAD, Scene, stamp_of
from kprl_inspection.viewer_node import VIEWED
from kprl_ros import camera_messages, keypoint_messages, robot_messages, topics
from kprl_ros.diagnostics import LATENCY_MAX, LATENCY_MEAN, RATE
from kprl_ros.stamps import to_stamp

SECOND = 1_000_000_000
JOINTS = np.array([0.1, -1.5, 1.6, -1.7, -1.6, 0.2])


@pytest.fixture
def scene() -> Scene:
    return Scene()


def shown(scene: Scene, topic: str, message: Any) -> dict[str, Any]:
    return dict(scene.entries(topic, message))


def values(batch: Any) -> np.ndarray:
    return np.array(batch.as_arrow_array().to_pylist(), np.float64)


def pose(position: list[float], seconds: float) -> Any:
    return robot_messages.pose(np.array(position), np.array([0.0, 1.0, 0.0, 0.0]), to_stamp(round(seconds * SECOND)))


def test_every_topic_that_the_node_listens_to_has_its_entities(scene: Scene) -> None:
    assert set(scene._entries) == set(VIEWED)


def test_the_image_is_the_image(scene: Scene) -> None:
    grey = np.arange(48 * 64, dtype=np.uint8).reshape(48, 64)
    image = shown(scene, topics.IMAGE, camera_messages.grey_image(grey, Time()))["camera/image"]
    assert bytes(image.buffer.as_arrow_array()[0].values.to_numpy()) == grey.tobytes()
    damaged = camera_messages.grey_image(grey, Time())
    damaged.height = 47
    with pytest.raises(KprlError, match="image is damaged"):
        shown(scene, topics.IMAGE, damaged)


def test_keypoints_have_their_places_their_colours_and_fade_with_their_confidence(scene: Scene) -> None:
    pixels, confidence = np.array([[1.5, 2.5], [30.0, 40.0], [63.0, 0.5]]), np.array([1.0, 0.5, 0.0])
    message = keypoint_messages.keypoint_array(pixels, confidence, Header(), 64, 48)
    entries = scene.entries(topics.KEYPOINTS, message)
    points = dict(entries)["camera/image/keypoints"]
    assert values(points.positions) == pytest.approx(pixels)
    packed = points.colors.as_arrow_array().to_pylist()
    rgba = np.array([[colour >> shift & 255 for shift in (24, 16, 8, 0)] for colour in packed])
    assert np.array_equal(rgba[:, :3], palette(3))
    assert rgba[0, 3] == 255 and rgba[0, 3] > rgba[1, 3] > rgba[2, 3] > 0
    radii = -values(points.radii)  # negative: points of the screen
    assert radii[0] > radii[1] > radii[2] > 0
    assert points.labels.as_arrow_array().to_pylist() == ["0", "1", "2"]
    assert values(dict(entries)["curves/confidence"].scalars) == pytest.approx(confidence)
    # Names of the curves come once, and again with another number of keypoints.
    assert [path for path, _ in entries].count("curves/confidence") == 2
    assert [path for path, _ in scene.entries(topics.KEYPOINTS, message)].count("curves/confidence") == 1
    message.keypoints = message.keypoints[:2]
    assert [path for path, _ in scene.entries(topics.KEYPOINTS, message)].count("curves/confidence") == 2
    message.keypoints = []
    assert shown(scene, topics.KEYPOINTS, message)


def test_the_path_is_that_of_the_last_seconds(scene: Scene) -> None:
    for step in range(30):
        entries = shown(scene, topics.EE_POSE, pose([0.4 + 0.005 * step, 0.0, 0.1], 100.0 + 0.5 * step))
    strip = values(entries["world/path"].strips)[0]
    assert len(strip) == 1 + PATH_SECONDS / 0.5
    for place in (strip[-1], values(entries["world/tool"].positions)[0]):
        assert place == pytest.approx([0.545, 0.0, 0.1])
    again = shown(scene, topics.EE_POSE, pose([0.5, 0.0, 0.1], 3.0))  # another clock: lockstep began anew
    assert len(values(again["world/path"].strips)[0]) == 1


def test_velocities_are_arrows_from_the_tool_and_curves(scene: Scene) -> None:
    twist = robot_messages.twist(np.array([0.1, -0.05, 0.02]), Time())
    # Nobody knows where the tool is.
    assert set(shown(scene, topics.EE_TWIST_CMD, twist)) == {"curves/velocity/commanded"}
    shown(scene, topics.EE_POSE, pose([0.5, 0.1, 0.2], 1.0))
    for topic, name in ((topics.EE_TWIST_CMD, "commanded"), (topics.EE_TWIST_APPLIED, "applied")):
        entries = shown(scene, topic, twist)
        assert values(entries[f"curves/velocity/{name}"].scalars) == pytest.approx([0.1, -0.05, 0.02])
        arrow = entries[f"world/{name}"]
        assert values(arrow.origins)[0] == pytest.approx([0.5, 0.1, 0.2])
        assert values(arrow.vectors)[0] == pytest.approx(SECONDS_AHEAD * np.array([0.1, -0.05, 0.02]))


def test_the_robot_stands_as_its_joints_say(scene: Scene) -> None:
    """The chain of the logged transforms ends where our own kinematics say that the tool is."""
    entries = shown(scene, topics.JOINT_STATES, robot_messages.joint_state(JOINTS, 0.06, Time()))
    assert values(entries["curves/gripper/measured"].scalars) == pytest.approx([0.06])
    moved = {path.rsplit("/", 1)[1]: entity for path, entity in entries.items() if path.startswith("world/joints/")}
    assert values(moved["left_finger_joint"].translation)[0][1] == pytest.approx(0.03)
    total = np.eye(4)
    for joint in scene.robot.joints():
        if "finger" in joint.name or "knuckle" in joint.name or joint.name == "tool0-palm":
            continue
        total = total @ matrix(moved.get(joint.name) or joint.compute_transform(0.0))
    assert total[:3, 3] == pytest.approx(forward(JOINTS, 0.15)[:3, 3], abs=1e-4)
    with pytest.raises(KprlError, match="no position of robotiq_85_left_knuckle_joint"):
        shown(scene, topics.JOINT_STATES, JointState(name=["elbow_joint"], position=[0.0]))


def matrix(transform: Any) -> np.ndarray:
    x, y, z, w = values(transform.quaternion)[0]
    result = np.eye(4)
    result[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    result[:3, 3] = values(transform.translation)[0]
    return result


def test_goal_gripper_and_workspace(scene: Scene) -> None:
    goal = shown(scene, topics.GOAL, robot_messages.goal_point(np.array([0.5, 0.0, 0.15]), Time()))
    assert values(goal["world/goal"].positions)[0] == pytest.approx([0.5, 0.0, 0.15])
    opening = shown(scene, topics.GRIPPER_CMD, GripperCommand(opening=0.04))
    assert values(opening["curves/gripper/commanded"].scalars) == pytest.approx([0.04])
    box = next(entity for path, entity in scene.static() if path == "world/workspace" and hasattr(entity, "half_sizes"))
    assert values(box.half_sizes)[0] * 2 == pytest.approx(np.subtract(WORKSPACE.upper, WORKSPACE.lower))
    assert all(path.startswith("/world/") for path in scene.robot.get_collision_geometry_paths("gripper_palm"))
    assert scene.robot.get_collision_geometry_paths("gripper_palm")[0].startswith(scene_module.COLLISIONS)


def test_what_robot_and_nodes_say_is_a_log(scene: Scene) -> None:
    status = RobotStatus(mode=RobotStatus.MODE_HALTED, reason="dead-man: no valid velocity")
    said = shown(scene, topics.ROBOT_STATUS, status)["log/robot"]
    assert said.text.as_arrow_array().to_pylist() == ["HALTED: dead-man: no valid velocity"]
    said = shown(scene, topics.ROBOT_STATUS, RobotStatus(mode=77))["log/robot"]
    assert said.text.as_arrow_array().to_pylist() == ["mode 77"]

    def diagnostics(message: str, level: bytes, name: str = "/policy_node", **more: str) -> DiagnosticArray:
        pairs = {LATENCY_MEAN: "4.5", LATENCY_MAX: "9.0", RATE: "20.0", "enabled": "yes", **more}
        status = DiagnosticStatus(name=name, level=level, message=message)
        status.values = [KeyValue(key=key, value=value) for key, value in pairs.items()]
        return DiagnosticArray(status=[status])

    quiet = shown(scene, topics.DIAGNOSTICS, diagnostics("ok", DiagnosticStatus.OK))
    assert {path: values(entity.scalars).tolist() for path, entity in quiet.items()} == {
        "curves/latency/policy_node/mean": [4.5],
        "curves/latency/policy_node/max": [9.0],
        "curves/rate/policy_node": [20.0],
    }
    warned = diagnostics("no message on /keypoints", DiagnosticStatus.WARN)
    text = shown(scene, topics.DIAGNOSTICS, warned)["log/policy_node"]
    assert text.text.as_arrow_array().to_pylist() == ["policy_node: no message on /keypoints"]
    assert text.level.as_arrow_array().to_pylist() == ["WARN"]
    assert "log/policy_node" not in shown(scene, topics.DIAGNOSTICS, warned)  # once
    assert "log/policy_node" in shown(scene, topics.DIAGNOSTICS, diagnostics("ok", DiagnosticStatus.OK))
    trainer = shown(scene, topics.DIAGNOSTICS, diagnostics("ok", DiagnosticStatus.OK, "/trainer_node", steps="300"))
    assert values(trainer["curves/training/steps"].scalars) == [300] and "curves/training/rate" in trainer


def test_stamps_are_those_of_headers() -> None:
    assert stamp_of(pose([0.0, 0.0, 0.0], 2.5)) == 2.5 * SECOND
    assert stamp_of(Time(sec=3)) == 0
