"""How a training does on images that it does not see."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import torch

from kprl.data.dataset import Dataset
from kprl.keypoints.encoder import KEYPOINT_VALUES, Encoder
from kprl.keypoints.evaluate import evaluate
from kprl.keypoints.feed import Feed
from kprl.keypoints.objective import Objective, total

NOISE_SEED = 0  # every validation draws the same


def held_out_loss(objective: Objective, feed: Feed) -> float:
    """Mean weighted loss of the images of `feed`, weighted as at the end of the training, clean statistics."""
    noise = torch.Generator(feed.device).manual_seed(NOISE_SEED)
    losses, images = [], []
    with torch.no_grad():
        for batch in feed.all():
            losses.append(float(total(objective, objective(batch, 1.0, noise))))
            images.append(len(batch.images))
    return float(np.average(losses, weights=images))


def held_out_metrics(encoder: Encoder, values: int, dataset: Dataset) -> dict[str, float]:
    """`evaluate.Metrics` of an encoder of keypoints ; nothing of one of latent codes."""
    return asdict(evaluate(encoder, dataset)) if values == KEYPOINT_VALUES else {}
