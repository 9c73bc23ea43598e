"""A UR5 controller and a Robotiq 2F-85 on the wire, for the real clients to talk to where no robot is."""
