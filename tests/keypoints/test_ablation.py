"""The ablation: every cell is trained and measured once, and the tables say what was measured."""

from __future__ import annotations

import csv
import json

import pytest

from kprl.benchmarks.ablation import CELLS, DOMAINS, FIGURES, AblationConfig, Cell, run_ablation
from kprl.errors import KprlError
from kprl.keypoints.variants import VARIANTS


def config(data, out, **changes):
    return AblationConfig(data, out, "quick", **{"steps": 2, "images": 20, "probe_images": 60, "threads": 1, **changes})


def test_cells_cover_every_loss_and_number_of_keypoints():
    assert {cell.variant for cell in CELLS} == set(VARIANTS) - {"no_attack"}
    assert {cell.num_keypoints for cell in CELLS} == {8, 10, 12, 14}
    assert len({cell.name for cell in CELLS}) == len(CELLS)


def test_cells_are_measured_once_and_tabled(data_folder, tmp_path, monkeypatch):
    cells = [Cell("preset"), Cell("k8", num_keypoints=8), Cell("ae", representation="ae", reconstruct="image")]
    rows = run_ablation(config(data_folder, tmp_path), cells)
    with (tmp_path / "table.csv").open() as file:
        written = list(csv.DictReader(file))
    assert [row["cell"] for row in written] == ["preset", "k8", "ae"]
    assert {f"{domain}/{figure}" for domain in DOMAINS for figure in FIGURES} <= set(written[0])
    assert rows[2]["train/on_target"] is None and rows[2]["train/position_error_mm"] > 0
    assert (tmp_path / "table.md").read_text().count("\n") == 5
    assert json.loads((tmp_path / "k8-0.json").read_text())["train"]["images"] == 20
    monkeypatch.setattr("kprl.benchmarks.ablation.train_keypoints", None)  # would fail if it were called
    assert run_ablation(config(data_folder, tmp_path), cells) == rows


def test_results_of_other_settings_are_not_mixed_in(data_folder, tmp_path):
    run_ablation(config(data_folder, tmp_path), [Cell("preset")])
    with pytest.raises(KprlError, match="preset-0.json is of steps 2, not 3: choose another --out"):
        run_ablation(config(data_folder, tmp_path, steps=3), [Cell("preset")])
