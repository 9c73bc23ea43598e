"""ROS 2 shells that run, train and evaluate a policy over topics."""
