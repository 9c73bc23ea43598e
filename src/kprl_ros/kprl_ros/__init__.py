"""What all nodes share. The nodes are shells around these functions and the library `kprl`."""
