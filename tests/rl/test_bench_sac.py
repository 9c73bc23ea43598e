"""`kprl bench sac`: its keys, that it is quicker than stable-baselines3, and what it says of an absent peer."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import pytest

from kprl.benchmarks import sac
from kprl.cli import USER_ERROR, main


def test_bench_writes_its_keys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sac, "ROUND", 40)
    monkeypatch.setattr(sac, "EXPERIENCE", 1000)
    monkeypatch.setattr(sac, "SWEEPS_COMPILE", "no")
    main(["bench", "sac", "--rounds", "3", "--peers", "sb3", "--json", str(tmp_path / "bench.json")])
    result = json.loads((tmp_path / "bench.json").read_text())
    assert result["ratio_vs_sb3"] > 1.0  # the full run shows more; this machine may be busy
    assert result["updates_per_s"] == result["updates_per_s_by_library"]["kprl"] > 0
    assert set(result["by_keypoints"]) == {"8", "10", "12", "14"}
    assert result["by_batch"]["128"] > result["by_batch"]["2048"]
    assert "times as fast as sb3" in capsys.readouterr().out


def test_an_absent_peer_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_sbx(name: str, *rest: Any) -> Any:
        if name == "sbx":
            raise ImportError("No module named 'sbx'")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_sbx)
    with pytest.raises(SystemExit) as ended:
        main(["bench", "sac", "--rounds", "1", "--peers", "sbx"])
    assert ended.value.code == USER_ERROR
    assert "pip install sbx-rl, or leave it out" in capsys.readouterr().err
