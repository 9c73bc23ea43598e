"""ROS 2 shell around the keypoint network."""
