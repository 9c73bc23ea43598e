"""A finished training becomes a keypoint model folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from kprl.data.dataset import Dataset
from kprl.keypoints.encoder import KEYPOINT_VALUES, OnnxEncoder
from kprl.keypoints.evaluate import encode_all
from kprl.keypoints.export import export_onnx
from kprl.keypoints.folder import ONNX_FILE, WEIGHTS_FILE, write_description
from kprl.keypoints.objective import Objective
from kprl.keypoints.overlay import write_overlays
from kprl.keypoints.pictures import SHOWN
from kprl.keypoints.validation import held_out_metrics

OVERLAYS_FILE = "keypoints.png"


def save_model(
    folder: Path, objective: Objective, num_keypoints: int, held_out: Dataset, description: dict[str, Any]
) -> dict[str, float]:
    """Write weights, ONNX export, overlays and keypoints.json; returns the metrics of the export on `held_out`.

    `objective` is in evaluation mode, its batch normalisations joined. `description`: further entries of
    keypoints.json.
    """
    state = {name: value.cpu().contiguous() for name, value in objective.model.state_dict().items()}
    save_file(state, folder / WEIGHTS_FILE)
    (folder / WEIGHTS_FILE).chmod(0o644)  # the library makes it readable by the owner alone
    export_onnx(objective.encoder, num_keypoints, folder / ONNX_FILE, objective.values)
    encoder = OnnxEncoder(folder / ONNX_FILE, num_keypoints, objective.values)
    metrics = held_out_metrics(encoder, objective.values, held_out)
    if objective.values == KEYPOINT_VALUES:
        grey = held_out.grey[:SHOWN]
        write_overlays(folder / OVERLAYS_FILE, grey, encode_all(encoder, grey))
    head = {
        "num_keypoints": num_keypoints,
        "values_per_keypoint": objective.values,
        "architecture": objective.architecture,
    }
    write_description(folder, {**head, **description, "metrics": metrics})
    return metrics
