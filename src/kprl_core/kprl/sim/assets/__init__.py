"""Robot model and meshes."""
