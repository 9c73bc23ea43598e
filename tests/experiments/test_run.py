"""An experiment in its folder: results, resume, failing cells, refusals."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from fake_experiment import fake_run
from PIL import Image

from kprl.errors import KprlError
from kprl.experiments.run import run_experiment
from kprl.files import sha256_of


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def attempts(out):
    return {str(path.parent.relative_to(out)): int(path.read_text()) for path in out.rglob("attempts")}


def test_results_have_a_row_a_cell_and_evaluation_and_mean_and_variance(tmp_path):
    run_experiment(fake_run(tmp_path))
    found = rows(tmp_path / "results.csv")
    assert len(found) == 2 * 2 * 2 * 3  # tasks, methods, seeds, points
    assert list(found[0]) == [
        "experiment", "task", "method", "seed", "status", "point", "step", "success_rate", "error"
    ]  # fmt: skip
    one = [row for row in found if (row["task"], row["method"], row["seed"]) == ("b", "y", "1")]
    assert [(row["point"], row["step"], float(row["success_rate"])) for row in one] == [
        ("on the way", "0", 0.4), ("on the way", "100", 0.8), ("final", "100", 0.8)
    ]  # fmt: skip
    summary = {(row["task"], row["method"]): row for row in rows(tmp_path / "summary.csv")}
    assert set(summary) == {("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")}
    y = summary["a", "y"]  # 0.6 and 0.8 at the end
    assert float(y["mean"]) == pytest.approx(0.7) and float(y["variance"]) == pytest.approx(0.02)
    assert y["seeds"] == "2"
    text = (tmp_path / "results.md").read_text()
    assert "| a | y | 70.0 ± 14.1 % | 2 | 0.5 |" in text
    for words in ("kprl experiment fake --out there", "seeds 0, 1;", "8 cells on ", "This is a note.", "fake.png"):
        assert words in text
    assert "seeds from 2 on; the paper has 10" in text and "## Failed" not in text
    assert np.asarray(Image.open(tmp_path / "fake.png")).std() > 5


def test_a_failing_cell_is_named_and_all_others_finish(tmp_path):
    with pytest.raises(KprlError, match=r"^2 of 8 cells failed: a y seed 0, b y seed 0: why is in .*results.md"):
        run_experiment(fake_run(tmp_path, {"y-0": "refuses"}, retries=2))
    assert {name: count for name, count in attempts(tmp_path).items() if count > 1} == {
        "cells/a/y/seed0": 3, "cells/b/y/seed0": 3
    }  # fmt: skip
    found = rows(tmp_path / "results.csv")
    failed = [row for row in found if row["status"] == "failed"]
    assert [(row["task"], row["seed"], row["error"]) for row in failed] == [
        ("a", "0", "this job refuses: give it up"), ("b", "0", "this job refuses: give it up")
    ]  # fmt: skip
    assert sum(row["status"] == "done" for row in found) == 6 * 3
    text = (tmp_path / "results.md").read_text()
    assert "- a y seed 0: this job refuses: give it up" in text
    assert "| a | y | 80.0 % | 1 | 0.5 |" in text  # of the seed that is left, without a spread


def test_the_same_command_tries_failed_cells_again_and_nothing_else(tmp_path):
    with pytest.raises(KprlError):
        run_experiment(fake_run(tmp_path, {"y-0": "refuses"}, retries=0))
    before = attempts(tmp_path)
    run_experiment(fake_run(tmp_path, retries=0))
    after = attempts(tmp_path)
    assert {name for name in after if after[name] != before[name]} == {"cells/a/y/seed0", "cells/b/y/seed0"}
    assert "## Failed" not in (tmp_path / "results.md").read_text()


def test_a_failure_of_what_cells_share_fails_those_cells(tmp_path):
    with pytest.raises(KprlError, match="8 of 8 cells failed"):
        run_experiment(fake_run(tmp_path, {"base": "breaks"}, retries=0))
    assert all("needs base, which failed: ZeroDivisionError" in row["error"] for row in rows(tmp_path / "results.csv"))
    assert attempts(tmp_path) == {"base": 1}


def test_more_seeds_and_tasks_may_be_added(tmp_path):
    run_experiment(fake_run(tmp_path, seeds=1, tasks=("a",)))
    assert "tasks that were not asked for: b" in (tmp_path / "results.md").read_text()
    digest = sha256_of(tmp_path / "cells/a/x/seed0/result.json")
    run_experiment(fake_run(tmp_path, seeds=3))
    assert len(rows(tmp_path / "results.csv")) == 2 * 2 * 3 * 3
    assert sha256_of(tmp_path / "cells/a/x/seed0/result.json") == digest and set(attempts(tmp_path).values()) == {1}


def test_another_configuration_is_refused_by_name(tmp_path):
    run_experiment(fake_run(tmp_path, seeds=1))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with pytest.raises(KprlError, match="holds an experiment with images 60, not 70: go on with its own settings"):
        run_experiment(fake_run(tmp_path, images=70))
    path = tmp_path / "experiment.json"
    written = json.loads(path.read_text())
    written["policy"]["gamma"] = 0.5
    path.write_text(json.dumps(written))
    with pytest.raises(KprlError, match=r"with policy.gamma 0.5, not 0.96"):
        run_experiment(fake_run(tmp_path))
    assert {p: t for p, t in before.items() if p not in (path, tmp_path) and p.stat().st_mtime_ns != t} == {}


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(KprlError, match="is not empty .thesis.tex. and holds no experiment.json: choose another"):
        run_experiment(fake_run(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
