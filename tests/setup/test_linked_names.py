"""What the build links into install/ one by one: a new file there asks for a build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import install


@pytest.mark.parametrize("name", ["launch/mine.launch.py", "config/world/mine.yaml", "models/mine/bundle.json"])
def test_a_new_file_asks_for_a_build(name: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(install, "ROOT", tmp_path)
    before = install.linked_names()
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).touch()
    assert before == [] and install.linked_names() == [name]
