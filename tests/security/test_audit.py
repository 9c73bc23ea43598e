"""`make audit`: what it makes of pip-audit's answers, and that no answer is not taken for a good one."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import audit

ROOT = Path(__file__).resolve().parents[2]
GOOD = {"name": "numpy", "version": "2.0.0", "vulns": []}
WEAK = {"name": "pillow", "version": "9.0.0", "vulns": [
    {"id": "PYSEC-1", "fix_versions": ["9.0.1"]}, {"id": "PYSEC-2", "fix_versions": []},
]}  # fmt: skip
UNKNOWN = {"name": "ros-rclpy", "skip_reason": "Dependency not found"}


def answer(stdout: str, stderr: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess([], audit.FOUND, stdout, stderr)


def test_every_lock_file_is_audited_and_pins_exactly() -> None:
    assert set(audit.LOCKS) == {path.name for path in (ROOT / "requirements").glob("*.txt")}
    pins = audit.pins()
    assert len(pins) > 100 and all(re.fullmatch(r"[\w.-]+==[\w.+!-]+", pin) for pin in pins)
    assert len({pin.partition("==")[0] for pin in pins}) == len(pins)


def test_weaknesses_are_named_and_fail() -> None:
    status, lines = audit.report(audit.read(answer(json.dumps({"dependencies": [GOOD, WEAK, UNKNOWN], "fixes": []}))))
    assert status == audit.FOUND and lines == [
        "pillow 9.0.0: PYSEC-1, mended in 9.0.1",
        "pillow 9.0.0: PYSEC-2, not mended yet",
        "not known to the database: ros-rclpy",
        "audit: 2 packages, 1 with known weaknesses",
    ]
    assert audit.report([GOOD]) == (0, ["audit: 1 packages, 0 with known weaknesses"])


def test_what_was_not_looked_at_does_not_pass() -> None:
    assert audit.report([UNKNOWN])[0] == audit.UNKNOWN and audit.report([])[0] == audit.UNKNOWN


@pytest.mark.parametrize("stdout", ["", "Traceback", "[]", "{}"])
def test_no_answer_is_said_and_fails(
    stdout: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask(folder: Path) -> list[dict[str, Any]]:
        return audit.read(answer(stdout, "Traceback\nConnectionError: no route\n\n"))

    monkeypatch.setattr(audit, "ask", ask)
    assert audit.main() == audit.UNKNOWN
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    assert "does not answer: ConnectionError: no route. Nothing is known" in said.err


def test_a_step_that_fails_says_why() -> None:
    with pytest.raises(audit.NoAnswerError, match="it cannot be fetched: no such index"):
        audit._run(["bash", "-c", "echo no such index >&2; exit 1"], "it cannot be fetched")


def test_ci_audits_weekly_and_when_the_pins_change() -> None:
    text = (ROOT / ".github" / "workflows" / "audit.yml").read_text()
    workflow = yaml.load(text, Loader=yaml.BaseLoader)  # the safe loader takes the key `on` for true
    assert len(workflow["on"]["schedule"]) == 1 and workflow["permissions"] == {"contents": "read"}
    assert workflow["on"]["push"]["paths"] == workflow["on"]["pull_request"]["paths"]
    assert "requirements/**" in workflow["on"]["push"]["paths"]
    assert "make audit" in [step.get("run") for step in workflow["jobs"]["audit"]["steps"]]
    assert re.search(r"^audit:.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
