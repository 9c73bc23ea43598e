"""A bundle: one folder that carries everything a robot needs to run a policy.

    bundle.json        format, task, layouts, camera and workspace assumptions, provenance, checksums
    keypoints/         the keypoint model's folder
    policy.safetensors, policy.onnx
    checkpoint/        critics and optimisers, for a training that starts from it
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from kprl.control.limits import CONTROL_HZ, WORKSPACE
from kprl.errors import KprlError
from kprl.files import atomic_folder, read_json, sha256_of, verify_checksums, write_json
from kprl.keypoints.encoder import Encoder, load_encoder
from kprl.observation import END_EFFECTOR_SIZE
from kprl.preprocess import FIELD_OF_VIEW, IMAGE_SIZE

FORMAT = 1
POLICY_FILES = ("policy.safetensors", "policy.onnx")
GOAL_SIZE = 3


class OnnxPolicy:
    """The deterministic policy: observation (n,) and goal (3,) to an action (4,) in [-1, 1]."""

    def __init__(self, path: Path, observation_size: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._size = observation_size
        width = self._session.get_inputs()[0].shape[-1]
        if width != observation_size + GOAL_SIZE:
            raise KprlError(f"{path} takes {width} numbers: expected {observation_size} + {GOAL_SIZE} for this bundle")

    def act(self, observation: npt.NDArray[np.floating], goal: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """The action; KprlError where an input has another size or the network's answer is not finite."""
        if observation.shape != (self._size,) or goal.shape != (GOAL_SIZE,):
            raise KprlError(
                f"observation {observation.shape} and goal {goal.shape} do not fit: expected ({self._size},) and (3,)"
            )
        joined = np.concatenate([observation, goal]).astype(np.float32)[None]
        action = np.asarray(self._session.run(None, {self._input: joined})[0][0], dtype=np.float32)
        if not np.isfinite(action).all():
            raise KprlError("the policy's answer is not finite: the observation or the bundle is damaged")
        return action


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle; `info` is bundle.json."""

    info: dict[str, Any]
    encoder: Encoder
    policy: OnnxPolicy


def save_bundle(
    folder: Path, keypoints: Path, policy_onnx: Path, checkpoint: Path, task: str, scene: str, object: str,
    num_keypoints: int, provenance: dict[str, Any],
) -> None:  # fmt: skip
    """Assemble a bundle in `folder` from a keypoint model's folder and an exported policy, atomically."""
    with atomic_folder(folder) as beside:
        shutil.copytree(keypoints, beside / "keypoints", ignore=shutil.ignore_patterns("tensorboard"))
        shutil.copyfile(policy_onnx, beside / "policy.onnx")
        shutil.copyfile(checkpoint / "policy.safetensors", beside / "policy.safetensors")
        shutil.copytree(checkpoint, beside / "checkpoint")
        files = sorted(path.relative_to(beside).as_posix() for path in beside.rglob("*") if path.is_file())
        write_json(
            beside / "bundle.json",
            {
                "format": FORMAT,
                "task": task,
                "scene": scene,
                "object": object,
                "num_keypoints": num_keypoints,
                "observation": "u, v of each keypoint in [-1, 1]; tool centre point - workspace centre [m]; "
                "opening / stroke",
                "action": "tool velocity x, y, z in base_link, gripper rate; each in [-1, 1]",
                "image_size": IMAGE_SIZE,
                "field_of_view": FIELD_OF_VIEW,
                "control_hz": CONTROL_HZ,
                "workspace": {"lower": list(WORKSPACE.lower), "upper": list(WORKSPACE.upper)},
                "provenance": provenance,
                "sha256": {name: sha256_of(beside / name) for name in files},
            },
        )


def keypoints_of(folder: Path) -> Path:
    """The keypoint model's folder: the one inside where `folder` is a bundle, otherwise `folder` itself."""
    return folder / "keypoints" if (folder / "bundle.json").is_file() else folder


def read_bundle_info(folder: Path, task: str | None = None) -> dict[str, Any]:
    """bundle.json of an undamaged bundle that fits this software and `task`; KprlError says what does not fit."""
    if not folder.is_dir():
        raise KprlError(f"bundle {folder} does not exist: pass a bundle's folder, for example runs/<name>/bundle")
    info = read_json(folder / "bundle.json")
    if info.get("format") != FORMAT:
        raise KprlError(f"bundle {folder} has format {info.get('format')}: this version reads format {FORMAT}")
    if task is not None and info.get("task") != task:
        raise KprlError(f"bundle {folder} is for task '{info.get('task')}': expected one for task '{task}'")
    expected = {
        "image_size": IMAGE_SIZE,
        "field_of_view": FIELD_OF_VIEW,
        "control_hz": CONTROL_HZ,
        "workspace": {"lower": list(WORKSPACE.lower), "upper": list(WORKSPACE.upper)},
    }
    for key, value in expected.items():
        if info.get(key) != value:
            raise KprlError(
                f"bundle {folder} was trained with {key} {info.get(key)}: this set-up has {value}; train it anew"
            )
    missing = [key for key in ("scene", "object", "num_keypoints", "provenance", "sha256") if key not in info]
    if missing:
        raise KprlError(f"{folder / 'bundle.json'} lacks {', '.join(missing)}: restore it or train the policy anew")
    verify_checksums(folder, {name: "" for name in POLICY_FILES} | dict(info["sha256"]))
    return info


def load_bundle(folder: Path, task: str | None = None) -> Bundle:
    """Load a bundle for `task`; KprlError names what is missing, damaged or does not fit."""
    info = read_bundle_info(folder, task)
    encoder = load_encoder(folder / "keypoints")
    if encoder.num_keypoints != info["num_keypoints"]:
        raise KprlError(
            f"bundle {folder} names {info['num_keypoints']} keypoints but its model has {encoder.num_keypoints}: "
            "it was put together wrongly, make it anew"
        )
    size = 2 * encoder.num_keypoints + END_EFFECTOR_SIZE
    return Bundle(info, encoder, OnnxPolicy(folder / "policy.onnx", size))
