"""ROS 2 shell around a RealSense camera."""
