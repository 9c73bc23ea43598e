"""A keypoint model and a policy bundle that several tests share: trained for a moment, by the real commands."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from kprl.cli import main


def pytest_configure() -> None:
    """A shell starts what it puts into the background deaf to Ctrl-C, and a process leaves that to its children."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def quick_keypoints(tmp_path_factory) -> Path:
    """A keypoint model of a few steps on a few images of the real world; its quality is none."""
    folder = tmp_path_factory.mktemp("quick")
    main(["data", "generate", "--images", "120", "--out", str(folder / "data"), "--workers", "1"])
    main(["keypoints", "train", "--data", str(folder / "data"), "--out", str(folder / "keypoints"), "--steps", "4"])
    return folder / "keypoints"


@pytest.fixture(scope="session")
def quick_run(quick_keypoints) -> Path:
    """The run folder of a policy training of a few hundred steps."""
    run = quick_keypoints.parent / "run"
    main(
        ["policy", "train", "--keypoints", str(quick_keypoints), "--out", str(run), "--steps", "300",
         "--random-steps", "100", "--evaluation-episodes", "2", "--final-episodes", "3"]
    )  # fmt: skip
    return run
