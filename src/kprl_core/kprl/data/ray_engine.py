"""Rendering by the workers of a Ray: one that is started on this machine, or a cluster of several machines."""

from __future__ import annotations

import logging
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

from kprl.data.code_identity import code_identity, require_same_code
from kprl.data.config import SHARD_IMAGES, GenerateConfig, ScatterWorld, WorldFactory
from kprl.data.render import render_shard
from kprl.data.shards import ARRAYS, shard_sizes
from kprl.errors import KprlError
from kprl.preprocess import IMAGE_SIZE

CONNECT_TIMEOUT = 30.0  # [s] for a cluster to answer
SHARD_TIMEOUT = 900.0  # [s] for the next shard to get ready, from whichever worker
RETRIES = 3  # of a shard whose worker was lost
SHARD_BYTES = SHARD_IMAGES * IMAGE_SIZE**2 * sum(dtype.itemsize for dtype in ARRAYS.values())

PROBE = "import sys, ray; ray.init(address=sys.argv[1], logging_level='ERROR', log_to_driver=False)"
"""Ray itself tries an address for two minutes, prints what goes wrong inside, and ends the process."""

OWN_RAY = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray opens its ports to the network even on a single machine. With this, which is named after the systems where
    # it is the default, it has them on loopback only. It is read when ray is imported.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # silences a warning about GPUs, of which none is asked for
}

OWN_TOKEN = secrets.token_hex(32)


class RayEngine:
    """Tasks of a Ray; those of a worker that is lost go to another one.

    `address` "" starts a Ray on this machine and ends it afterwards; a Ray that the caller has started is used as it
    is. "host:port" and "auto" are those of a cluster that this machine belongs to, "ray://host:port" of any other.
    """

    def __init__(self, address: str = "") -> None:
        self.address = address

    def render(
        self, config: GenerateConfig, make_world: WorldFactory, names: list[str], advance: Callable[[int], object]
    ) -> Generator[tuple[str, bytes], None, None]:
        """See `kprl.data.engine.Engine`."""
        with connected(self.address, config.workers) as ray:
            # The same code gives the same images. Here it is the same; elsewhere it may be another checkout.
            code = code_identity() if self.address else {}
            task = ray.remote(num_cpus=1, max_retries=RETRIES)(_render)
            sizes, waiting = shard_sizes(config.images), list(reversed(names))
            running: dict[Any, str] = {}
            try:
                while waiting or running:
                    while waiting and len(running) < config.workers:
                        name = waiting.pop()
                        running[task.remote(config, make_world, name, code)] = name
                    ready, _ = ray.wait(list(running), timeout=SHARD_TIMEOUT)
                    if not ready:
                        raise KprlError(
                            f"Ray has finished no shard for {SHARD_TIMEOUT:g} s: see with 'ray status' whether the "
                            "cluster has a free CPU; finished shards are kept"
                        )
                    name = running.pop(ready[0])
                    content = _result(ray, ready[0], name)
                    advance(sizes[name])
                    yield name, content
            finally:
                for reference in running:
                    ray.cancel(reference, force=True)


@contextmanager
def connected(address: str, workers: int) -> Iterator[ModuleType]:
    """The package ray, connected to `address` or, if that is "", to a Ray of its own with `workers` processes."""
    if not address:
        # A token that nobody else has: other users of this machine reach loopback too.
        os.environ.update(OWN_RAY, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=OWN_TOKEN)
    try:
        import ray
    except ModuleNotFoundError as error:
        raise KprlError(f"'--engine ray' needs the package ray ({error}): run 'make setup'") from None
    with ExitStack() as ending:
        if ray.is_initialized():
            pass  # the caller's, who also ends it
        elif address:
            probe(address)
            ending.callback(ray.shutdown)
            ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
        else:
            folder = ending.enter_context(TemporaryDirectory(prefix="kprl-ray-", ignore_cleanup_errors=True))
            ending.callback(ray.shutdown)
            _start(ray, workers, folder)
        yield ray


def probe(address: str) -> None:
    """Raise a `KprlError` if no cluster answers at `address`."""
    hint = (
        "start one with 'ray start --head', name it as host:port on its own machines, as ray://host:10001 elsewhere; "
        "one with token authentication also wants RAY_AUTH_MODE=token and its token here"
    )
    try:
        command = [sys.executable, "-c", PROBE, address]
        subprocess.run(command, timeout=CONNECT_TIMEOUT, check=True, capture_output=True, text=True)
    except subprocess.TimeoutExpired:
        raise KprlError(f"no Ray cluster answered at {address} within {CONNECT_TIMEOUT:g} s: {hint}") from None
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise KprlError(f"no Ray cluster at {address} ({reason}): {hint}") from None


def _start(ray: ModuleType, workers: int, folder: str) -> None:
    try:
        ray.init(
            address="local",  # whatever RAY_ADDRESS says
            num_cpus=workers,
            num_gpus=0,
            include_dashboard=False,
            logging_level=logging.ERROR,
            log_to_driver=False,
            object_store_memory=2**27 + 4 * workers * SHARD_BYTES,
            _temp_dir=folder,
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise KprlError(f"Ray did not start on this machine ({error}): try '--engine local'") from None


def _result(ray: ModuleType, reference: Any, name: str) -> bytes:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        hint = ""
        if not isinstance(error.cause, KprlError):
            hint = ": on every machine of a cluster, run 'make setup' and 'source setup.bash' before 'ray start'"
        raise KprlError(f"{name} failed on a worker of Ray ({_last_line(error.cause)}){hint}") from None
    except ray.exceptions.RayError as error:
        raise KprlError(
            f"{name} was lost with its worker of Ray, {RETRIES + 1} times ({type(error).__name__}; out of memory?): "
            "start again with fewer workers, finished shards are kept"
        ) from None


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def _render(config: GenerateConfig, make_world: WorldFactory, name: str, code: dict[str, str]) -> bytes:
    """The task."""
    if code:
        require_same_code(code)
    return render_shard(config, _world(config, make_world), name)


@lru_cache(maxsize=1)
def _world(config: GenerateConfig, make_world: WorldFactory) -> ScatterWorld:
    """A worker process keeps its world from one shard to the next."""
    return make_world(config)
