"""The comparison of learning: everybody's curve, going on after an interruption, refusing another command."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from kprl.benchmarks import learning
from kprl.benchmarks.learning import LearningConfig, bench_learning
from kprl.errors import KprlError
from kprl.files import read_json

SHORT = {"steps": 400, "seeds": (0, 3), "evaluate_every": 200, "evaluation_episodes": 2}


@pytest.mark.slow
@pytest.mark.parametrize("env_id", ["PandaReach-v3", "Pendulum-v1"])
def test_everybody_is_evaluated_at_the_same_steps(env_id: str, tmp_path: Path) -> None:
    result = bench_learning(LearningConfig(env_id, tmp_path, **SHORT))
    for name in ("kprl", "sb3"):
        for seed in ("0", "3"):
            assert [row["step"] for row in result["curves"][name][seed]] == [0, 200, 400]
    with (tmp_path / "curves.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 2 * 2 * 3
    assert (tmp_path / "curves.png").stat().st_size > 10_000
    assert read_json(tmp_path / "learning.json")["final_return"] == result["final_return"]


def test_it_goes_on_after_what_is_done_and_refuses_another_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = []

    def ours(config, settings):
        if len(trained) == 1:
            raise KeyboardInterrupt
        trained.append(settings.seed)
        return [{"step": 0.0, "success": 0.0, "return": -2.0, "minutes": 0.0},
                {"step": 400.0, "success": float(settings.seed), "return": -1.0, "minutes": 1.0}]  # fmt: skip

    monkeypatch.setattr(learning, "_ours", ours)
    config = LearningConfig("PandaReach-v3", tmp_path, **SHORT | {"seeds": (0, 1)}, peers=())
    with pytest.raises(KeyboardInterrupt):
        bench_learning(config)
    trained_before = list(trained)
    trained.append(None)  # from here on nothing interrupts
    result = bench_learning(config)
    assert trained_before == [0] and trained == [0, None, 1]
    assert result["all_solved_at"] == {"kprl": {"0": None, "1": 400.0}}
    assert result["final_success"] == {"kprl": 0.5} and result["minutes"] == {"kprl": 1.0}
    with pytest.raises(KprlError, match="is of another command \\(steps differ\\): choose another folder"):
        bench_learning(replace(config, steps=800))


def test_bad_settings_are_named(tmp_path: Path) -> None:
    with pytest.raises(KprlError, match="steps is 0"):
        LearningConfig("PandaReach-v3", tmp_path, steps=0)
    with pytest.raises(KprlError, match="seeds are \\[1, 1\\]: expected at least one, all different"):
        LearningConfig("PandaReach-v3", tmp_path, seeds=(1, 1))
