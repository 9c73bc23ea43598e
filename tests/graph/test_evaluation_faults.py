"""An evaluation beside a robot outlives a reset that failed, and ends when nothing but failures come."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import rclpy
from rclpy.parameter import Parameter

from kprl.errors import KprlError
from kprl.files import read_json
from kprl_policy.evaluate_node import FAULTS_IN_A_ROW, EvaluateNode


class ShakyWorld:
    """Cannot be prepared for the episodes of `failing`; nobody tells the truth."""

    patience = 0.0

    def __init__(self, failing):
        self.failing = failing

    def connect(self):
        pass

    def prepare(self, seed, number):
        if number in self.failing:
            raise KprlError(f"/reset_episode failed before the episode of seed {seed}: the gripper did not open")

    def truth(self, seed, steps):
        return []


@pytest.fixture
def evaluation(tmp_path, monkeypatch):
    """failing episodes of 6, what the others' outcomes are -> result.json's content."""
    rclpy.init(args=[], domain_id=97)
    nodes = []

    def run(failing):
        values = {"episodes": 6, "output": str(tmp_path), "world": "workcell"}
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        node = EvaluateNode(parameter_overrides=overrides)
        nodes.append(node)
        monkeypatch.setattr(node, "_wait_for_server", lambda: None)
        monkeypatch.setattr(node, "_run", lambda seed: SimpleNamespace(outcome="success", steps=50))
        node._world = ShakyWorld(failing)
        node.evaluate()
        return read_json(tmp_path / "result.json")

    yield run
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown()


def test_a_failed_reset_is_an_episode_that_failed(evaluation):
    value = evaluation({2, 3, 5})
    assert value["outcomes"] == {"success": 3, "reset_failed": 3} and value["success_rate"] == 0.5
    failed = value["per_episode"][1]
    assert failed["outcome"] == "reset_failed" and "the gripper did not open" in failed["gripper_says"]


def test_failures_in_a_row_end_it_and_leave_what_there_was(evaluation, tmp_path):
    with pytest.raises(KprlError, match="seed 3000003 failed: reset_failed: .*the gripper did not open"):
        evaluation(set(range(2, 2 + FAULTS_IN_A_ROW)))
    assert read_json(tmp_path / "result.json")["episodes"] == FAULTS_IN_A_ROW
