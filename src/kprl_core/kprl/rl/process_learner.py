"""A learner in a process of its own, so that acting and learning use two cores.

Episodes go over a pipe, weights and metrics come back through shared memory. Neither side runs away from the
agreed ratio of updates to steps: the learner stops `max_lag` updates ahead of what `update` has allowed, and
`update` waits while the learner is more than `max_lag` behind.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import time
import traceback
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import torch

from kprl.errors import KprlError
from kprl.rl.agent import Sizes
from kprl.rl.agents import AgentFactory, make_actor, make_agent, to_be_compiled
from kprl.rl.config import TrainPolicyConfig
from kprl.rl.episode import Episode
from kprl.rl.her import Reward
from kprl.rl.learner import METRICS, InlineLearner, Learner, ReplayFactory
from kprl.rl.replay import Replay

STALL_TIMEOUT_S = 120.0
"""The learner is given up when it is waited for and shows no progress for this long (start-up included)."""
COMPILE_TIMEOUT_S = 600.0
"""The same where its first update is compiled, which takes a minute, and several on a machine that is busy."""
STOP_TIMEOUT_S = 5.0
"""How long the learner may take to end by itself before it is killed."""
LOOK_S = 0.005
"""How long a waiting side sleeps before it looks again."""
PUBLISH_EVERY = 20
"""Updates between two publications of the weights."""
CHECK_EVERY = 100
"""Updates between two publications of the metrics, with their check for divergence."""
EPISODES_IN_FLIGHT = 2
"""Episodes sent and not yet received, at most: a learner that stands still must not fill the pipe."""


class Shared:
    """The memory both processes see; each counter has one writer."""

    def __init__(self, context: Any, weights: int) -> None:
        self.lock = context.Lock()  # guards weights, version and metrics
        self.weights = context.RawArray("f", weights)
        self.version = context.RawValue("q", 0)  # publications of the weights so far
        self.metrics = context.RawArray("d", [float("nan")] * len(METRICS))
        self.allowed = context.RawValue("q", 0)  # updates allowed; written by the acting side
        self.done = context.RawValue("q", 0)  # written by the learner, as are the next two
        self.received = context.RawValue("q", 0)  # messages taken from the pipe

    def locked(self) -> None:
        """Take the lock, or raise: the other side may have died with it."""
        if not self.lock.acquire(timeout=STALL_TIMEOUT_S):
            raise KprlError(f"the learner has not answered for {STALL_TIMEOUT_S:g} s: start the training again")


class ProcessLearner(Learner):
    """Drives an `InlineLearner` in a spawned process; use as the inline one, and `close` it.

    `compute_reward` and the configuration are pickled to the new process: a module-level function, or a
    functools.partial of one.
    """

    def __init__(
        self,
        config: TrainPolicyConfig,
        sizes: Sizes,
        compute_reward: Reward,
        make_agent: AgentFactory = make_agent,
        make_replay: ReplayFactory = Replay,
    ) -> None:
        context = multiprocessing.get_context("spawn")
        weights = make_actor(make_agent, config, sizes).weights().numel()
        self._shared, self._max_lag = Shared(context, weights), config.max_lag
        self._compiles, self._first = to_be_compiled(config), 0  # updates done before the first of this process
        self._pipe, theirs = context.Pipe()
        self._sent = self._seen_version = 0
        self.process = context.Process(
            target=_serve,
            args=(self._shared, theirs, config, sizes, compute_reward, make_agent, make_replay),
            name="learner",
            daemon=True,
        )
        try:
            self.process.start()
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            raise KprlError(
                f"reward or factory cannot be sent to a learner process ({error}): give a module-level"
                " function, or choose learner 'inline'"
            ) from None
        theirs.close()

    def add(self, episode: Episode) -> None:
        """See `Learner.add`; waits while the learner has not taken the previous ones."""
        self._wait(lambda: self._sent - self._shared.received.value < EPISODES_IN_FLIGHT)
        self._send("add", episode)

    def update(self, updates: int) -> None:
        """See `Learner.update`; returns at once unless the learner is more than `max_lag` updates behind."""
        self._check()
        self._shared.allowed.value += updates
        self._wait(lambda: self._shared.allowed.value - self._shared.done.value <= self._max_lag)

    def weights(self) -> np.ndarray | None:
        """See `Learner.weights`; the first call waits for the learner to start."""
        self._wait(lambda: self._shared.version.value > 0)
        self._shared.locked()
        try:
            if self._shared.version.value == self._seen_version:
                return None
            self._seen_version = self._shared.version.value
            return np.array(self._shared.weights, np.float32)
        finally:
            self._shared.lock.release()

    def metrics(self) -> dict[str, float]:
        """See `Learner.metrics`; at most CHECK_EVERY updates old."""
        self._check()
        self._shared.locked()
        try:
            return dict(zip(METRICS, self._shared.metrics, strict=True))
        finally:
            self._shared.lock.release()

    @property
    def updates(self) -> int:
        """Gradient updates done so far."""
        return int(self._shared.done.value)

    def state_dict(self, replay: bool) -> dict[str, torch.Tensor]:
        """See `Learner.state_dict`."""
        self._send("state", replay)
        return {name: torch.from_numpy(array) for name, array in self._reply().items()}

    def load_state_dict(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """See `Learner.load_state_dict`."""
        self._send("load", {name: tensor.numpy() for name, tensor in tensors.items()})
        self._reply()
        self._shared.allowed.value = self._first = self._shared.done.value

    def close(self) -> None:
        """End the learner process; kill it if it does not end in STOP_TIMEOUT_S."""
        if self._pipe.closed:
            return
        self._pipe.close()  # the learner sees the end of the pipe and leaves
        self.process.join(STOP_TIMEOUT_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join(STOP_TIMEOUT_S)

    def _send(self, kind: str, value: Any) -> None:
        self._check()
        try:
            self._pipe.send((kind, value))
        except OSError:
            raise self._death() from None
        self._sent += 1

    def _reply(self) -> Any:
        """Wait for the answer to a request."""
        self._wait(self._pipe.poll, self._check_alive)
        return self._receive()

    def _receive(self) -> Any:
        try:
            kind, value = self._pipe.recv()
        except (EOFError, OSError):
            raise self._death() from None
        if kind == "error":
            raise KprlError(value)
        return value

    def _check(self) -> None:
        """Raise what stopped the learner, if it stopped. Between requests it only ever sends an error."""
        if self._pipe.poll():
            self._receive()
        self._check_alive()

    def _check_alive(self) -> None:
        # It may have died right after sending why.
        if not self.process.is_alive() and not self._pipe.poll():
            raise self._death()

    def _death(self) -> KprlError:
        self.process.join(STOP_TIMEOUT_S)
        return KprlError(
            f"the learner process died (exit code {self.process.exitcode}) after {self.updates} updates: look"
            " for its message above or for a lack of memory, and start the training again"
        )

    def _wait(self, condition: Callable[[], bool], check: Callable[[], None] | None = None) -> None:
        """Return once `condition()` holds; raise if the learner dies or stands still for too long."""
        check = check or self._check
        progress, since = (-1, -1), time.monotonic()
        while not condition():
            check()
            now = (self._shared.done.value, self._shared.received.value)
            if now != progress:
                progress, since = now, time.monotonic()
            patience = COMPILE_TIMEOUT_S if self._compiles and self.updates == self._first else STALL_TIMEOUT_S
            if time.monotonic() - since > patience:
                raise KprlError(
                    f"the learner process has stood still for {patience:g} s after {self.updates}"
                    " updates: start the training again"
                )
            time.sleep(LOOK_S)


def _serve(shared: Shared, pipe: Connection, config: TrainPolicyConfig, *rest: Any) -> None:
    """The learner process: answer the pipe, update in between; ends when the other end of the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the acting side, which closes the pipe
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        _learn(InlineLearner(config, *rest), config.max_lag, shared, pipe)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the acting side is gone
    except KprlError as error:
        pipe.send(("error", str(error)))
    except Exception as error:
        pipe.send(("error", f"the learner process failed: {type(error).__name__}: {error}"))
        traceback.print_exc()


def _learn(learner: InlineLearner, max_lag: int, shared: Shared, pipe: Connection) -> None:
    _publish_weights(learner, shared)
    while True:
        allowed = shared.allowed.value
        behind = allowed > 0 and learner.updates < allowed + max_lag
        while pipe.poll(0 if behind else LOOK_S):
            kind, value = pipe.recv()
            shared.received.value += 1
            if kind == "add":
                learner.add(value)
            elif kind == "state":
                learner.metrics()  # raises if training has diverged: such a state must not be saved
                pipe.send(("state", {name: t.numpy() for name, t in learner.state_dict(value).items()}))
            elif kind == "load":
                learner.load_state_dict({name: torch.from_numpy(array) for name, array in value.items()})
                shared.done.value = learner.updates
                _publish_weights(learner, shared)
                pipe.send(("loaded", None))
        if not behind:
            continue
        learner.update(1)
        shared.done.value = learner.updates
        if learner.updates % PUBLISH_EVERY == 0:
            _publish_weights(learner, shared)
        if learner.updates % CHECK_EVERY == 0:
            _publish_metrics(learner, shared)


def _publish_weights(learner: InlineLearner, shared: Shared) -> None:
    vector = learner.weights()
    if vector is None:
        return
    shared.locked()
    np.frombuffer(shared.weights, np.float32)[:] = vector
    shared.version.value += 1
    shared.lock.release()


def _publish_metrics(learner: InlineLearner, shared: Shared) -> None:
    metrics = learner.metrics()  # raises if training has diverged
    shared.locked()
    np.frombuffer(shared.metrics, np.float64)[:] = [metrics[name] for name in METRICS]
    shared.lock.release()
