"""A training that was interrupted goes on as if it had not been; what cannot be resumed is refused in words."""

from __future__ import annotations

import csv
import re
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from goal_envs import make_point_env
from test_loop import BRIEF
from tqdm import tqdm

from kprl.errors import KprlError
from kprl.rl import loop
from kprl.rl.checkpoint import find_checkpoint, load_checkpoint
from kprl.rl.config import TrainPolicyConfig
from kprl.rl.loop import Progress, TrainingResult, train
from kprl.rl.resume import FORMAT, STATE, VERSION, load_state, save_state
from kprl.tensor_file import load_tensors, save_tensors

CONFIG = replace(BRIEF, steps=500, curriculum=0.3)
DEADLINE_S = 60.0
TIMED = ("minutes", "steps_per_s", "updates_per_s")


class Interrupted(Exception):
    """Stands for whatever ends a process."""


def run(
    out: Path, config: TrainPolicyConfig = CONFIG, stop_at: int | None = None, resume: bool = False
) -> TrainingResult:
    def callback(progress: Progress) -> bool:
        if stop_at is not None and progress.row["step"] >= stop_at:
            raise Interrupted
        return False

    return train(make_point_env, config, out, callback=callback, show_progress=False, resume=resume)


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "metrics.csv").open() as file:
        return [{name: text for name, text in row.items() if name not in TIMED} for row in csv.DictReader(file)]


@pytest.mark.parametrize("algo", ["sac", "ddpg"])
def test_a_resumed_training_equals_an_uninterrupted_one(algo: Any, tmp_path: Path) -> None:
    config = replace(CONFIG, algo=algo)
    whole = run(tmp_path / "whole", config)
    for stop_at in (200, 400):  # the second kill hits a training that was resumed already
        with pytest.raises(Interrupted):
            run(tmp_path / "parts", config, stop_at, resume=stop_at > 200)
    parts = run(tmp_path / "parts", config, resume=True)

    (one, progress_one), (two, progress_two) = (load_state(tmp_path / name, config) for name in ("whole", "parts"))
    assert set(one) == set(two) and any(name.startswith("replay.") for name in one)
    for name, tensor in one.items():
        assert np.array_equal(tensor.numpy(), two[name].numpy()), name
    assert {**progress_one, "minutes": 0} == {**progress_two, "minutes": 0}
    assert rows(tmp_path / "whole") == rows(tmp_path / "parts")
    assert (whole.best, whole.before, whole.steps, whole.updates) == (
        parts.best, parts.before, parts.steps, parts.updates,
    )  # fmt: skip
    assert np.array_equal(whole.policy.actor.weights(), parts.policy.actor.weights())
    assert np.array_equal(whole.untrained.actor.weights(), parts.untrained.actor.weights())
    assert 0 < parts.resumed_minutes < parts.minutes and whole.resumed_minutes == 0


def test_a_finished_training_is_not_trained_again_but_can_be_prolonged(tmp_path: Path) -> None:
    first = run(tmp_path)
    again = run(tmp_path, resume=True)
    assert (again.steps, again.updates, again.best) == (first.steps, first.updates, first.best)
    longer = run(tmp_path, replace(CONFIG, steps=600), resume=True)
    assert longer.steps == 600 and longer.updates > first.updates


def test_the_time_left_of_a_resumed_training_counts_its_own_part_only(tmp_path: Path, monkeypatch: Any) -> None:
    bars, shown = [], []

    def make_bar(show: bool) -> tqdm[Any]:
        bar = tqdm(total=100.0, mininterval=0, disable=not show)
        bars.append(bar)
        return bar

    def note(progress: Progress) -> bool:
        shown.append((progress.row["step"], bars[-1].format_dict, bars[-1].postfix))
        return False

    monkeypatch.setattr(loop, "_bar", make_bar)
    monkeypatch.setattr(loop, "plot_curve", lambda *arguments: None)  # the slow part
    run(tmp_path)
    train(make_point_env, replace(CONFIG, steps=1000), tmp_path, resume=True, callback=note)
    first_step, first, _ = shown[0]
    last_step, last, postfix = shown[-1]
    assert first_step <= 560 and 45 <= first["initial"] <= 55 and last["n"] == 100  # [%]
    assert first["rate"] * first["elapsed"] < 20  # [%] in its first episode: what came before is no speed of its own
    speed = float(re.search(r"(\d+)/s", postfix)[1])
    assert speed == pytest.approx((last_step - 500) / last["elapsed"], rel=0.2, abs=2)


@pytest.mark.parametrize("learner", ["inline", "process"])
def test_a_training_killed_at_any_moment_goes_on(learner: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path; from dataclasses import replace\n"
        "from goal_envs import make_point_env; from test_resume import CONFIG; from kprl.rl import loop\n"
        "loop.plot_curve = lambda *arguments: None  # the slow part of an evaluation, and not in question\n"
        "config = replace(CONFIG, learner=sys.argv[3], steps=100_000, evaluate_every=20, evaluation_episodes=1)\n"
        "loop.train(make_point_env, config, Path(sys.argv[2]), show_progress=False, resume=len(sys.argv) > 4)\n"
    )
    command = [sys.executable, "-c", script, str(Path(__file__).parent), str(tmp_path), learner]
    reached = 0
    for part in range(3):
        with subprocess.Popen([*command, *(["resume"] if part else [])], stderr=subprocess.PIPE, text=True) as process:
            _wait_for_steps(process, tmp_path, reached)
            time.sleep(float(rng.uniform(0, 0.5)))  # so that the kill falls into a save now and then
            process.kill()
        _, progress = load_state(tmp_path, replace(CONFIG, learner=learner, evaluate_every=20, evaluation_episodes=1))
        assert progress["steps"] > reached
        reached = progress["steps"]
    config = replace(CONFIG, learner=learner, evaluate_every=20, evaluation_episodes=1, steps=reached + 100)
    result = train(make_point_env, config, tmp_path, show_progress=False, resume=True)
    assert result.steps >= reached + 100
    load_checkpoint(tmp_path / "checkpoints" / "best")
    assert not [path for path in tmp_path.rglob(".*")]  # nothing half-written stays


def _wait_for_steps(process: subprocess.Popen[str], out: Path, more_than: int) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while True:
        if process.poll() is not None:
            assert process.stderr
            pytest.fail(f"the training ended by itself: {process.stderr.read()}")
        assert time.monotonic() < deadline, "the training made no progress"
        # Rows, not the state: reading the state while it is replaced would be another test.
        if (out / STATE).exists() and (found := rows(out)) and int(found[-1]["step"]) > more_than + 40:
            return
        time.sleep(0.02)


def test_what_cannot_be_resumed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KprlError, match="no training to resume"):
        run(tmp_path, resume=True)
    run(tmp_path, BRIEF)
    with pytest.raises(KprlError, match=r"holds a training with gamma 0\.8, not 0\.9: resume it with its own settings"):
        run(tmp_path, replace(BRIEF, gamma=0.9), resume=True)
    data = bytearray((tmp_path / STATE).read_bytes())
    data[-5] ^= 1
    (tmp_path / STATE).write_bytes(data)
    with pytest.raises(KprlError, match=r"training\.safetensors is damaged"):
        run(tmp_path, BRIEF, resume=True)


def test_two_trainings_do_not_share_a_folder(tmp_path: Path) -> None:
    def callback(progress: Progress) -> bool:
        with pytest.raises(KprlError, match="by another 'kprl policy train'"):
            run(tmp_path, BRIEF)
        return True

    train(make_point_env, BRIEF, tmp_path, callback=callback, show_progress=False)


def test_a_full_disk_is_said_and_the_last_state_stays(tmp_path: Path) -> None:
    """The limit on a file's size stands for a full disk: it fails in the same place, and needs no disk of its own."""
    grown = 5 * 40 * 1024
    old = resource.getrlimit(resource.RLIMIT_FSIZE)

    def callback(progress: Progress) -> bool:
        if progress.row["step"] >= 300:
            resource.setrlimit(resource.RLIMIT_FSIZE, (grown, old[1]))
        return False

    try:
        with pytest.raises(KprlError, match=r"cannot write to .*: the training stopped; free some space and resume it"):
            train(make_point_env, CONFIG, tmp_path, callback=callback, show_progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    _, progress = load_state(tmp_path, CONFIG)
    assert 0 < progress["steps"] < CONFIG.steps
    assert run(tmp_path, resume=True).steps == CONFIG.steps


def test_a_training_starts_from_another_ones_agent(tmp_path: Path) -> None:
    first = run(tmp_path / "first")
    checkpoint = find_checkpoint(tmp_path / "first")
    config = replace(CONFIG, start_from=str(checkpoint), seed=5, steps=40, random_steps=0, evaluate_every=1000)
    second = run(tmp_path / "second", config)
    assert second.before.success_rate > 0.5 > first.before.success_rate  # other starts: of another seed
    old, _ = load_checkpoint(checkpoint)
    new, progress = load_state(tmp_path / "second", config)
    assert int(new["agent.updates"]) > 0 and progress["steps"] == 40
    assert not np.array_equal(old["agent.generator"].numpy(), new["agent.generator"].numpy())
    assert float(new["agent.actor_adam.steps"]) == float(old["agent.actor_adam.steps"]) + float(new["agent.updates"])
    with pytest.raises(KprlError, match="has critic goal_relative, and this training privileged"):
        run(tmp_path / "third", replace(config, critic="privileged"))
    with pytest.raises(KprlError, match="holds no checkpoint"):
        find_checkpoint(tmp_path)


def test_a_setting_that_an_older_version_did_not_have_counts_as_its_default(tmp_path: Path) -> None:
    def write(config: TrainPolicyConfig) -> None:
        save_state(tmp_path, config, {"weight": torch.zeros(1)}, {})
        tensors, values = load_tensors(tmp_path / STATE, FORMAT, VERSION, "")
        del values["config"]["estimation"]
        save_tensors(tmp_path / STATE, FORMAT, VERSION, tensors, values)

    write(CONFIG)
    assert set(load_state(tmp_path, CONFIG)[0]) == {"weight"}
    with pytest.raises(KprlError, match="with estimation 0.0, not 1.0"):
        load_state(tmp_path, replace(CONFIG, estimation=1.0))
