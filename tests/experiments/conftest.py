"""The fake experiment is importable, here and in the workers of a Ray that all tests share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # fake_experiment
sys.path.insert(0, str(Path(__file__).parents[1] / "data"))  # processes


@pytest.fixture(scope="session")
def own_ray():
    """One Ray for all tests that need one: each start takes seconds."""
    from kprl.data.ray_engine import OWN_RAY, connected

    with pytest.MonkeyPatch.context() as patch:
        for name in (*OWN_RAY, "RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
            patch.setenv(name, "0")  # restored at the end; `connected` sets its own
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
        with connected("", workers=2) as ray:
            yield ray
