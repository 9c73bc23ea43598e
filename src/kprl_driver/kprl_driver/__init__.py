"""A UR5 with a Robotiq 2F-85 behind the topics that the sim bridge has in simulation."""
