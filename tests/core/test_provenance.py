"""A result names its code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kprl.provenance import provenance


@pytest.mark.skipif(not (Path(__file__).parents[2] / ".git").exists(), reason="asks for a checkout")
def test_the_commit_is_that_of_the_checkout_unless_another_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KPRL_COMMIT", raising=False)
    assert re.fullmatch(r"[0-9a-f]{12}\+?", str(provenance()["commit"]))
    monkeypatch.setenv("KPRL_COMMIT", "unknown")  # what a container is built with that was told nothing
    assert re.fullmatch(r"[0-9a-f]{12}\+?", str(provenance()["commit"]))
    monkeypatch.setenv("KPRL_COMMIT", "of-the-copy")  # a copy may lie inside another checkout
    assert provenance()["commit"] == "of-the-copy"
