"""The commands of `kprl`, one file a group; heavy imports wait until a command runs."""
