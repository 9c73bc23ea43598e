"""The simulated world: PyBullet, the arm, the gripper, objects, camera and randomization."""
