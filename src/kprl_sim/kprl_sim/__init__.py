"""ROS 2 shell around the simulated robot."""
