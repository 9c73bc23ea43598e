"""`kprl bench graph`: its numbers from logs, and the whole command, short."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from graph_processes import FIRST_DOMAIN, environment

from kprl_keypoints.keypoint_node import OVERLAY_WIDTH, overlay_scale
from kprl_policy.graph_benchmark.lockstep import in_process, training_ms
from kprl_policy.graph_benchmark.measures import (
    DELIVERY,
    MILLISECOND,
    Handled,
    Published,
    latencies_ms,
    percentiles,
    queued,
    stages_ms,
)

DOMAIN = FIRST_DOMAIN + 5
PERIOD = 33 * MILLISECOND
KEYS = {"latency_ms_p50", "latency_ms_p99", "camera_period_ms", "bare_echo_ms_p50", "lockstep_ratio"}


def images(count: int) -> list[Published]:
    return [Published(number * PERIOD, number * PERIOD + MILLISECOND) for number in range(count)]


def test_latency_is_from_stamp_to_answer() -> None:
    handled = [Handled(0, MILLISECOND, 4 * MILLISECOND), Handled(PERIOD, PERIOD, PERIOD + 6 * MILLISECOND)]
    assert latencies_ms(handled) == [4.0, 6.0]
    assert percentiles([4.0, 6.0]) == {"p50": 5.0, "p99": pytest.approx(5.98), "max": 6.0}


def test_an_image_taken_up_after_a_newer_one_came_was_queued() -> None:
    sent = images(5)
    in_time = [Handled(entry.stamp, entry.done, entry.done + MILLISECOND) for entry in sent]
    assert queued(in_time, sent) == 0
    newest = sent[3]
    late = newest.done + DELIVERY + MILLISECOND
    assert queued([Handled(sent[2].stamp, late, late + MILLISECOND)], sent) == 1
    assert queued([Handled(newest.stamp, late, late + MILLISECOND)], sent) == 0  # late, but the newest there is
    just = newest.done + DELIVERY // 2
    assert queued([Handled(sent[2].stamp, just, just + MILLISECOND)], sent) == 0  # the newer one may be on its way


def test_stages_add_up_to_the_latency() -> None:
    keypoints = [Handled(0, 2 * MILLISECOND, 5 * MILLISECOND), Handled(PERIOD, 2 * PERIOD, 2 * PERIOD + MILLISECOND)]
    policy = [Handled(0, 6 * MILLISECOND, 8 * MILLISECOND)]
    stages = stages_ms(keypoints, policy)
    assert stages == {"image_transport": 2.0, "keypoint_node": 3.0, "keypoints_transport": 1.0, "policy_node": 2.0}
    assert sum(stages.values()) == latencies_ms(policy)[0]
    assert stages_ms(keypoints, []) == {}


def test_an_overlay_of_a_cameras_image_is_not_enlarged() -> None:
    assert overlay_scale(5, 64) == 5 and overlay_scale(20, 64) == OVERLAY_WIDTH // 64
    assert overlay_scale(5, 640) == 1 and overlay_scale(5, 1280) == 1


@pytest.mark.slow
def test_a_trainings_step_is_timed(model: Path, tmp_path: Path) -> None:
    assert 0.1 < training_ms(lambda: in_process(model), tmp_path / "run", 400, compile="no") < 1e4


@pytest.mark.slow
@pytest.mark.graph
def test_the_command_leaves_its_numbers(bundle: Path, tmp_path: Path) -> None:
    file = tmp_path / "graph.json"
    command = ["kprl", "bench", "graph", "--frames", "40", "--training-steps", "0", "--bundle", str(bundle),
               "--json", str(file)]  # fmt: skip
    done = subprocess.run(command, env=environment(DOMAIN), timeout=200, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = json.loads(file.read_text())
    assert KEYS <= set(result)
    assert result["camera_period_ms"] == pytest.approx(1000 / 30)
    assert 0 < result["bare_echo_ms_p50"] and 0 < result["latency_ms_p50"] <= result["latency_ms_p99"]
    assert 0 < result["frames_answered"] <= result["frames_encoded"] <= result["frames"] == 40
    assert result["frames_queued"] == 0 and result["overlays"] > 0
    assert result["lockstep_ratio"] == result["lockstep_env_ratio"] > 0
    assert result["cores"] <= min(2, len(os.sched_getaffinity(0)))


def test_too_few_steps_of_training_are_refused() -> None:
    done = subprocess.run(
        ["kprl", "bench", "graph", "--training-steps", "10"], timeout=60, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr == "kprl: training_steps is 10: expected 0, or at least 400\n"
