"""The parts of the training: what a step sees, when it stops, what variants change, where it computes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils import convert_conv2d_weight_memory_format

from kprl.data.dataset import load_dataset
from kprl.errors import KprlError
from kprl.keypoints.compute import choose_compute
from kprl.keypoints.divergence import PATIENCE, SETTLED_STEPS, WORSE, DivergenceWatch
from kprl.keypoints.feed import Feed, split, step_noise
from kprl.keypoints.objective import KeypointObjective, total
from kprl.keypoints.panel import reconstruction_panel
from kprl.keypoints.presets import PRESETS
from kprl.keypoints.targets import Batch, DepthScale
from kprl.keypoints.variants import VARIANTS

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def dataset(data_folder):
    return load_dataset(data_folder)


def feed(dataset, seed=0, indices=None, batch_size=10):
    indices = np.arange(len(dataset)) if indices is None else indices
    return Feed(dataset, indices, DepthScale(1.0, 0.1), batch_size, seed, CPU)


@given(images=st.integers(40, 5000), seed=st.integers(0, 100))
def test_split_is_a_partition(images, seed):
    training, held_out = split(images, seed)
    assert sorted([*training, *held_out]) == list(range(images))
    assert 4 <= len(held_out) <= max(4, images // 20)


def test_an_epoch_shows_every_image_once_in_an_order_of_its_own(dataset):
    source = feed(dataset)
    epochs = [torch.cat([source.step(16 * epoch + i).images for i in range(16)]) for epoch in range(2)]
    for epoch in epochs:
        assert epoch.flatten(1).sum(1).sort().values.equal(epochs[0].flatten(1).sum(1).sort().values)
    assert not torch.equal(*epochs)


def test_a_step_sees_the_same_whenever_it_is_asked(dataset):
    fresh = feed(dataset).step(37)
    source = feed(dataset)
    for step in range(37):
        source.step(step)
    assert torch.equal(source.step(37).images, fresh.images)
    assert not torch.equal(feed(dataset, seed=1).step(37).images, fresh.images)


def test_processes_share_a_batch(dataset):
    whole = feed(dataset).step(3).images
    parts = [feed(dataset).step(3, rank, 2).images for rank in range(2)]
    assert torch.equal(torch.stack(parts, dim=1).flatten(0, 1), whole)


def test_noise_is_of_seed_step_and_process():
    keys = ((0, 1, 0), (0, 2, 0), (0, 1, 1), (1, 1, 0))
    drawn = {key: torch.rand(4, generator=step_noise(*key, CPU)).tolist() for key in keys}
    assert len({tuple(values) for values in drawn.values()}) == 4
    assert torch.rand(4, generator=step_noise(0, 1, 0, CPU)).tolist() == drawn[0, 1, 0]


def test_all_leaves_out_a_rest_too_small_to_rotate(dataset):
    sizes = [len(batch.images) for batch in feed(dataset, indices=np.arange(22)).all()]
    assert sizes == [10, 10]
    assert [len(batch.images) for batch in feed(dataset, indices=np.arange(23)).all()] == [10, 10, 3]


@given(st.lists(st.floats(1.0, WORSE), min_size=1, max_size=20))
def test_ordinary_losses_do_not_stop_a_training(losses):
    watch = DivergenceWatch()
    assert all(watch.verdict(loss, SETTLED_STEPS + i) is None for i, loss in enumerate(losses))


def test_losses_far_above_the_best_stop_a_training():
    watch = DivergenceWatch()
    assert watch.verdict(9.0, SETTLED_STEPS - 1) is None  # not settled
    assert watch.verdict(1.0, SETTLED_STEPS) is None
    for i in range(1, PATIENCE):
        assert watch.verdict(2.0, SETTLED_STEPS + i) is None
    assert watch.verdict(1.2, 1000) is None  # recovered
    for _ in range(1, PATIENCE):
        assert watch.verdict(2.0, 1001) is None
    assert "2.0 times its best" in watch.verdict(2.0, 1002)
    watch = DivergenceWatch(best=1.0)
    assert watch.verdict(1.2, 1003, last=True) is None
    assert "2.0 times its best" in watch.verdict(2.0, 1004, last=True)  # no second chance
    assert "became nan at step 5" in DivergenceWatch().verdict(float("nan"), 5)


@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in ("none", "attack", "no_attack")])
def test_each_variant_changes_the_cpu_preset(name):
    assert VARIANTS[name](PRESETS["cpu"]) != PRESETS["cpu"]


def test_variants_return_to_the_papers_setting():
    changed = PRESETS["cpu"]
    for name in VARIANTS:
        if name.startswith("paper"):
            changed = VARIANTS[name](changed)
    paper = PRESETS["paper"]
    for field in ("sharpness", "assigned", "proximity_sharpness", "learning_rate", "one_cycle"):
        assert getattr(changed, field) == getattr(paper, field)
    assert VARIANTS["no_attack"](paper).attack is None
    assert VARIANTS["attack"](PRESETS["cpu"]).attack is not None
    assert dataclasses.asdict(VARIANTS["no_depth"](paper).weights)["depth"] == 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="asks for the GPU that is not there")
def test_cuda_without_a_gpu_is_refused():
    with pytest.raises(KprlError, match="torch sees no GPU"):
        choose_compute("cuda", "auto")
    assert choose_compute("auto", "auto").device == CPU


def test_precision_is_as_asked():
    for precision in ("float32", "bfloat16"):
        with choose_compute("cpu", precision).autocast():
            product = torch.ones(2, 2) @ torch.ones(2, 2)
        assert str(product.dtype) == f"torch.{precision}"


@pytest.mark.parametrize("preset", ["cpu", "paper"])
def test_bfloat16_gives_about_the_same_gradients(preset, dataset):
    batch = next(iter(feed(dataset, batch_size=8).all()))
    gradients = {}
    for precision in ("float32", "bfloat16"):
        torch.manual_seed(0)
        objective = KeypointObjective(PRESETS[preset], 8)
        compute = choose_compute("cpu", precision)
        convert_conv2d_weight_memory_format(objective, compute.memory_format)
        with compute.autocast():
            loss = total(objective, objective(batch, 0.5, step_noise(0, 0, 0, CPU)))
        loss.backward()
        gradients[precision] = torch.cat([p.grad.flatten() for p in objective.parameters()])
    assert torch.isfinite(gradients["bfloat16"]).all()
    assert torch.cosine_similarity(*gradients.values(), dim=0) > 0.95


def test_panel_shows_truth_above_prediction(dataset):
    batch = next(iter(feed(dataset, batch_size=4).all()))
    exact = {"depth": batch.depth, "shares": batch.shares, "images": batch.images}
    panel = reconstruction_panel(batch, exact)
    assert panel.shape == (6 * 128, 4 * 128, 3) and panel.dtype == np.uint8
    image, depth, same_depth, classes, same_classes, same_image = np.split(panel, 6)
    assert (depth == same_depth).all() and (classes == same_classes).all() and (image == same_image).all()
    assert len(reconstruction_panel(batch, {"depth": batch.depth})) == 3 * 128


def test_panel_of_equal_depth_is_drawn():
    flat = Batch(torch.zeros(1, 1, 64, 64), torch.zeros(1, 1, 32, 32), torch.full((1, 3, 32, 32), 1 / 3))
    assert reconstruction_panel(flat, {"depth": flat.depth}).shape == (3 * 128, 128, 3)
