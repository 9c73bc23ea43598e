"""Recordings that the tests play, made by the SDK's own recorder from its software device."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # software_camera
sys.path.insert(0, str(Path(__file__).parents[1] / "graph"))  # graph_processes

from software_camera import record  # noqa: E402

RECORDED = 12  # frames


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Patterns 1 to 12 in infrared."""
    path = tmp_path_factory.mktemp("recording") / "infra1.db3"
    record(path, RECORDED)
    return path
