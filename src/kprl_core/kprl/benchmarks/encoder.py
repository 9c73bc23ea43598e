"""What one image costs on a CPU: the deployed encoder against the same network in eager torch."""

from __future__ import annotations

import os
import resource
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from kprl.keypoints.encoder import THREADS, OnnxEncoder, load_keypoint_encoder
from kprl.keypoints.export import TorchEncoder, export_onnx
from kprl.keypoints.folder import ONNX_FILE, WEIGHTS_FILE, read_description
from kprl.keypoints.model import Autoencoder
from kprl.keypoints.presets import PRESETS
from kprl.preprocess import IMAGE_SIZE

NUM_KEYPOINTS = 12
NETWORKS = ("cpu", "paper")  # presets
COMPARED_IMAGES = 32
CALLS = 20  # in one round; the rounds of the rivals alternate, so that a busy moment meets both
STATISTICS_BATCHES, STATISTICS_BATCH = 3, 8  # to fill the batch normalisations of networks that are not trained


@dataclass(frozen=True)
class Network:
    """One network, in torch and as it is deployed."""

    encoder: nn.Module
    onnx: Path
    num_keypoints: int


def bench_encoder(rounds: int, frames: int, model: Path | None = None) -> dict[str, Any]:
    """Time one image through each network; keys as in `kprl bench encoder --json`.

    frames: how many single images memory is watched over.
    model: a keypoint model folder to measure instead of the presets' networks, whose weights do not matter for speed.
    """
    with tempfile.TemporaryDirectory() as folder:
        networks = {model.name: _of_model(model)} if model else {n: _of_preset(n, Path(folder)) for n in NETWORKS}
        measured = {name: _measure(network, rounds, frames) for name, network in networks.items()}
    return {
        "speedup_vs_eager": min(result["speedup_vs_eager"] for result in measured.values()),
        "largest_difference": max(result["largest_difference"] for result in measured.values()),
        "allocated_bytes_per_frame": max(result["allocated_bytes_per_frame"] for result in measured.values()),
        "resident_growth_bytes": max(result["resident_growth_bytes"] for result in measured.values()),
        "frames": frames,
        "by_network": measured,
        "threads": THREADS,
        "cores": len(os.sched_getaffinity(0)),
    }


def _of_preset(name: str, folder: Path) -> Network:
    torch.manual_seed(0)
    encoder = Autoencoder(PRESETS[name].architecture(NUM_KEYPOINTS)).encoder
    with torch.no_grad():
        for _ in range(STATISTICS_BATCHES):
            encoder.train()(torch.rand(STATISTICS_BATCH, 1, IMAGE_SIZE, IMAGE_SIZE))
    path = folder / f"{name}.onnx"
    export_onnx(encoder, NUM_KEYPOINTS, path)
    return Network(encoder.eval(), path, NUM_KEYPOINTS)


def _of_model(folder: Path) -> Network:
    load_keypoint_encoder(folder)
    description = read_description(folder)
    autoencoder = Autoencoder(description["architecture"])
    autoencoder.load_state_dict(load_file(folder / WEIGHTS_FILE))
    return Network(autoencoder.encoder.eval(), folder / ONNX_FILE, description["num_keypoints"])


def _measure(network: Network, rounds: int, frames: int) -> dict[str, Any]:
    images = np.random.default_rng(0).integers(0, 256, (COMPARED_IMAGES, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    began = time.perf_counter()
    deployed = OnnxEncoder(network.onnx, network.num_keypoints)
    load_ms = _milliseconds(began)
    began = time.perf_counter()
    deployed.encode(images[:1])
    first_ms = _milliseconds(began)
    eager = TorchEncoder(network.encoder, network.num_keypoints)
    expected = np.concatenate([eager.encode(image[None]) for image in images])
    found = np.concatenate([deployed.encode(image[None]) for image in images])
    threads = torch.get_num_threads()
    times: dict[str, list[float]] = {"deployed": [], **{f"eager_{n}": [] for n in sorted({1, threads})}}
    try:
        for _ in range(rounds):
            for name, durations in times.items():
                if name != "deployed":
                    torch.set_num_threads(int(name.removeprefix("eager_")))
                durations += _durations((deployed if name == "deployed" else eager).encode, images)
    finally:
        torch.set_num_threads(threads)
    medians = {name: float(np.median(durations)) for name, durations in times.items()}
    best = min((name for name in medians if name != "deployed"), key=medians.__getitem__)
    return {
        "deployed_ms": medians["deployed"],
        "deployed_p99_ms": float(np.percentile(times["deployed"], 99)),
        "eager_ms": medians[best],
        "eager_threads": int(best.removeprefix("eager_")),  # whichever is quicker
        "speedup_vs_eager": medians[best] / medians["deployed"],
        "largest_difference": float(np.abs(found - expected).max()),
        "load_and_warm_up_ms": load_ms,
        "first_frame_ms": first_ms,
        "allocated_bytes_per_frame": _allocated(deployed, images),
        "resident_growth_bytes": _resident_growth(deployed, images, frames),
        "parameters": sum(parameter.numel() for parameter in network.encoder.parameters()),
    }


def _durations(encode: Callable[[np.ndarray], np.ndarray], images: np.ndarray) -> list[float]:
    """Milliseconds of each of CALLS calls after one that is not counted."""
    durations = []
    for i in range(CALLS + 1):
        image = images[i % len(images)][None]
        began = time.perf_counter()
        encode(image)
        durations.append(_milliseconds(began))
    return durations[1:]


def _milliseconds(began: float) -> float:
    return 1000.0 * (time.perf_counter() - began)


def _allocated(encoder: OnnxEncoder, images: np.ndarray) -> int:
    """Largest memory [B] that Python and numpy hold during a frame beyond what they held before."""
    encoder.encode(images[:1])
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        encoder.encode(images[:1])
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def _resident_growth(encoder: OnnxEncoder, images: np.ndarray, frames: int) -> int:
    """Growth [B] of the process's resident memory over `frames` frames, ONNX Runtime's own allocations included."""
    before = _resident()
    for i in range(frames):
        encoder.encode(images[i % len(images)][None])
    return _resident() - before


def _resident() -> int:
    """Resident memory [B] of this process now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
