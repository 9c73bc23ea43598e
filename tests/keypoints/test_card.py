"""The model card says what the files beside it say, and its commands are the ones that made the model."""

from __future__ import annotations

import shutil

import pytest

from kprl.cli import main
from kprl.files import read_json, write_json
from kprl.keypoints.card import data_command, model_card, train_command


@pytest.fixture(scope="module")
def carded(model_folder, tmp_path_factory):
    folder = shutil.copytree(model_folder, tmp_path_factory.mktemp("card") / "grasp-env1")
    main(["keypoints", "card", "--model", str(folder), "--images", "20", "--probe-images", "60"])
    return folder


def test_card_shows_the_results_and_pictures_beside_it(carded):
    text = (carded / "README.md").read_text()
    for domain in ("held-out", "shifted"):
        result = read_json(carded / domain / "result.json")
        assert result["images"] == 20
        assert f"{result['position_error_mm']:.1f} mm" in text
        assert f"{result['confident']:.0%}" in text
    for link in (part.split(")")[0] for part in text.split("](")[1:]):
        assert (carded / link).is_file()


def test_commands_are_those_that_made_the_model(model_folder):
    description = read_json(model_folder / "keypoints.json")
    assert train_command(description) == (
        "kprl keypoints train --data data --out model --preset quick --num-keypoints 12 --seed 0 --steps 4 "
        "--threads 1 --precision float32"
    )
    assert "--task grasp --scene env1 --object cube --randomization train --images 160 --seed 0" in data_command(
        description["training"]["data"]
    )


def test_figures_that_do_not_exist_are_dashes(carded):
    path = carded / "shifted" / "result.json"
    write_json(path, {**read_json(path), "wander_px": None})
    assert "px | - |" in model_card(carded, read_json(carded / "keypoints.json"))
