"""Messages as Rerun entities: what is on the screen, and where. Pure: no node, nothing is sent.

`camera/…` is the image with its keypoints, `world/…` the robot and its surroundings in base_link [m], `curves/…` what
is drawn over time, `log/…` what robot and nodes say. The simulator's truth is not shown: a policy does not see it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import rerun as rr
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PointStamped, PoseStamped, TwistStamped
from kprl_interfaces.msg import GripperCommand, KeypointArray, RobotStatus
from rerun.urdf import UrdfTree
from sensor_msgs.msg import Image, JointState

from kprl.control.limits import WORKSPACE
from kprl.keypoints.overlay import FAINTEST, palette
from kprl_ros import topics
from kprl_ros.camera_messages import image_array
from kprl_ros.diagnostics import LATENCY_MAX, LATENCY_MEAN, RATE
from kprl_ros.keypoint_messages import keypoint_pixels
from kprl_ros.robot_description import FINGERS, URDF
from kprl_ros.robot_messages import gripper_opening, vector
from kprl_ros.stamps import NANOSECONDS, to_nanoseconds

Entry = tuple[str, Any]  # path of an entity, and what is logged there
Array = npt.NDArray[np.float64]

PATH_SECONDS = 10.0  # [s] of the tool's path that stay in sight
PATH_LENGTH = 500  # points of it at most
SECONDS_AHEAD = 0.4  # [s] of travel that a velocity's arrow shows, as in rviz
DOT = (3.0, 7.0)  # [points of the screen] radius of a keypoint without confidence, and with all of it
COMMANDED, APPLIED, GOAL, BOX = (255, 128, 26), (51, 153, 255), (51, 230, 77), (77, 153, 255)  # RGB
AXES = [(235, 64, 52), (64, 190, 80), (64, 128, 255)]  # RGB of x, y, z, as rviz has them
PALE = [tuple((colour + 255) // 2 for colour in axis) for axis in AXES]
IMAGE, KEYPOINTS = "camera/image", "camera/image/keypoints"
CONFIDENCE, GRIPPER, TRAINING = "curves/confidence", "curves/gripper", "curves/training"
COLLISIONS = f"/world/{URDF.stem}/collision_geometries"  # where Rerun's URDF loader puts them
IN_BASE = ("", "/workspace", "/goal", "/path", "/tool", "/commanded", "/applied")
MODES = {getattr(RobotStatus, name): name[5:] for name in dir(RobotStatus) if name.startswith("MODE_")}
TRAINER = "trainer_node"
PROGRESS = ("steps", "episodes", RATE)  # of the trainer's diagnostics


class Scene:
    """Turns each message into entries; remembers the tool, its path and what was said last."""

    def __init__(self) -> None:
        self.robot = UrdfTree.from_file_path(
            URDF, entity_path_prefix="world", static_transform_entity_path="world/frames"
        )
        self._tcp: Array | None = None
        self._path: deque[tuple[float, Array]] = deque(maxlen=PATH_LENGTH)  # ([s], [m])
        self._num_keypoints = -1
        self._said: dict[str, str] = {}
        self._entries: dict[str, Callable[[Any], Iterable[Entry]]] = {
            topics.IMAGE: self._image,
            topics.KEYPOINTS: self._keypoints,
            topics.EE_POSE: self._pose,
            topics.JOINT_STATES: self._joints,
            topics.GOAL: self._goal,
            topics.EE_TWIST_CMD: lambda message: self._velocity(message, "commanded", COMMANDED),
            topics.EE_TWIST_APPLIED: lambda message: self._velocity(message, "applied", APPLIED),
            topics.GRIPPER_CMD: self._gripper_command,
            topics.ROBOT_STATUS: self._status,
            topics.DIAGNOSTICS: self._diagnostics,
        }

    def entries(self, topic: str, message: Any) -> list[Entry]:
        """What a message changes. Errors: `KprlError` for an image or joint states that cannot be read."""
        return list(self._entries[topic](message))

    def static(self) -> list[Entry]:
        """What is there from the start, beside the robot itself."""
        half = 0.5 * np.subtract(WORKSPACE.upper, WORKSPACE.lower)
        lines = rr.components.FillMode.MajorWireframe
        box = rr.Boxes3D(centers=[WORKSPACE.centre], half_sizes=[half], colors=[BOX], radii=[0.001], fill_mode=lines)
        entries: list[Entry] = [(f"world{part}", rr.CoordinateFrame(topics.BASE_FRAME)) for part in IN_BASE]
        entries += [("world", rr.ViewCoordinates.RIGHT_HAND_Z_UP), ("world/workspace", box)]
        for name, width, colours in (("commanded", 1.0, PALE), ("applied", 2.0, AXES)):
            axes = [f"{axis} {name}" for axis in "xyz"]
            entries.append((f"curves/velocity/{name}", rr.SeriesLines(names=axes, colors=colours, widths=[width] * 3)))
        entries.append((f"{GRIPPER}/measured", rr.SeriesLines(names=["measured"], colors=[APPLIED])))
        entries.append((f"{GRIPPER}/commanded", rr.SeriesLines(names=["commanded"], colors=[COMMANDED])))
        return entries

    def _image(self, message: Image) -> Iterable[Entry]:
        pixels = image_array(message)
        yield IMAGE, rr.Image(pixels, "L" if pixels.ndim == 2 else "RGB")

    def _keypoints(self, message: KeypointArray) -> Iterable[Entry]:
        pixels = keypoint_pixels(message)  # (K, 3)
        confidence = np.clip(pixels[:, 2], 0.0, 1.0)
        colours = palette(len(pixels)).reshape(-1, 3)
        if len(pixels) != self._num_keypoints:
            self._num_keypoints = len(pixels)
            yield CONFIDENCE, rr.SeriesLines(names=[f"keypoint {i}" for i in range(len(pixels))], colors=colours)
        alpha = np.round(255 * (FAINTEST + (1.0 - FAINTEST) * confidence)).astype(np.uint8)
        yield (
            KEYPOINTS,
            rr.Points2D(
                pixels[:, :2],
                colors=np.column_stack([colours, alpha]),
                radii=rr.Radius.ui_points(DOT[0] + (DOT[1] - DOT[0]) * confidence),
                labels=[str(i) for i in range(len(pixels))],
                show_labels=True,
            ),
        )
        yield CONFIDENCE, rr.Scalars(pixels[:, 2])

    def _pose(self, message: PoseStamped) -> Iterable[Entry]:
        self._tcp = vector(message.pose.position)
        now = to_nanoseconds(message.header.stamp) / NANOSECONDS
        if self._path and not 0.0 <= now - self._path[-1][0] <= PATH_SECONDS:
            self._path.clear()  # another clock, or another run
        self._path.append((now, self._tcp))
        while now - self._path[0][0] > PATH_SECONDS:
            self._path.popleft()
        yield "world/tool", rr.Points3D([self._tcp], radii=[0.006], colors=[APPLIED])
        yield "world/path", rr.LineStrips3D([np.array([at for _, at in self._path])], radii=[0.0015], colors=[APPLIED])

    def _joints(self, message: JointState) -> Iterable[Entry]:
        opening = gripper_opening(message)
        at = dict(zip(message.name, message.position, strict=False)) | dict.fromkeys(FINGERS, opening / 2)
        for name, value in at.items():
            joint = self.robot.get_joint_by_name(name)
            if joint is not None:
                yield f"world/joints/{name}", joint.compute_transform(value)
        yield f"{GRIPPER}/measured", rr.Scalars([opening])

    def _goal(self, message: PointStamped) -> Iterable[Entry]:
        yield "world/goal", rr.Points3D([vector(message.point)], radii=[0.012], colors=[GOAL], labels=["goal"])

    def _velocity(self, message: TwistStamped, name: str, colour: tuple[int, int, int]) -> Iterable[Entry]:
        velocity = vector(message.twist.linear)
        yield f"curves/velocity/{name}", rr.Scalars(velocity)
        if self._tcp is not None:
            arrow = rr.Arrows3D(origins=[self._tcp], vectors=[SECONDS_AHEAD * velocity], radii=[0.003], colors=[colour])
            yield f"world/{name}", arrow

    def _gripper_command(self, message: GripperCommand) -> Iterable[Entry]:
        yield f"{GRIPPER}/commanded", rr.Scalars([message.opening])

    def _status(self, message: RobotStatus) -> Iterable[Entry]:
        mode = MODES.get(message.mode, f"mode {message.mode}")
        level = rr.TextLogLevel.ERROR if message.mode == RobotStatus.MODE_FAULT else rr.TextLogLevel.INFO
        yield "log/robot", rr.TextLog(f"{mode}: {message.reason}" if message.reason else mode, level=level)

    def _diagnostics(self, message: DiagnosticArray) -> Iterable[Entry]:
        for status in message.status:
            node = status.name.strip("/")
            values = {pair.key: number for pair in status.values if (number := _number(pair.value)) is not None}
            if LATENCY_MEAN in values and LATENCY_MAX in values:
                yield f"curves/latency/{node}/mean", rr.Scalars([values[LATENCY_MEAN]])
                yield f"curves/latency/{node}/max", rr.Scalars([values[LATENCY_MAX]])
            if node.split("/")[-1] == TRAINER:
                for key in PROGRESS:
                    if key in values:
                        yield f"{TRAINING}/{key.split()[0]}", rr.Scalars([values[key]])
            elif RATE in values:
                yield f"curves/rate/{node}", rr.Scalars([values[RATE]])
            if status.message != self._said.get(node, "ok"):
                self._said[node] = status.message
                yield f"log/{node}", rr.TextLog(f"{node}: {status.message}", level=_level(status.level))


def stamp_of(message: Any) -> int:
    """[ns] of a message's header; 0 where it has none, or none was set."""
    header = getattr(message, "header", None)
    return 0 if header is None else to_nanoseconds(header.stamp)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def _level(level: bytes) -> rr.TextLogLevel:
    levels = {DiagnosticStatus.WARN: rr.TextLogLevel.WARN, DiagnosticStatus.ERROR: rr.TextLogLevel.ERROR}
    return levels.get(level, rr.TextLogLevel.INFO)
