"""Commands that look at the running ROS graph."""
