"""Reinforcement learning: SAC with hindsight experience replay (section III-B and III-C2)."""
