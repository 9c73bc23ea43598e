"""Measurements against named peers and limits: `kprl bench …`."""
