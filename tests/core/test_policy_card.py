"""A bundle to keep and its card, from trainings of a few hundred steps."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from kprl.bundle import keypoints_of, load_bundle
from kprl.cli import USER_ERROR, main


@pytest.fixture(scope="module")
def other_run(quick_keypoints: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training with another seed, interrupted once."""
    run = tmp_path_factory.mktemp("card") / "run"
    command = [
        "policy", "train", "--keypoints", str(quick_keypoints), "--out", str(run), "--random-steps", "100",
        "--evaluation-episodes", "2", "--final-episodes", "1", "--seed", "1", "--resume",
    ]  # fmt: skip
    main([*command, "--steps", "200"])
    main([*command, "--steps", "300"])
    return run


def praise(run: Path, success: str) -> None:
    """Write a success into all evaluations on a run's way."""
    path = run / "policy" / "metrics.csv"
    rows = list(csv.DictReader(path.read_text().splitlines()))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(row | {"eval_success": success if row["eval_success"] else ""} for row in rows)


def test_a_bundle_to_keep_has_a_card_of_all_its_seeds(quick_run: Path, other_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "grasp-env1"
    worse, better = shutil.copytree(quick_run, tmp_path / "worse"), shutil.copytree(other_run, tmp_path / "better")
    praise(worse, "0.25")
    praise(better, "0.5")
    main(["policy", "card", "--runs", str(worse), str(better), "--out", str(out), "--episodes", "2"])
    assert load_bundle(out).info["provenance"]["seed"] == 1
    results = json.loads((out / "results.json").read_text())
    assert list(results["seeds"]) == ["1", "0"]
    for result in results["seeds"].values():
        assert set(result) == {"held out", "shifted"}
    text = (out / "README.md").read_text()
    assert "kprl policy train --preset quick --out RUN --task grasp --scene env1" in text
    assert "--seed 1 --steps 300 --random-steps 100 --evaluation-episodes 2\n" in text
    assert "- from step 0 at commit" in text and "- from step 200 at commit" in text
    assert "| mean, standard deviation |" in text
    for name in ("curves.png", "episode.gif"):
        with Image.open(out / name) as picture:
            picture.load()
    for link in ("keypoints/keypoints.json", "bundle.json"):
        assert (out / link).is_file()


def test_a_bundle_serves_where_its_keypoint_model_is_asked_for(quick_run: Path, quick_keypoints: Path) -> None:
    assert keypoints_of(quick_run / "bundle") == quick_run / "bundle" / "keypoints"
    assert keypoints_of(quick_keypoints) == quick_keypoints


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("unfinished", "holds no finished training"),
        ("other task", "differ in task (grasp, push)"),
        ("same seed", "expected a different one for each"),
        ("there", "exists: choose another folder"),
    ],
)
def test_what_gives_no_card_is_refused(
    change: str, words: str, quick_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second, out = shutil.copytree(quick_run, tmp_path / "second"), tmp_path / "out"
    if change == "unfinished":
        (second / "summary.json").unlink()
    elif change == "other task":
        changed = json.loads((second / "run.json").read_text()) | {"task": "push"}
        (second / "run.json").write_text(json.dumps(changed))
    elif change == "there":
        out.mkdir()
    with pytest.raises(SystemExit) as ended:
        main(["policy", "card", "--runs", str(quick_run), str(second), "--out", str(out), "--episodes", "1"])
    assert ended.value.code == USER_ERROR
    assert words in capsys.readouterr().err
    assert not (out / "README.md").exists()
