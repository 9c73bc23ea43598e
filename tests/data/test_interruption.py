"""Interrupted at any moment, the real command goes on where it was and leaves nothing behind."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest
from processes import PATIENCE, content, kill, members, start_generate, wait_for
from synthetic_scene import make_synthetic_world

from kprl.data.config import SHARD_IMAGES, GenerateConfig
from kprl.data.generate import generate
from kprl.errors import KprlError

SHARDS = 9
IMAGES = (SHARDS - 1) * SHARD_IMAGES + 20
ENDLESS = 10**6


def shards(folder):
    return sorted(path.name for path in folder.glob("shard-*.npz"))


def wait_for_another_shard(folder, process):
    had = len(shards(folder))
    wait_for(lambda: len(shards(folder)) > had or process.poll() is not None, "another shard")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("interruption") / "uninterrupted"
    generate(GenerateConfig("grasp", "env1", "cube", images=IMAGES, out=folder), make_synthetic_world, progress=False)
    return content(folder)


def test_killed_at_any_moment_it_ends_with_the_same_folder(tmp_path, uninterrupted):
    folder, chance, unfinished = tmp_path / "data", random.Random(0), 0
    for attempt in range(6):
        process = start_generate(folder, images=IMAGES)
        if attempt % 3:
            wait_for_another_shard(folder, process)
            time.sleep(chance.uniform(0, 0.1))
        else:
            time.sleep(chance.uniform(0, 1.2))  # while it starts
        kill(process, whole_group=bool(attempt % 2))
        unfinished += 0 < len(shards(folder)) < SHARDS
    assert unfinished >= 2, "the kills came too early or too late to be a test"
    process = start_generate(folder, images=IMAGES)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert content(folder) == uninterrupted


def test_temporary_files_of_killed_writers_are_removed_and_nothing_else(tmp_path, uninterrupted):
    folder = tmp_path / "data"
    folder.mkdir()
    for name in (".shard-00001-abcd_123.npz", ".manifest-abcd_123.json", ".generate.lock", ".mine"):
        (folder / name).write_bytes(b"half written")
    generate(GenerateConfig("grasp", "env1", "cube", images=IMAGES, out=folder), make_synthetic_world, progress=False)
    assert content(folder) == {**uninterrupted, ".mine": b"half written"}


@pytest.mark.parametrize("at", ["its start", "the first shard"])
def test_ctrl_c_ends_it_at_once_without_a_traceback(tmp_path, at):
    folder = tmp_path / "data"
    process = start_generate(folder, images=ENDLESS)
    if at == "its start":  # of the workers: they import for a while
        wait_for(lambda: len(members(process.pid)) >= 4, "two workers")
    else:
        wait_for(lambda: bool(shards(folder)), "the first shard")
    os.killpg(process.pid, signal.SIGINT)
    begin = time.monotonic()
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert time.monotonic() - begin < 5.0
    assert "Traceback" not in errors
    wait_for(lambda: not members(process.pid), "the workers to end")
    assert not list(folder.glob(".*"))


def test_a_second_writer_is_refused_until_the_first_is_gone(tmp_path):
    folder = tmp_path / "data"
    process = start_generate(folder, images=ENDLESS)
    wait_for(lambda: bool(shards(folder)), "the first shard")
    config = GenerateConfig("grasp", "env1", "cube", images=ENDLESS, out=folder)
    second = start_generate(folder, images=ENDLESS)
    _, errors = second.communicate(timeout=PATIENCE)
    assert (second.returncode, errors.count("\n")) == (2, 1)
    assert f"kprl: {folder} is being filled by another 'kprl data generate'" in errors
    assert process.poll() is None and (folder / ".generate.lock").exists()
    kill(process, whole_group=True)
    # The dead process's lock is none: other settings are compared again.
    with pytest.raises(KprlError, match="images 1000000, not 10"):
        generate(GenerateConfig("grasp", "env1", "cube", images=10, out=config.out), make_synthetic_world)
