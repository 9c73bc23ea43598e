"""Generation: the same images for any number of workers, resumes, refuses foreign folders."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_scene import SyntheticWorld, make_dying_world, make_refusing_world, make_synthetic_world

from kprl.cli import main
from kprl.data.config import SHARD_IMAGES, GenerateConfig, image_seed
from kprl.data.dataset import load_dataset
from kprl.data.generate import generate
from kprl.data.local_engine import LocalEngine
from kprl.data.render import build_world
from kprl.data.shards import shard_name
from kprl.errors import KprlError
from kprl.files import read_json, write_json
from kprl.sim.ranges import read_ranges

IMAGES = 2 * SHARD_IMAGES + 30  # three shards, the last one short


def config_for(folder, **changes):
    return GenerateConfig(
        **{"task": "grasp", "scene": "env1", "object": "cube", "images": IMAGES, "out": folder, **changes}
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "finished"
    generate(config_for(folder, workers=2), make_synthetic_world, progress=False)
    return folder


@pytest.fixture
def copy(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "copy")


@given(st.integers(0, 2**40), st.integers(0, 10**6))
def test_seed_of_an_image_is_a_function_of_seed_and_index(seed, index):
    assert image_seed(seed, index) == image_seed(seed, index)
    assert image_seed(seed, index) != image_seed(seed, index + 1)
    assert 0 <= image_seed(seed, index) < 2**63


def test_images_do_not_depend_on_the_number_of_workers(finished, tmp_path):
    generate(config_for(tmp_path / "one", workers=1), make_synthetic_world, progress=False)
    assert read_json(tmp_path / "one" / "manifest.json") == read_json(finished / "manifest.json")
    for name in (shard_name(i) for i in range(3)):
        assert (tmp_path / "one" / name).read_bytes() == (finished / name).read_bytes()


def test_loaded_images_are_those_of_the_world(finished):
    dataset = load_dataset(finished)
    assert len(dataset) == IMAGES
    for i in (0, SHARD_IMAGES, IMAGES - 1):
        frame = SyntheticWorld().scatter(image_seed(0, i))
        np.testing.assert_array_equal(dataset.grey[i], frame.grey)
        np.testing.assert_array_equal(dataset.segmentation[i], frame.segmentation)
        np.testing.assert_allclose(dataset.depth[i], frame.depth, atol=5e-4)


def test_another_seed_gives_other_images(finished, tmp_path):
    generate(config_for(tmp_path / "d", images=5, seed=1, workers=1), make_synthetic_world, progress=False)
    assert (load_dataset(tmp_path / "d").grey != load_dataset(finished).grey[:5]).any(axis=(1, 2)).all()


def test_goes_on_with_missing_and_damaged_shards(copy, finished, capsys):
    untouched = (copy / shard_name(0)).stat().st_mtime_ns
    (copy / shard_name(1)).unlink()
    (copy / shard_name(2)).write_bytes(b"half written")
    generate(config_for(copy), make_synthetic_world, progress=False)
    assert (copy / shard_name(0)).stat().st_mtime_ns == untouched
    for name in (shard_name(1), shard_name(2)):
        assert (copy / name).read_bytes() == (finished / name).read_bytes()
    load_dataset(copy)
    told = capsys.readouterr().err
    assert f"{copy / shard_name(1)} is missing" in told
    assert f"{copy / shard_name(2)} is damaged" in told
    assert shard_name(0) not in told


@pytest.mark.parametrize("name", ["notes.txt", "other.npz", "shard-00003.npz"])
def test_foreign_file_in_a_data_folder_is_named_and_refused(copy, name):
    (copy / name).write_text("precious")
    (copy / shard_name(1)).unlink()
    with pytest.raises(KprlError, match=f"{name} is not part of this data set"):
        generate(config_for(copy), make_synthetic_world, progress=False)
    assert (copy / name).read_text() == "precious"
    assert not (copy / shard_name(1)).exists()


def test_foreign_name_in_a_manifest_is_refused(copy):
    manifest = read_json(copy / "manifest.json")
    manifest["shards"].append({"file": "../elsewhere.npz", "sha256": "0"})
    write_json(copy / "manifest.json", manifest)
    with pytest.raises(KprlError, match="elsewhere.npz is not part of this data set"):
        generate(config_for(copy), make_synthetic_world, progress=False)


def test_finished_folder_starts_no_worker(copy):
    generate(config_for(copy), make_dying_world, progress=False)


def test_dead_worker_is_reported_and_finished_shards_stay(copy):
    (copy / shard_name(1)).unlink()
    with pytest.raises(KprlError, match="process of the image generation died .exit status 9;"):
        generate(config_for(copy), make_dying_world, progress=False)
    assert (copy / shard_name(0)).is_file()
    with pytest.raises(KprlError, match="unfinished"):
        load_dataset(copy)


def test_folder_of_other_ranges_is_refused_by_name(copy, monkeypatch):
    ranges = read_ranges("train")
    brighter = replace(ranges, light=replace(ranges.light, ambient=(0.9, 1.0)))
    monkeypatch.setattr("kprl.data.config.read_ranges", lambda name: brighter)
    with pytest.raises(KprlError, match="ranges .*not "):
        generate(config_for(copy), make_synthetic_world, progress=False)


@pytest.mark.parametrize("change", [{"seed": 1}, {"images": 7}, {"randomization": "none"}])
def test_folder_of_another_data_set_is_refused_by_name(copy, change):
    ((name, value),) = change.items()
    with pytest.raises(KprlError, match=f"{name} .*not {value}"):
        generate(config_for(copy, **change), make_synthetic_world, progress=False)


def test_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(KprlError, match="not empty \\(thesis.tex\\)"):
        generate(config_for(tmp_path), make_synthetic_world, progress=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(KprlError, match="is a file"):
        generate(config_for(tmp_path / "file"), make_synthetic_world, progress=False)


@pytest.mark.parametrize("change", [{"images": 0}, {"workers": 0}, {"seed": -1}])
def test_impossible_numbers_are_refused(tmp_path, change):
    with pytest.raises(KprlError, match=next(iter(change))):
        config_for(tmp_path, **change)


def test_unknown_ranges_of_randomization_are_refused(tmp_path):
    with pytest.raises(KprlError, match="unknown randomization 'wild': choose one of none, shifted, train"):
        config_for(tmp_path, randomization="wild")


def test_fault_of_a_world_reaches_the_user(tmp_path):
    with pytest.raises(KprlError, match="this world has no camera"):
        generate(config_for(tmp_path / "d", images=5), make_refusing_world, progress=False)


def test_progress_counts_every_image(tmp_path):
    config, advances = config_for(tmp_path), []
    shards = dict(LocalEngine().render(config, make_synthetic_world, [shard_name(0), shard_name(2)], advances.append))
    assert sorted(shards) == [shard_name(0), shard_name(2)]
    assert sum(advances) == SHARD_IMAGES + 30


def test_world_of_the_settings_is_built(monkeypatch):
    built = []
    monkeypatch.setattr("kprl.envs.world.World", lambda **settings: built.append(settings))
    build_world(config_for("anywhere", scene="env1", randomization="shifted"))
    assert built == [{"task": "grasp", "scene": "env1", "object": "cube", "randomization": "shifted"}]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--engine", "abacus"], "unknown engine 'abacus': choose one of local, ray"),
        (["--address", "head:6379"], "add '--engine ray'"),
        (["--randomization", "wild"], "unknown randomization 'wild'"),
    ],
)
def test_impossible_flags_are_refused(tmp_path, capsys, flags, message):
    with pytest.raises(SystemExit) as exit:
        main(["data", "generate", "--images", "5", "--out", str(tmp_path / "d"), *flags])
    assert exit.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "d").exists()
