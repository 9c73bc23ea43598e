"""Recorder and viewer: they listen to the graph, and nothing in it depends on them."""
