"""Simulated images with depth and segmentation: generation, loading, preview (paper, III-C1)."""
