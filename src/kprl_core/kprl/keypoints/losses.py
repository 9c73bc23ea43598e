"""The losses of keypoint learning (paper, III-A), each with its equation where the paper numbers one.

N images, K keypoints, maps of H x W cells. Every function returns a scalar.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from kprl.keypoints.layer import centroids

TARGET = 2  # segmentation class
GRIPPER = 1
TINY = 1e-6


def depth_loss(predicted: Tensor, depth: Tensor) -> Tensor:
    """Smooth L1 between predicted and true normalised depth, both (N, 1, H, W)."""
    return F.smooth_l1_loss(predicted, depth)


def segmentation_loss(logits: Tensor, shares: Tensor, hardest: float = 1.0) -> Tensor:
    """Cross-entropy between logits and class shares, both (N, 3, H, W), over the `hardest` share of cells."""
    loss = F.cross_entropy(logits, shares, reduction="none").flatten()  # (N H W,)
    if hardest >= 1.0:
        return loss.mean()
    return loss.topk(max(1, int(hardest * len(loss)))).values.mean()


def proximity_loss(keypoints: Tensor, sharpness: float = 20.0) -> Tensor:
    """C_px: mean over pairs of exp(-sharpness d^2) c_i c_j of keypoints (N, K, 3); pushes confident ones apart.

    At 20 (KOVIS) keypoints repel one another within a fifth of the image. On an object smaller than that the
    cheapest way out is to give up confidence; a sharpness that matches the object spreads the keypoints over it.
    """
    position, confidence = keypoints[..., :2], keypoints[..., 2]
    k = keypoints.shape[1]
    first, second = torch.triu_indices(k, k, offset=1, device=keypoints.device)
    squared = (position[:, first] - position[:, second]).square().sum(dim=-1)  # (N, pairs)
    return (torch.exp(-sharpness * squared) * confidence[:, first] * confidence[:, second]).mean()


def background_loss(maps: Tensor, allowed: Tensor) -> Tensor:
    """C_bg: share of each softmax map that lies outside its allowed cells, averaged.

    maps (N, K, H, W) sum to 1, allowed (N, K or 1, H, W) in [0, 1]. Confidences do not enter: weighted with
    them, most keypoints give up their confidence instead of moving onto an object.
    """
    return 1.0 - (maps * allowed).sum(dim=(-2, -1)).mean()


def foreground(shares: Tensor) -> Tensor:
    """Allowed cells as in the paper: gripper or target, (N, 3, H, W) -> (N, 1, H, W)."""
    return shares[:, 1:].sum(dim=1, keepdim=True)


def assigned_foreground(shares: Tensor, num_keypoints: int) -> Tensor:
    """Allowed cells where the first half of the keypoints belongs to the target, the others to the gripper.

    (N, 3, H, W) -> (N, K, H, W). Without the assignment the keypoints gather on the gripper, which is larger
    and always visible. Where the target is hidden its keypoints may use all of the foreground.
    """
    either = foreground(shares)
    target, gripper = shares[:, TARGET : TARGET + 1], shares[:, GRIPPER : GRIPPER + 1]
    visible = (target.sum(dim=(-2, -1), keepdim=True) >= 1.0).to(shares.dtype)
    on_target = visible * target + (1.0 - visible) * either
    half = num_keypoints // 2
    return torch.cat([on_target.expand(-1, half, -1, -1), gripper.expand(-1, num_keypoints - half, -1, -1)], dim=1)


def equivariance_loss(rotated_maps: Tensor, maps_of_rotated: Tensor) -> Tensor:
    """C_eq, equation (3): distance between the keypoints of rotated maps and those of the rotated image.

    rotated_maps: softmax maps of the image, rotated, (N, K, H, W); maps_of_rotated: softmax maps of the
    rotated image. L2 norm of each keypoint's displacement, averaged.
    """
    difference = centroids(rotated_maps) - centroids(maps_of_rotated)
    return torch.sqrt(difference.square().sum(dim=-1) + TINY**2).mean()
