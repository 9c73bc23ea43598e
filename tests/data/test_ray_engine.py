"""Rendering by Ray: the same files as the local engine's, lost workers, faults in words."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from processes import content, members, start_generate, wait_for
from synthetic_scene import (
    make_dying_world,
    make_faulty_world,
    make_once_dying_world,
    make_refusing_world,
    make_stuck_world,
    make_synthetic_world,
)

from kprl.data import ray_engine
from kprl.data.code_identity import code_identity, require_same_code
from kprl.data.config import SHARD_IMAGES, GenerateConfig
from kprl.data.dataset import load_dataset
from kprl.data.generate import generate
from kprl.data.ray_engine import OWN_RAY, RayEngine, connected, probe
from kprl.errors import KprlError
from kprl.files import read_json

IMAGES = 2 * SHARD_IMAGES + 30


def config_for(folder, images=IMAGES):
    return GenerateConfig("grasp", "env1", "cube", images=images, out=folder)


@pytest.fixture(scope="module")
def by_processes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ray") / "by_processes"
    generate(config_for(folder), make_synthetic_world, progress=False)
    return content(folder)


@pytest.fixture(scope="module")
def own_ray():
    """One Ray for all tests that need one: each start takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        for name in (*OWN_RAY, "RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
            patch.setenv(name, "0")  # restored at the end; `connected` sets its own
        patch.setenv("RAY_ADDRESS", "127.0.0.1:1")  # must not matter
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)  # for the synthetic scene
        with connected("", workers=2) as ray:
            yield ray


def test_files_are_those_of_the_local_engine(own_ray, by_processes, tmp_path):
    generate(config_for(tmp_path / "data"), make_synthetic_world, progress=False, engine=RayEngine())
    assert content(tmp_path / "data") == by_processes


def test_own_ray_is_reached_from_this_machine_only(own_ray):
    import psutil  # ray brings it along

    listening = [
        connection.laddr.ip
        for process in [psutil.Process(), *psutil.Process().children(recursive=True)]
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 4
    assert {address.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}


def test_a_world_is_kept_for_its_own_settings_only(own_ray, tmp_path):
    for images in (3, 5):
        config = config_for(tmp_path / str(images), images)
        generate(config, make_synthetic_world, progress=False, engine=RayEngine())
    three, five = (load_dataset(tmp_path / str(images)) for images in (3, 5))
    np.testing.assert_array_equal(three.grey, five.grey[:3])


def test_shard_of_a_lost_worker_goes_to_another_one(own_ray, by_processes, tmp_path):
    generate(config_for(tmp_path / "data"), make_once_dying_world, progress=False, engine=RayEngine())
    assert (tmp_path / "data.died").exists()
    assert content(tmp_path / "data") == by_processes


def test_workers_that_always_die_are_reported(own_ray, tmp_path, monkeypatch):
    monkeypatch.setattr(ray_engine, "RETRIES", 1)
    with pytest.raises(KprlError, match="was lost with its worker of Ray, 2 times .* fewer workers"):
        generate(config_for(tmp_path / "data"), make_dying_world, progress=False, engine=RayEngine())
    assert read_json(tmp_path / "data" / "manifest.json")["shards"] == []


@pytest.mark.parametrize(
    ("world", "message"),
    [
        (make_refusing_world, r"shard-0000\d.npz failed on a worker of Ray \(this world has no camera\)$"),
        (make_faulty_world, r"shard-0000\d.npz failed .*a fault of the program.*'make setup' .*before 'ray start'"),
    ],
)
def test_fault_of_a_task_reaches_the_user(own_ray, tmp_path, world, message):
    with pytest.raises(KprlError, match=message):
        generate(config_for(tmp_path / "data"), world, progress=False, engine=RayEngine())


def test_no_wait_is_for_ever_and_its_tasks_are_ended(own_ray, tmp_path, monkeypatch):
    monkeypatch.setattr(ray_engine, "SHARD_TIMEOUT", 0.5)
    with pytest.raises(KprlError, match="no shard for 0.5 s: see with 'ray status'"):
        generate(config_for(tmp_path / "data"), make_stuck_world, progress=False, engine=RayEngine())
    monkeypatch.undo()
    # Both CPUs are free again.
    generate(config_for(tmp_path / "data"), make_synthetic_world, progress=False, engine=RayEngine())


def test_missing_ray_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(KprlError, match="needs the package ray .*make setup"):
        generate(config_for(tmp_path / "data"), make_synthetic_world, progress=False, engine=RayEngine("head:6379"))


def test_silent_cluster_is_given_up_in_time(monkeypatch):
    monkeypatch.setattr(ray_engine, "CONNECT_TIMEOUT", 2.0)
    with pytest.raises(KprlError, match="no Ray cluster answered at 127.0.0.1:1 within 2 s: start one with 'ray start"):
        probe("127.0.0.1:1")


def test_nonsense_for_an_address_is_named():
    with pytest.raises(KprlError, match="no Ray cluster at nonsense .*Invalid address"):
        probe("nonsense")


def test_machine_with_other_code_is_refused():
    require_same_code(code_identity())
    with pytest.raises(KprlError, match=r"has pybullet \S+, not 1.0: .*check out the same commit"):
        require_same_code({**code_identity(), "pybullet": "1.0"})
    with pytest.raises(KprlError, match="has kprl "):
        require_same_code({**code_identity(), "kprl": "another"})


@pytest.mark.slow
def test_cluster_renders_the_same_files_and_is_left_running(by_processes, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # The same environment in two processes: a cluster that knows the driver by a token, on loopback only.
    env = {**OWN_RAY, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    env["PYTHONPATH"] = f"{Path(__file__).parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    with TemporaryDirectory(prefix="kprl-") as short, (tmp_path / "log").open("w") as log:  # short: for sockets' paths
        cluster = subprocess.Popen(
            [Path(sys.executable).with_name("ray"), "start", "--head", "--block", f"--port={port}", "--num-cpus=2",
             "--include-dashboard=false", f"--temp-dir={short}"],
            env={**os.environ, **env}, start_new_session=True, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            process = start_generate(
                tmp_path / "data", "--engine", "ray", "--address", f"127.0.0.1:{port}", images=IMAGES, env=env
            )
            _, errors = process.communicate(timeout=90)
            assert process.returncode == 0, errors + (tmp_path / "log").read_text()
            assert content(tmp_path / "data") == by_processes
            assert cluster.poll() is None
        finally:
            cluster.terminate()
            cluster.wait(timeout=30)
            wait_for(lambda: not members(cluster.pid), "the cluster to end")
