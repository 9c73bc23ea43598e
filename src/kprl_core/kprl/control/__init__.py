"""Motion near the table: kinematics, velocity limits and workspace, as pure functions."""
