"""Table I's launches, with a stand-in for ros2: their results, faults and time-outs; and one real one."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

from kprl.cli import USER_ERROR, main
from kprl.errors import KprlError
from kprl.experiments import real_job
from kprl.experiments.real_job import RealJob
from kprl.files import read_json

ROS2 = """#!{python}
import json, os, pathlib, signal, sys, time
values = dict(word.split(":=") for word in sys.argv[4:])
out = pathlib.Path(values["output"])
kind = os.environ["FAKE_LAUNCH"]
(out / "pid").write_text(str(os.getpid()))
episodes = int(values["episodes"])
print("the launch's own words")
if kind == "hangs":
    time.sleep(600)
if kind == "deaf":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    time.sleep(600)
done = episodes - (kind == "breaks off")
outcomes = {{"success": done - 1, "missed": 1}}
result = {{"episodes": done, "success_rate": (done - 1) / done, "outcomes": outcomes, "bundle": "b"}}
(out / "result.json").write_text(json.dumps(result))
sys.exit(3 if kind == "fails" else 0)
"""


@pytest.fixture
def launch(tmp_path, monkeypatch):
    """Run a job of four episodes with a ros2 of some kind."""
    script = tmp_path / "bin" / "ros2"
    script.parent.mkdir()
    script.write_text(ROS2.format(python=sys.executable))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(script.parent), prepend=os.pathsep)

    def run(kind):
        monkeypatch.setenv("FAKE_LAUNCH", kind)
        return RealJob("GB", "env1", "cube", 4, seed=0).run(tmp_path)

    return run


def test_result_is_that_of_the_launch(launch, tmp_path):
    result = launch("works")
    assert result["final"] == {"success_rate": 0.75, "successes": 3, "episodes": 4}
    assert result["points"][0]["outcomes"] == "missed 1, success 3"
    assert "own words" in (tmp_path / "real/GB/seed0/launch/launch.log").read_text()


@pytest.mark.parametrize(
    ("kind", "words"), [("fails", "ended with status 3: see .*launch.log"), ("breaks off", "has 3 of 4 episodes")]
)
def test_a_launch_that_fails_is_an_error(launch, kind, words):
    with pytest.raises(KprlError, match=words):
        launch(kind)


@pytest.mark.parametrize("kind", ["hangs", "deaf"])
def test_a_launch_that_does_not_end_is_ended(launch, tmp_path, monkeypatch, kind):
    monkeypatch.setattr(real_job, "START_TIMEOUT", 5.0)
    monkeypatch.setattr(real_job, "EPISODE_TIMEOUT", 0.0)
    monkeypatch.setattr(real_job, "END_TIMEOUT", 2.0)
    with pytest.raises(KprlError, match="did not end within 5 s: see"):
        launch(kind)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "real/GB/seed0/launch/pid").read_text()), 0)


def test_what_an_earlier_attempt_left_is_not_taken_for_a_result(launch):
    launch("works")
    with pytest.raises(KprlError):
        launch("fails")


def test_without_ros_table1_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        main(["experiment", "table1", "--out", str(tmp_path / "out")])
    assert ended.value.code == USER_ERROR
    assert "no ros2 here: run `source setup.bash` first" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.graph
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("ros2") is None, reason="no ROS here")
def test_table1_runs_the_real_stack(tmp_path, monkeypatch):
    monkeypatch.setenv("ROS_DOMAIN_ID", "97")  # no graph of another test
    out = tmp_path / "out"
    main(["experiment", "table1", "--preset", "smoke", "--tasks", "GT", "--out", str(out)])
    result = read_json(out / "real/GT/seed0/result.json")
    assert result["final"]["episodes"] == 1 and "| GT | keypoints |" in (out / "results.md").read_text()
