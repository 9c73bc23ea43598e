"""The deployed encoder: equal to torch, strict about images and about its folder."""

from __future__ import annotations

import shutil

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import load_file

from kprl.errors import KprlError
from kprl.files import read_json, sha256_of, write_json
from kprl.keypoints.encoder import OnnxEncoder, load_encoder
from kprl.keypoints.export import TOLERANCE, TorchEncoder, export_onnx
from kprl.keypoints.model import Autoencoder
from kprl.keypoints.presets import PRESETS


def images(n, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, 64, 64), np.uint8)


@pytest.fixture
def copy(model_folder, tmp_path):
    return shutil.copytree(model_folder, tmp_path / "model")


@pytest.mark.parametrize("n", [1, 2, 7])
def test_onnx_computes_what_torch_computes(model_folder, n):
    model = Autoencoder(read_json(model_folder / "keypoints.json")["architecture"])
    model.load_state_dict(load_file(model_folder / "model.safetensors"))
    keypoints = load_encoder(model_folder).encode(images(n))
    assert keypoints.shape == (n, 12, 3) and keypoints.dtype == np.float32
    np.testing.assert_allclose(keypoints, TorchEncoder(model.encoder, 12).encode(images(n)), atol=TOLERANCE)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_can_be_exported(preset, tmp_path):
    torch.manual_seed(0)
    model = Autoencoder(PRESETS[preset].architecture(8))
    export_onnx(model.encoder, 8, tmp_path / "encoder.onnx")
    assert OnnxEncoder(tmp_path / "encoder.onnx", 8).encode(images(3)).shape == (3, 8, 3)


def test_threads_share_a_batch_and_change_nothing(model_folder):
    alone, shared = (load_encoder(model_folder, threads) for threads in (1, 3))
    np.testing.assert_allclose(shared.encode(images(9)), alone.encode(images(9)), atol=1e-5)
    threads = [encoder._session.get_session_options().intra_op_num_threads for encoder in (alone, shared)]
    assert threads == [1, 3] and shared._single.get_session_options().intra_op_num_threads == 1


def test_keypoints_are_in_range(model_folder):
    keypoints = load_encoder(model_folder).encode(images(5))
    assert (np.abs(keypoints[..., :2]) <= 1).all()
    assert ((keypoints[..., 2] >= 0) & (keypoints[..., 2] <= 1)).all()


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((1, 32, 32), np.uint8), np.zeros((64, 64), np.uint8), np.zeros((1, 64, 64), np.float32)],
)
def test_other_images_are_refused(model_folder, wrong):
    with pytest.raises(KprlError, match=r"images are .*expected \(N, 64, 64\) uint8"):
        load_encoder(model_folder).encode(wrong)


@pytest.mark.parametrize("name", ["encoder.onnx", "model.safetensors"])
def test_damaged_and_missing_files_are_named(copy, name):
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(KprlError, match=f"{name} is damaged"):
        load_encoder(copy)
    (copy / name).unlink()
    with pytest.raises(KprlError, match=f"{name} is missing"):
        load_encoder(copy)


def test_folder_of_something_else_is_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(KprlError, match="not a keypoint model folder"):
            load_encoder(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "format is other"),
        ({"version": 99}, "version is 99, expected 1"),
        ({"field_of_view_deg": 90.0}, "field_of_view_deg is 90.0"),
        ({"num_keypoints": "twelve"}, "expected a positive integer"),
        ({"num_keypoints": 10}, r"expected \[1, 64, 64\] to \[10, 3\]"),
        ({"files": {}}, "checksums of"),
    ],
)
def test_description_that_does_not_fit_is_refused(copy, change, message):
    path = copy / "keypoints.json"
    write_json(path, {**read_json(path), **change})
    with pytest.raises(KprlError, match=message):
        load_encoder(copy)


def test_text_in_the_place_of_the_model_is_refused(copy):
    (copy / "encoder.onnx").write_text("not a model")
    description = read_json(copy / "keypoints.json")
    description["files"]["encoder.onnx"] = sha256_of(copy / "encoder.onnx")
    write_json(copy / "keypoints.json", description)
    with pytest.raises(KprlError, match="not a usable ONNX model"):
        load_encoder(copy)


def test_weights_that_are_not_finite_are_not_exported(tmp_path):
    model = Autoencoder(PRESETS["quick"].architecture(8))
    with torch.no_grad():
        model.encoder.features.norms[1].bias[3] = float("inf")
    with pytest.raises(KprlError, match="weight features.norms.1.bias is not finite: nothing was exported"):
        export_onnx(model.encoder, 8, tmp_path / "encoder.onnx")
    assert not list(tmp_path.iterdir())


def test_onnx_with_a_weight_that_is_not_finite_is_refused_at_load(model_folder, tmp_path):
    model = onnx.load(model_folder / "encoder.onnx")
    bias = next(part for part in model.graph.initializer if part.name.endswith("head.bias"))
    bias.CopyFrom(numpy_helper.from_array(np.full_like(numpy_helper.to_array(bias), np.nan), bias.name))
    onnx.save(model, tmp_path / "encoder.onnx")
    with pytest.raises(KprlError, match="encoder.onnx returned keypoints that are not finite: train the model anew"):
        OnnxEncoder(tmp_path / "encoder.onnx", 12)


def test_a_frame_is_the_callers_own(model_folder):
    encoder = load_encoder(model_folder)
    first, second = images(2)
    kept = encoder.encode(first[None])
    copy_of_kept = kept.copy()
    other = encoder.encode(second[None])
    np.testing.assert_array_equal(kept, copy_of_kept)
    assert not np.array_equal(kept, other)
    together = encoder.encode(np.stack([first, second]))
    np.testing.assert_allclose(together, np.concatenate([kept, other]), atol=1e-5)


def test_latent_codes_are_no_keypoints(copy):
    path = copy / "keypoints.json"
    write_json(path, {**read_json(path), "values_per_keypoint": 2})
    with pytest.raises(KprlError, match=r"expected \[1, 64, 64\] to \[12, 2\]"):
        load_encoder(copy)
    write_json(path, {**read_json(path), "values_per_keypoint": 5})
    with pytest.raises(KprlError, match="values_per_keypoint is 5, expected one of"):
        load_encoder(copy)


def test_keypoints_that_are_not_finite_on_black_are_refused_at_load(tmp_path):
    graph = helper.make_graph(
        [
            helper.make_node("GlobalMaxPool", ["images"], ["brightest"]),  # (N, 1, 1, 1)
            helper.make_node("Div", ["brightest", "brightest"], ["one"]),
            helper.make_node("Squeeze", ["one", "axis"], ["squeezed"]),
            helper.make_node("Mul", ["squeezed", "ones"], ["keypoints"]),
        ],
        "broken",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [None, 1, 64, 64])],
        [helper.make_tensor_value_info("keypoints", TensorProto.FLOAT, [None, 2, 3])],
        [
            numpy_helper.from_array(np.array([3]), "axis"),
            numpy_helper.from_array(np.ones((1, 2, 3), np.float32), "ones"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "broken.onnx")
    with pytest.raises(KprlError, match="broken.onnx returned keypoints that are not finite"):
        OnnxEncoder(tmp_path / "broken.onnx", 2)


def test_keypoints_that_are_not_finite_are_refused(tmp_path):
    value = helper.make_tensor("value", TensorProto.FLOAT, [1, 2, 3], [float("nan")] * 6)
    graph = helper.make_graph(
        [helper.make_node("Constant", [], ["keypoints"], value=value)],
        "broken",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [None, 1, 64, 64])],
        [helper.make_tensor_value_info("keypoints", TensorProto.FLOAT, [1, 2, 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "broken.onnx")
    with pytest.raises(KprlError, match="not finite"):
        OnnxEncoder(tmp_path / "broken.onnx", 2)
