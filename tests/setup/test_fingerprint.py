"""Which changes make a set-up step run again."""

from __future__ import annotations

from pathlib import Path

from fingerprint import fingerprint, read, remember


def test_it_changes_with_values_names_and_contents(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("same")
    second.write_text("same")
    seen = {
        fingerprint(["cpu"], [first]),
        fingerprint(["cuda"], [first]),
        fingerprint(["cpu"], [second]),
        fingerprint(["cpu"], [first, second]),
        fingerprint(["c", "pu"], [first]),
    }
    assert len(seen) == 5
    assert fingerprint(["cpu"], [first]) in seen
    first.write_text("other")
    assert fingerprint(["cpu"], [first]) not in seen


def test_steps_are_remembered_beside_each_other(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    assert read(state) == {}
    remember(state, "packages", "1")
    remember(state, "build", "2")
    remember(state, "packages", "3")
    assert read(state) == {"packages": "3", "build": "2"}
    assert list(tmp_path.iterdir()) == [state]
