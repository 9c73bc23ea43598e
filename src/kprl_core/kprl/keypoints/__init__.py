"""Self-supervised keypoints: network, keypoint layer, losses, training, export, inference (paper, III-A)."""
