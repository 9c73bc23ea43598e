"""Which world there is, and where everything in it is: what the world's process tells the camera's, as plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

from kprl.envs.scenery import Scenery

START = "ordinary"  # the task's start states that evaluations use; of them, the scene is what a person lays out
OBJECT = -1  # index of the object among the movable bodies; distractors count from 0


@dataclass(frozen=True)
class Domain:
    """The names that a scenery is made from: of task, scene, object and randomization."""

    task: str = "grasp"
    scene: str = "env1"
    object: str = "cube"
    randomization: str = "workcell"

    def scenery(self, height: int, width: int) -> Scenery:
        """Its bodies, and a view of `height` by `width` pixels. Errors: `KprlError` names a wrong one's choices."""
        return Scenery(self.task, self.scene, self.object, self.randomization, height, width)


@dataclass(frozen=True)
class Poses:
    """Where everything is at one moment; metres, radians, base_link."""

    scene: int  # how many scenes were laid before: another number is another scene
    seed: int  # of the scene
    time: int  # [ns] since the epoch
    joints: tuple[float, ...]  # (6,)
    opening: float
    bodies: tuple[tuple[int, tuple[float, ...]], ...]  # index and pose, x y z and quaternion x y z w

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        bodies = tuple((index, tuple(pose)) for index, pose in content["bodies"])
        return cls(**(content | {"joints": tuple(content["joints"]), "bodies": bodies}))


@dataclass(frozen=True)
class Truth:
    """What only a simulator knows, once a control period; base_link."""

    seed: int
    step: int  # control periods since the scene was laid
    time: int  # [ns] since the epoch
    position: tuple[float, ...]  # (3,) [m] of the object
    quaternion: tuple[float, ...]  # (4,) xyzw
    velocity: tuple[float, ...]  # (3,) [m/s]
    engaged: bool  # the task's word for it: held (grasp), touched (push)
    is_success: bool
    goal: tuple[float, ...]  # (3,) [m]
