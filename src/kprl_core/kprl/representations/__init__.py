"""The encoders that the paper compares keypoints with (IV-B2): AE, VAE and AE-FT."""
