"""A bundle to keep and its card, from trainings of a few hundred steps."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from kprl.bundle import keypoints_of, load_bundle
from kprl.cli import USER_ERROR, main
from kprl.files import sha256_of


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


def praise(run: Path, success: float) -> Path:
    """Write a success of the best evaluation on its way into a run's bundle."""
    name, bundle = "checkpoint/checkpoint.json", run / "bundle"
    (bundle / name).write_text(json.dumps(json.loads((bundle / name).read_text()) | {"success_rate": success}))
    info = json.loads((bundle / "bundle.json").read_text())
    info["sha256"][name] = sha256_of(bundle / name)
    (bundle / "bundle.json").write_text(json.dumps(info))
    return run


def test_a_bundle_to_keep_has_a_card_of_all_its_seeds(quick_run: Path, other_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "grasp-env1"
    worse = praise(shutil.copytree(quick_run, tmp_path / "worse"), 0.25)
    better = praise(shutil.copytree(other_run, tmp_path / "better"), 0.5)
    main(["policy", "card", "--runs", str(worse), str(better), "--out", str(out), "--episodes", "2"])
    assert load_bundle(out).info["provenance"]["seed"] == 1
    results = json.loads((out / "results.json").read_text())
    assert list(results["seeds"]) == ["1", "0"]
    for result in results["seeds"].values():
        assert set(result) == {"held out", "shifted", "steps", "commit", "promise", "evaluations"}
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


@pytest.mark.parametrize(("success", "ships"), [(0.25, 0), (0.75, 1)])
def test_a_run_joins_an_earlier_card(
    success: float, ships: int, quick_run: Path, other_run: Path, tmp_path: Path
) -> None:
    first, joined = tmp_path / "first", tmp_path / "grasp-env1"
    praise(shutil.copytree(quick_run, tmp_path / "quick"), 0.5)
    main(["policy", "card", "--runs", str(tmp_path / "quick"), "--out", str(first), "--episodes", "2"])
    praise(shutil.copytree(other_run, tmp_path / "other"), success)
    join = ["policy", "card", "--runs", str(tmp_path / "other"), "--kept", str(first), "--out", str(joined)]
    main([*join, "--episodes", "2"])
    assert load_bundle(joined).info["provenance"]["seed"] == ships
    before, after = (json.loads((folder / "results.json").read_text())["seeds"] for folder in (first, joined))
    assert list(after) == [str(ships), str(1 - ships)]
    assert after["0"] == before["0"]
    card = (joined / "README.md").read_text()
    assert "| 0 | 300 |" in card and "| 1 | 300 |" in card and "| mean, standard deviation |" in card


def test_a_card_with_figures_only_tells_the_rest_by_its_bundle(
    quick_run: Path, other_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = tmp_path / "first"
    main(["policy", "card", "--runs", str(quick_run), "--out", str(first), "--episodes", "1"])
    results = json.loads((first / "results.json").read_text())
    figures = {name: results["seeds"]["0"][name] for name in ("held out", "shifted")}
    (first / "results.json").write_text(json.dumps(results | {"seeds": {"0": figures}}))
    join = ["policy", "card", "--runs", str(other_run), "--kept", str(first), "--episodes", "1", "--out"]
    main([*join, str(tmp_path / "joined")])
    assert "No curve is on record of seed 0." in (tmp_path / "joined" / "README.md").read_text()
    made = load_bundle(quick_run / "bundle").info["provenance"]
    record = json.loads((tmp_path / "joined" / "results.json").read_text())["seeds"]["0"]
    assert record["steps"] == made["steps"] and record["commit"] == made["parts"][0]["commit"]
    (first / "results.json").write_text(json.dumps(results | {"seeds": {"7": figures}}))
    with pytest.raises(SystemExit):
        main([*join, str(tmp_path / "third")])
    assert "does not say how seed 7 was trained" in capsys.readouterr().err


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
        ("kept longer", "has episodes 2, and what is to join it has 1"),
    ],
)
def test_what_gives_no_card_is_refused(
    change: str, words: str, quick_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more: list[str] = []
    second, out = shutil.copytree(quick_run, tmp_path / "second"), tmp_path / "out"
    if change == "unfinished":
        (second / "summary.json").unlink()
    elif change == "other task":
        changed = json.loads((second / "run.json").read_text()) | {"task": "push"}
        (second / "run.json").write_text(json.dumps(changed))
    elif change == "there":
        out.mkdir()
    elif change == "kept longer":
        kept = tmp_path / "kept"
        main(["policy", "card", "--runs", str(quick_run), "--out", str(kept), "--episodes", "2"])
        more = ["--kept", str(kept)]
    with pytest.raises(SystemExit) as ended:
        main(["policy", "card", "--runs", str(quick_run), str(second), "--out", str(out), "--episodes", "1", *more])
    assert ended.value.code == USER_ERROR
    assert words in capsys.readouterr().err
    assert not (out / "README.md").exists()
