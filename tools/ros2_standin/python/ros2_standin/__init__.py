"""The command `ros2` of the stand-in."""
