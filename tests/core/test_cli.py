"""Every command of `kprl`, run for a moment, and what it says to wrong input."""

from __future__ import annotations

import csv
import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file

from kprl.benchmarks.pipeline import MACHINES, PipelineConfig, bench_pipeline, minutes_to_aim
from kprl.cli import COMMANDS, USER_ERROR, main
from kprl.keypoints.train_config import TrainConfig


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for group, commands in COMMANDS.items():
        for command in commands:
            assert f"{group} {command}" in shown


def test_preview_is_a_picture(tmp_path):
    main(["data", "preview", "--out", str(tmp_path / "sheet.png"), "--images", "4"])
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape[1] > 3 * 64
    assert sheet.std() > 10


def test_bench_env_writes_its_keys(tmp_path, capsys):
    cores = os.sched_getaffinity(0)
    main(["bench", "env", "--episodes", "1", "--workers", "2", "--json", str(tmp_path / "bench.json")])
    result = json.loads((tmp_path / "bench.json").read_text())
    assert set(result["breakdown_ms"]) == {"physics", "render", "python", "inference"}
    assert result["ratio_vs_limit"] > 1.0
    assert result["ratio_vs_panda_gym"] > 3.0  # the full run shows more; this machine may be busy
    assert result["steps_per_s"] > 50
    assert len(result["step_ms_by_scene_and_object"]) == 8
    assert set(result["steps_per_s_by_workers"]) == {"2"}
    assert os.sched_getaffinity(0) == cores
    assert "times the physics and the bare renderer" in capsys.readouterr().out


def test_keypoints_eval_writes_its_keys(quick_keypoints, tmp_path):
    out = tmp_path / "eval.json"
    sizes = ["--images", "20", "--probe-images", "60"]
    main(
        ["keypoints", "eval", "--model", str(quick_keypoints), *sizes, "--pictures", str(tmp_path), "--json", str(out)]
    )
    result = json.loads(out.read_text())
    assert {"on_target", "objects_covered", "equivariance_px", "wander_px", "position_error_mm"} <= set(result)
    assert result["randomization"] == "train" and (tmp_path / "overlays.png").exists()


def test_a_run_leaves_all_that_a_reader_wants(quick_run):
    summary = json.loads((quick_run / "summary.json").read_text())
    assert {"success_before", "success_after", "improvement", "minutes", "env_steps", "failures"} <= set(summary)
    assert summary["episodes"] == 3
    for name in ("policy/metrics.csv", "policy/curve.png", "episode.gif", "keypoints.png", "bundle/bundle.json"):
        assert (quick_run / name).stat().st_size > 0
    assert list((quick_run / "policy" / "tensorboard").glob("events*"))
    rows = list(csv.DictReader((quick_run / "policy" / "metrics.csv").open()))
    assert float(rows[-1]["step"]) >= 300
    film = Image.open(quick_run / "episode.gif")
    assert film.n_frames > 50


def test_a_run_folder_is_never_written_over(quick_run, quick_keypoints, tmp_path, capsys):
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "precious").write_text("mine")
    for out in (quick_run, tmp_path):
        with pytest.raises(SystemExit) as ended:
            main(["policy", "train", "--keypoints", str(quick_keypoints), "--out", str(out)])
        assert ended.value.code == USER_ERROR
        assert "choose another run folder" in capsys.readouterr().err
    assert (tmp_path / "bundle" / "precious").read_text() == "mine"


def test_a_run_is_resumed_and_prolonged(quick_run, quick_keypoints, tmp_path, capsys):
    run = shutil.copytree(quick_run, tmp_path / "run")
    (run / "summary.json").unlink()  # as if it had been killed in the final evaluation
    command = [
        "policy", "train", "--keypoints", str(quick_keypoints), "--out", str(run), "--random-steps", "100",
        "--evaluation-episodes", "2", "--final-episodes", "2", "--resume",
    ]  # fmt: skip
    # Not those of its summary: the learner goes on beside the last evaluation.
    saved = load_file(run / "policy" / "checkpoints" / "last" / "learner.safetensors")["agent.updates"]
    main([*command, "--steps", "400"])
    summary = json.loads((run / "summary.json").read_text())
    assert summary["env_steps"] == 400 and summary["updates"] >= int(saved)
    assert json.loads((run / "bundle" / "bundle.json").read_text())["provenance"]["steps"] == 400
    rows = list(csv.DictReader((run / "policy" / "metrics.csv").open()))
    assert [int(row["step"]) for row in rows] == sorted(int(row["step"]) for row in rows)
    capsys.readouterr()
    for change, words in ((["--task", "push"], "begun with task grasp, not push"), (["--seed", "5"], "seed 0, not 5")):
        with pytest.raises(SystemExit) as ended:
            main([*command, *change])
        assert ended.value.code == USER_ERROR
        assert words in capsys.readouterr().err


def test_show_refuses_what_is_no_summary(tmp_path, capsys):
    (tmp_path / "summary.json").write_text("{}")
    with pytest.raises(SystemExit) as ended:
        main(["policy", "show", "--run", str(tmp_path)])
    assert ended.value.code == USER_ERROR
    assert "lacks task, scene" in capsys.readouterr().err


def test_eval_and_show_read_the_run(quick_run, tmp_path, capsys):
    out = tmp_path / "result.json"
    main(["policy", "eval", "--bundle", str(quick_run / "bundle"), "--episodes", "2", "--json", str(out),
          "--gif", str(tmp_path / "film.gif")])  # fmt: skip
    result = json.loads(out.read_text())
    assert result["episodes"] == 2
    assert sum(result["failures"].values()) == round(2 * (1 - result["success_rate"]))
    assert result["ci95"][0] <= result["success_rate"] <= result["ci95"][1]
    assert (tmp_path / "film.gif").stat().st_size > 0
    main(["policy", "show", "--run", str(quick_run)])
    assert "success after training" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["data", "generate", "--images", "9", "--out", "{tmp}/d", "--task", "juggle"], "unknown task 'juggle'"),
        (["data", "generate", "--images", "9", "--out", "{tmp}/d", "--scene", "env9"], "'env9': choose one of env1"),
        (["data", "generate", "--images", "9", "--out", "{tmp}/d", "--object", "fish"], "unknown object 'fish'"),
        (["data", "generate", "--images", "0", "--out", "{tmp}/d"], "images is 0: expected at least 1"),
        (["keypoints", "train", "--data", "{tmp}/nothing", "--out", "{tmp}/k"], "nothing"),
        (["keypoints", "eval", "--model", "{tmp}/nothing"], "nothing"),
        (["policy", "train", "--keypoints", "{tmp}/nothing", "--out", "{tmp}/p"], "nothing"),
        (["policy", "eval", "--bundle", "{tmp}/nothing"], "does not exist: pass a bundle's folder"),
        (["policy", "show", "--run", "{tmp}/nothing"], "nothing"),
        (["data", "preview", "--out", "{tmp}/p.png", "--images", "0"], "images is 0: expected at least 1"),
        (["data", "preview", "--out", "{tmp}/p.png", "--seed", "-1"], "seed is -1: expected at least 0"),
        (["keypoints", "eval", "--model", "{tmp}/m", "--images", "0"], "images is 0: expected at least 1"),
        (["policy", "eval", "--bundle", "{tmp}/b", "--episodes", "0"], "episodes is 0: expected at least 1"),
        (
            ["policy", "train", "--keypoints", "{tmp}/k", "--out", "{tmp}/o", "--final-episodes", "0"],
            "final_episodes is 0: expected at least 1",
        ),
    ],
)
def test_wrong_input_is_one_line_and_status_2(arguments, line, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main([argument.replace("{tmp}", str(tmp_path)) for argument in arguments])
    assert ended.value.code == USER_ERROR
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert line in said[0]
    assert list(tmp_path.iterdir()) == []  # nothing half-written


def test_an_unknown_preset_lists_the_choices(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["keypoints", "train", "--data", "d", "--out", "o", "--preset", "huge"])
    assert ended.value.code == USER_ERROR
    said = capsys.readouterr().err
    assert all(name in said for name in ("huge", "paper", "cpu", "quick"))


def test_bench_pipeline_starts_from_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("kprl.benchmarks.pipeline.GREEDY_EPISODES", 2)
    out, file = tmp_path / "run", tmp_path / "bench.json"
    main(
        ["bench", "pipeline", "--out", str(out), "--images", "100", "--keypoint-minutes", "0.02", "--steps", "60",
         "--policy-minutes", "0.1", "--final-episodes", "2", "--json", str(file)]
    )  # fmt: skip
    result = json.loads(file.read_text())
    assert {"minutes_to_95", "success_rate", "env_steps"} <= set(result)
    assert result["minutes_to_95"] is None and "not reached" in capsys.readouterr().out
    assert result["evaluations"][0]["step"] == 0 and (out / "bundle" / "bundle.json").exists()
    assert set(result["minutes_by_stage"]) == {"data", "keypoints", "policy"}
    with pytest.raises(SystemExit):
        main(["bench", "pipeline", "--out", str(out)])
    assert "this starts from nothing" in capsys.readouterr().err


def test_bench_pipeline_ends_where_the_aim_is_reached(tmp_path, monkeypatch):
    monkeypatch.setattr("kprl.benchmarks.pipeline.AIM", 0.0)  # the untrained policy reaches that
    monkeypatch.setattr("kprl.benchmarks.pipeline.GREEDY_EPISODES", 2)
    monkeypatch.setattr("kprl.benchmarks.pipeline.IN_A_ROW", 1)
    result = bench_pipeline(PipelineConfig(tmp_path, images=100, keypoint_minutes=0.02, final_episodes=1))
    assert result["env_steps"] == 0
    assert result["minutes_to_95"] == result["evaluations"][0]["minutes"] > result["minutes_by_stage"]["data"]


def test_bench_pipeline_takes_a_machines_settings_unless_others_are_given(tmp_path, monkeypatch, capsys):
    asked = []

    def bench(config):
        asked.append(config)
        return {"minutes_to_95": 4.0, "success_rate": 1.0, "episodes": 1, "env_steps": 1, "minutes_by_stage": {}}

    monkeypatch.setattr("kprl.benchmarks.pipeline.bench_pipeline", bench)
    for flags in ([], ["--machine", "gpu"], ["--machine", "gpu", "--workers", "3", "--images", "99"]):
        main(["bench", "pipeline", "--out", str(tmp_path), *flags])
    cpu, gpu, own = asked
    assert cpu == PipelineConfig(tmp_path) == PipelineConfig(tmp_path, **MACHINES["cpu"])
    assert gpu == PipelineConfig(tmp_path, **MACHINES["gpu"]) and gpu.workers > 1
    assert own == replace(gpu, workers=3, images=99)
    for config in asked:
        TrainConfig(tmp_path, tmp_path, config.keypoint_preset)  # such a preset exists
    assert "after 4.0 minutes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("successes", "minutes"),
    [
        ([1.0, 1.0], None),
        ([0.95, 0.95, 0.95], 3),
        ([0.5, 1.0, 0.9, 0.95, 1.0], 4),
        ([0.0, 0.95, 0.9, 0.95], None),
    ],
)
def test_the_aim_is_reached_by_the_mean_of_three_evaluations(successes, minutes):
    curve = [{"step": 0, "minutes": index + 1, "success_rate": rate} for index, rate in enumerate(successes)]
    assert minutes_to_aim(curve) == minutes
