"""The paper's figures and tables as grids of cells, run on Ray, resumed, and reported with mean and variance."""
