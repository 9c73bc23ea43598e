"""The keypoint model folder: model.safetensors, encoder.onnx, keypoints.json with the checksums of both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kprl.errors import KprlError
from kprl.files import read_json, sha256_of, verify_checksums, write_json
from kprl.preprocess import FIELD_OF_VIEW, IMAGE_SIZE

FORMAT = "kprl-keypoints"
VERSION = 1
DESCRIPTION_FILE = "keypoints.json"
WEIGHTS_FILE = "model.safetensors"
ONNX_FILE = "encoder.onnx"
VALUES = (3, 2)  # u, v and confidence, or two numbers of a latent code
HEAD = {"format": FORMAT, "version": VERSION, "image_size": IMAGE_SIZE, "field_of_view_deg": FIELD_OF_VIEW}
"""Entries of keypoints.json that this version of kprl requires."""


def write_description(folder: Path, content: dict[str, Any]) -> None:
    """Write keypoints.json last: it seals the other files with their checksums.

    `content` holds at least `preset`, `num_keypoints`, `architecture`, `training` and `metrics`.
    """
    files = {name: sha256_of(folder / name) for name in (WEIGHTS_FILE, ONNX_FILE)}
    write_json(folder / DESCRIPTION_FILE, {**HEAD, **content, "files": files})


def read_description(folder: Path) -> dict[str, Any]:
    """Read and verify a model folder; returns keypoints.json.

    Errors: `KprlError` if the folder is not one, is of another version or another view, or a file is damaged.
    """
    path = folder / DESCRIPTION_FILE
    if not path.is_file():
        raise KprlError(
            f"{folder} is not a keypoint model folder (no {DESCRIPTION_FILE}): make one with 'kprl keypoints train'"
        )
    description = read_json(path)
    for name, value in HEAD.items():
        if description.get(name) != value:
            raise KprlError(f"{path}: {name} is {description.get(name)}, expected {value}: train the model anew")
    files, num_keypoints = description.get("files"), description.get("num_keypoints")
    if not isinstance(num_keypoints, int) or num_keypoints < 1:
        raise KprlError(f"{path}: num_keypoints is {num_keypoints}, expected a positive integer")
    values = description.get("values_per_keypoint", 3)
    if values not in VALUES:
        raise KprlError(f"{path}: values_per_keypoint is {values}, expected one of {VALUES}")
    if not isinstance(files, dict) or set(files) != {WEIGHTS_FILE, ONNX_FILE}:
        raise KprlError(f"{path}: expected the checksums of {WEIGHTS_FILE} and {ONNX_FILE} under 'files'")
    verify_checksums(folder, files)
    return description
