"""Loading: whatever is missing, damaged or foreign is named."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from synthetic_scene import SyntheticWorld, make_synthetic_world

from kprl.data.config import GenerateConfig
from kprl.data.dataset import load_dataset
from kprl.data.generate import generate
from kprl.data.preview import contact_sheet, depth_to_grey
from kprl.data.shards import ARRAYS, read_shard, shard_name
from kprl.errors import KprlError
from kprl.files import read_json, sha256_of, write_json

SHARD = shard_name(0)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dataset") / "original"
    config = GenerateConfig("grasp", "env1", "cube", images=12, out=folder, workers=1)
    generate(config, make_synthetic_world, progress=False)
    return folder


@pytest.fixture
def folder(original, tmp_path):
    return shutil.copytree(original, tmp_path / "data")


def test_arrays_have_the_documented_types(folder):
    dataset = load_dataset(folder)
    for array, dtype in (
        (dataset.grey, np.uint8),
        (dataset.depth, np.float16),
        (dataset.segmentation, np.uint8),
    ):
        assert array.shape == (12, 64, 64)
        assert array.dtype == dtype
    assert dataset.config["scene"] == "env1"
    assert len(dataset.subset(np.array([3, 4]))) == 2


def test_changed_byte_is_noticed(folder):
    content = bytearray((folder / SHARD).read_bytes())
    content[5000] ^= 1
    (folder / SHARD).write_bytes(content)
    with pytest.raises(KprlError, match=f"{SHARD} is damaged"):
        load_dataset(folder)


def test_missing_shard_is_named(folder):
    (folder / SHARD).unlink()
    with pytest.raises(KprlError, match=f"{SHARD} is missing"):
        load_dataset(folder)


def test_foreign_shard_is_named(folder):
    (folder / "shard-00007.npz").write_bytes((folder / SHARD).read_bytes())
    with pytest.raises(KprlError, match="shard-00007.npz is not part"):
        load_dataset(folder)


def test_folder_without_manifest_is_refused(tmp_path):
    with pytest.raises(KprlError, match="not a kprl data folder"):
        load_dataset(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "expected kprl-data"),
        ({"version": 99}, "version 99"),
        ({"config": {}}, "number of images"),
        ({"shards": None}, "list of shards"),
        ({"shards": []}, "unfinished"),
    ],
)
def test_unusable_manifest_is_refused(folder, change, message):
    path = folder / "manifest.json"
    write_json(path, {**read_json(path), **change})
    with pytest.raises(KprlError, match=message):
        load_dataset(folder)


def test_shard_with_other_arrays_is_refused_even_with_a_right_checksum(folder):
    for arrays, message in (
        ({"grey": np.zeros((12, 64, 64), np.uint8)}, "not a shard"),
        (dict.fromkeys(ARRAYS, np.zeros((12, 32, 32), np.uint8)), "grey is uint8"),
        (dict.fromkeys(ARRAYS, np.array([object()])), "not a shard"),
    ):
        np.savez(folder / SHARD, **arrays)
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["shards"][0]["sha256"] = sha256_of(folder / SHARD)
        write_json(folder / "manifest.json", manifest)
        with pytest.raises(KprlError, match=message):
            load_dataset(folder)


def test_text_instead_of_a_shard_is_refused(tmp_path):
    (tmp_path / SHARD).write_text("not a zip file")
    with pytest.raises(KprlError, match="not a shard"):
        read_shard(tmp_path / SHARD, 12)


def test_contact_sheet_shows_every_seed(tmp_path):
    from PIL import Image

    contact_sheet(SyntheticWorld(), range(5), tmp_path / "sheet.png", columns=2)
    with Image.open(tmp_path / "sheet.png") as sheet:
        picture = np.asarray(sheet)
    assert picture.shape[0] > 3 * 3 * 64 and picture.shape[1] > 2 * 3 * 3 * 64
    assert len(np.unique(picture)) > 50


def test_near_is_bright_in_the_depth_picture():
    grey = depth_to_grey(np.array([[0.5, 1.0]], np.float32))
    assert grey.tolist() == [[255, 0]]
    assert depth_to_grey(np.ones((2, 2), np.float32)).tolist() == [[0, 0], [0, 0]]
