"""`kprl bench encoder`: its keys, and that deployment is quicker than eager torch and equal to it."""

from __future__ import annotations

import json

from kprl.cli import main

KEYS = {"deployed_ms", "eager_ms", "speedup_vs_eager", "largest_difference", "load_and_warm_up_ms", "first_frame_ms"}


def test_bench_writes_its_keys(tmp_path, capsys):
    main(["bench", "encoder", "--rounds", "2", "--frames", "300", "--json", str(tmp_path / "bench.json")])
    result = json.loads((tmp_path / "bench.json").read_text())
    assert set(result["by_network"]) == {"cpu", "paper"}
    for measured in result["by_network"].values():
        assert set(measured) >= KEYS
    assert result["speedup_vs_eager"] > 1.0  # the full run shows more; this machine may be busy
    assert result["largest_difference"] < 1e-4
    assert result["allocated_bytes_per_frame"] < 2_000
    assert result["resident_growth_bytes"] < 300 * 4_000  # less than a picture for each frame
    assert (result["threads"], result["frames"]) == (1, 300)
    assert "times as fast as eager torch" in capsys.readouterr().out


def test_bench_measures_a_model(model_folder, tmp_path):
    file, short = tmp_path / "bench.json", ["--rounds", "1", "--frames", "1"]
    main(["bench", "encoder", *short, "--model", str(model_folder), "--json", str(file)])
    assert set(json.loads(file.read_text())["by_network"]) == {"model"}
