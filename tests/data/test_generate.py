"""Generation: the same images for any number of workers, resumes, refuses foreign folders."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_scene import SyntheticWorld, make_dying_world, make_synthetic_world

from kprl.data.config import SHARD_IMAGES, GenerateConfig, image_seed
from kprl.data.dataset import load_dataset
from kprl.data.generate import generate
from kprl.data.shards import shard_name
from kprl.errors import KprlError
from kprl.files import read_json

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


def test_goes_on_with_missing_and_damaged_shards(copy, finished):
    untouched = (copy / shard_name(0)).stat().st_mtime_ns
    (copy / shard_name(1)).unlink()
    (copy / shard_name(2)).write_bytes(b"half written")
    generate(config_for(copy), make_synthetic_world, progress=False)
    assert (copy / shard_name(0)).stat().st_mtime_ns == untouched
    for name in (shard_name(1), shard_name(2)):
        assert (copy / name).read_bytes() == (finished / name).read_bytes()
    load_dataset(copy)


def test_finished_folder_starts_no_worker(copy):
    generate(config_for(copy), make_dying_world, progress=False)


def test_dead_worker_is_reported_and_finished_shards_stay(copy):
    (copy / shard_name(1)).unlink()
    with pytest.raises(KprlError, match="process of the image generation died"):
        generate(config_for(copy), make_dying_world, progress=False)
    assert (copy / shard_name(0)).is_file()
    with pytest.raises(KprlError, match="unfinished"):
        load_dataset(copy)


@pytest.mark.parametrize("change", [{"seed": 1}, {"images": 7}])
def test_folder_of_another_data_set_is_refused_by_name(copy, change):
    ((name, value),) = change.items()
    with pytest.raises(KprlError, match=f"{name} .*not {value}"):
        generate(config_for(copy, **change), make_synthetic_world, progress=False)


def test_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(KprlError, match="not empty"):
        generate(config_for(tmp_path), make_synthetic_world, progress=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(KprlError, match="is a file"):
        generate(config_for(tmp_path / "file"), make_synthetic_world, progress=False)


@pytest.mark.parametrize("change", [{"images": 0}, {"workers": 0}, {"seed": -1}])
def test_impossible_numbers_are_refused(tmp_path, change):
    with pytest.raises(KprlError, match=next(iter(change))):
        config_for(tmp_path, **change)
