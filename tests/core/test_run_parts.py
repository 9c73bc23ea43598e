"""run.json tells which code and machine made which steps of a training, and nothing of attempts that made none."""

from __future__ import annotations

from pathlib import Path

from kprl.files import read_json, write_json
from kprl.policy_run import PolicyRun, _begin_part, _may_resume
from kprl.rl.checkpoint import DESCRIPTION

KEYPOINTS = Path(__file__).parents[2] / "models" / "grasp-env1" / "keypoints"


def test_only_parts_that_left_a_checkpoint_are_told(tmp_path: Path) -> None:
    run = PolicyRun(KEYPOINTS, tmp_path)
    assert not _may_resume(run)  # there is none: it begins
    last = tmp_path / "policy" / "checkpoints" / "last"
    last.mkdir(parents=True)
    for steps in (0, 0, 500, 500, 500, 900):  # of the last checkpoint, whenever the training was begun again
        write_json(last / DESCRIPTION, {"steps": steps})
        parts = _begin_part(run, 1000, resume=True)
        assert read_json(tmp_path / "run.json")["parts"] == parts
    assert [part["from_step"] for part in parts] == [0, 500, 900]
    write_json(last / DESCRIPTION, {"steps": 1000})
    assert _begin_part(run, 1000, resume=True) == parts  # it only lacks its deliverables
