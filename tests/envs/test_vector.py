"""Worlds in processes of their own: the same as single ones, in any number, and alive when a worker is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.spaces import Box, Dict
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import RecordEpisodeStatistics

import kprl.envs  # noqa: F401  (registers)
from kprl.envs import vector_worker
from kprl.envs.vector import ManipulationVectorEnv
from kprl.errors import KprlError

GRASP, FAULTY = "kprl/UR5Grasp-v1", "kprl-test/Faulty-v0"
STEPS = 4  # of the tests' episodes
RAISE, HANG = np.array([1, 0], np.float32), np.array([-1, 0], np.float32)
MOVE = np.array([0, 0.5], np.float32)

sys.path.insert(0, str(Path(__file__).parent))  # the workers import the environment below by its file's name
if FAULTY not in gymnasium.registry:
    gymnasium.register(FAULTY, entry_point="test_vector:FaultyEnv", max_episode_steps=STEPS)


class FaultyEnv(gymnasium.Env[Any, Any]):
    """A number that grows by the second part of an action; the first part makes it raise or hang."""

    observation_space = Dict({"observation": Box(-100, 100, (1,), np.float32)})
    action_space = Box(-1, 1, (2,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        start = (options or {}).get("start", "")
        if start == "refused":
            raise KprlError("no such start: choose another")
        if start == "raise once" and not Path(options["marker"]).exists():
            Path(options["marker"]).touch()
            raise RuntimeError("lost over the reset")
        self.value = float(self.np_random.integers(10))
        return self._seen(), {"start": start}

    def step(self, action: np.ndarray) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if action[0] == RAISE[0]:
            raise RuntimeError("the physics exploded")
        if action[0] == HANG[0]:
            time.sleep(600)
        self.value += float(action[1])
        return self._seen(), self.value, False, False, {"value": self.value}

    def _seen(self) -> dict[str, np.ndarray]:
        return {"observation": np.array([self.value], np.float32)}


class PartEncoder:
    """Stands in for a network: keypoints from the brightness of the picture's parts; counts its calls."""

    num_keypoints = 4

    def __init__(self) -> None:
        self.batches: list[int] = []

    def encode(self, images: np.ndarray) -> np.ndarray:
        self.batches.append(len(images))
        parts = images.reshape(len(images), self.num_keypoints, -1).mean(axis=2) / 255.0
        return np.repeat(parts[:, :, None], 3, axis=2).astype(np.float32)


@pytest.fixture
def make():
    """Makes vector environments and closes them."""
    made: list[ManipulationVectorEnv] = []

    def make_one(*arguments: Any, **options: Any) -> ManipulationVectorEnv:
        made.append(ManipulationVectorEnv(*arguments, **options))
        return made[-1]

    yield make_one
    for env in made:
        env.close()


def grasp_actions(worlds: int, steps: int) -> np.ndarray:
    """(steps, worlds, 4); a world's do not depend on how many there are."""
    each = [np.random.default_rng(world).uniform(-1, 1, (steps, 4)).astype(np.float32) for world in range(worlds)]
    return np.stack(each, axis=1)


def assert_same(one: Any, other: Any, tolerance: float = 0.0) -> None:
    """Nested dictionaries of numbers agree, to the bit unless a tolerance is given."""
    if isinstance(one, dict):
        assert set(one) == set(other)
        for name in one:
            assert_same(one[name], other[name], tolerance)
    else:
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=0, atol=tolerance)


def row(batch: dict[str, Any], world: int) -> dict[str, Any]:
    """One world's part of batched observations."""
    return {name: values[world] for name, values in batch.items()}


def info_of(infos: dict[str, Any], world: int) -> dict[str, Any]:
    """One world's info as its environment gave it."""
    added = ("final_obs", "final_info", "dropped")
    names = [name for name in infos if not name.startswith("_") and name not in added]
    return {name: infos[name][world] for name in names if infos[f"_{name}"][world]}


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and that nobody asked for its exit code does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_gone(pids: list[int], limit: float = 20.0) -> None:
    deadline = time.monotonic() + limit
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < deadline, f"still there after {limit} s: {[pid for pid in pids if alive(pid)]}"
        time.sleep(0.05)


def assert_parity(env: ManipulationVectorEnv, kwargs: dict[str, Any], tolerance: dict[str, float]) -> None:
    """Two episodes of each world, and the beginning of a third, as single environments give them."""
    singles = [gymnasium.make(GRASP, **kwargs) for _ in range(env.num_envs)]
    assert env.single_observation_space == singles[0].observation_space
    assert env.single_action_space == singles[0].action_space

    def same(one: dict[str, Any], other: dict[str, Any]) -> None:
        for name in one:
            assert_same(one[name], other[name], tolerance.get(name, 0.0))
        assert set(one) == set(other)

    seen, infos = env.reset(seed=5, options={"start": "curriculum"})
    for world, single in enumerate(singles):
        alone, info = single.reset(seed=5 + world, options={"start": "curriculum"})
        same(row(seen, world), alone)
        assert_same(info_of(infos, world), info)
    for step, actions in enumerate(grasp_actions(env.num_envs, 2 * STEPS + 1), start=1):
        seen, rewards, terminated, truncated, infos = env.step(actions)
        assert env.observation_space.contains(seen) and rewards.dtype == np.float64
        assert not terminated.any() and truncated.tolist() == [step % STEPS == 0] * env.num_envs
        assert not infos["dropped"].any() and ("final_obs" in infos) == (step % STEPS == 0)
        for world, single in enumerate(singles):
            alone, reward, _, ended, info = single.step(actions[world])
            assert rewards[world] == reward
            if ended:
                same(infos["final_obs"][world], alone)
                assert_same(info_of(infos["final_info"], world), info)
                alone, info = single.reset(options={"start": "curriculum"})
            same(row(seen, world), alone)
            assert_same(info_of(infos, world), info)
    for single in singles:
        single.close()


def test_images_are_those_of_single_environments(make):
    kwargs = {"observation": "image", "max_episode_steps": STEPS}
    env = make(GRASP, 2, kwargs)
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP and env.spec.id == GRASP
    assert_parity(env, kwargs, {})


def test_keypoints_are_those_of_single_environments_in_one_batch(make):
    encoder = PartEncoder()
    kwargs = {"observation": "keypoints", "encoder": encoder, "max_episode_steps": STEPS}
    env = make(GRASP, 2, kwargs)
    assert_parity(env, {**kwargs, "encoder": PartEncoder()}, {"observation": 1e-6})
    # One inference a step for both worlds, and one more where both begin anew.
    assert encoder.batches == [2] * (1 + 2 * STEPS + 1 + 2)


def test_the_real_encoder_gives_the_same_in_a_batch(make, tmp_path):
    # Imported here since the workers import this file, too, and torch would take most of the time they start in.
    from kprl.keypoints.encoder import OnnxEncoder
    from kprl.keypoints.export import export_onnx
    from kprl.keypoints.model import Autoencoder
    from kprl.keypoints.presets import PRESETS

    model = Autoencoder(PRESETS["quick"].architecture(8))
    export_onnx(model.encoder, 8, tmp_path / "encoder.onnx")
    encoder = OnnxEncoder(tmp_path / "encoder.onnx", 8)
    kwargs = {"observation": "keypoints", "encoder": encoder, "max_episode_steps": STEPS}
    assert_parity(make(GRASP, 3, kwargs), kwargs, {"observation": 1e-6})


def test_the_number_of_workers_changes_nothing(make):
    actions = grasp_actions(3, STEPS + 2)
    runs = []
    for worlds in (1, 2, 3):
        env = make(GRASP, worlds, {"observation": "image", "max_episode_steps": STEPS})
        steps = [env.reset(seed=[3, 14, 15][:worlds])[0]]
        for action in actions[:, :worlds]:
            seen, rewards, *_ = env.step(action)
            steps.append({**seen, "reward": rewards})
        runs.append(steps)
        env.close()
    for fewer, more in zip(runs, runs[1:], strict=False):
        for one, other in zip(fewer, more, strict=True):
            assert_same(one, {name: rows[: len(one[name])] for name, rows in other.items()})


def test_a_killed_worker_is_replaced_and_the_others_notice_nothing(make):
    kwargs = {"observation": "image", "max_episode_steps": STEPS}
    calm, env = make(GRASP, 2, kwargs), make(GRASP, 2, kwargs)
    calm.reset(seed=1)
    env.reset(seed=1)
    single = gymnasium.make(GRASP, observation="image")
    single.reset(seed=1)
    for step, actions in enumerate(grasp_actions(2, STEPS + 2)):
        expected = calm.step(actions)
        if step != 2:
            found = env.step(actions)
        else:
            pid = env.pids[0]
            os.kill(pid, signal.SIGKILL)
            with pytest.warns(RuntimeWarning, match=rf"worker 0 \(process {pid}\).*SIGKILL.*episode is dropped"):
                found = env.step(actions)
            assert env.pids[0] != pid and alive(env.pids[0])
            assert found[1][0] == 0 and not found[2][0] and not found[3][0]
            assert_same(row(found[0], 0), single.reset()[0])  # the episode that its seed has next
            assert "regulation" in info_of(found[4], 0)
        assert found[4]["dropped"].tolist() == [step == 2, False]
        assert_same(row(found[0], 1), row(expected[0], 1))
        assert [part[1] for part in found[1:4]] == [part[1] for part in expected[1:4]]
    single.close()


def test_an_exception_is_told_and_survived(make, capfd):
    env = make(FAULTY, 2)
    env.reset(seed=0)
    with pytest.warns(RuntimeWarning, match="worker 1 .*RuntimeError: the physics exploded; its episode is dropped"):
        _, rewards, _, _, infos = env.step(np.stack([MOVE, RAISE]))
    assert infos["dropped"].tolist() == [False, True] and rewards[1] == 0
    assert "Traceback" in capfd.readouterr().err
    for left in (3, 2, 1):  # world 0 ends as if nothing had been, world 1 a step later
        assert env.step(np.stack([MOVE, MOVE]))[3].tolist() == [left == 1, False]
    assert env.step(np.stack([MOVE, MOVE]))[3].tolist() == [False, True]


@pytest.mark.parametrize("how", ["sleeps", "stopped"])
def test_a_hanging_worker_is_replaced(how, make):
    env = make(FAULTY, 2, answer_timeout_s=1.0)
    env.reset(seed=0)
    pid, actions = env.pids[0], np.stack([HANG if how == "sleeps" else MOVE, MOVE])
    if how == "stopped":
        os.kill(pid, signal.SIGSTOP)
    with pytest.warns(RuntimeWarning, match="worker 0 .*no answer for 1 s"):
        infos = env.step(actions)[4]
    assert infos["dropped"].tolist() == [True, False]
    wait_until_gone([pid])
    assert not env.step(np.stack([MOVE, MOVE]))[4]["dropped"].any()


def test_a_worker_lost_over_a_reset_begins_the_same_episode_again(make, tmp_path):
    env = make(FAULTY, 2)
    expected = env.reset(seed=[7, 8])[0]
    with pytest.warns(RuntimeWarning, match="lost over the reset"):
        found, infos = env.reset(seed=[7, 8], options={"start": "raise once", "marker": str(tmp_path / "marker")})
    assert_same(found, expected)
    assert not infos["dropped"].any()


@pytest.mark.filterwarnings("ignore:worker 0:RuntimeWarning")
def test_a_world_that_keeps_crashing_ends_everything(make):
    env = make(FAULTY, 2)
    env.reset(seed=0)

    def crash() -> None:
        env.step(np.stack([RAISE, MOVE]))

    for _ in range(vector_worker.MAX_CRASHES):
        crash()
    for _ in range(STEPS):  # an episode that comes to its end: counting begins anew
        env.step(np.stack([MOVE, MOVE]))
    for _ in range(vector_worker.MAX_CRASHES):
        crash()
    pids = env.pids
    with pytest.raises(KprlError, match="worker 0 .*physics exploded; it crashed 4 times without finishing an episode"):
        crash()
    wait_until_gone(pids)
    with pytest.raises(ClosedEnvironmentError):
        env.step(np.stack([MOVE, MOVE]))


def test_what_a_world_refuses_reaches_the_caller_as_it_is(make):
    env = make(FAULTY, 2)
    with pytest.raises(KprlError, match="^no such start: choose another$"):
        env.reset(seed=0, options={"start": "refused"})
    with pytest.raises(KprlError, match="unknown observation preset 'smell'"):
        make(GRASP, 2, {"observation": "smell"})
    with pytest.raises(KprlError, match="needs an encoder"):
        make(GRASP, 2, {"observation": "keypoints"})
    with pytest.raises(KprlError, match="num_envs is 0"):
        make(FAULTY, 0)


def test_the_caller_decides_how_each_episode_begins(make):
    asked: list[int] = []

    def next_reset(world: int) -> tuple[int, dict[str, Any]]:
        asked.append(world)
        return 100 * len(asked) + world, {"start": f"{len(asked)}"}

    env = make(FAULTY, 2, next_reset=next_reset)
    infos = env.reset()[1]
    assert asked == [0, 1] and infos["start"].tolist() == ["1", "2"]
    with pytest.warns(RuntimeWarning, match="episode is dropped"):
        seen, *_, infos = env.step(np.stack([MOVE, RAISE]))
    assert asked == [0, 1, 1] and infos["start"][1] == "3"
    for _ in range(STEPS - 1):
        seen, *_, infos = env.step(np.stack([MOVE, MOVE]))
    assert asked == [0, 1, 1, 0] and infos["start"][0] == "4" and infos["final_info"]["value"][0] > 0
    single = FaultyEnv()
    assert seen["observation"][0] == single.reset(seed=400)[0]["observation"]
    assert env.reset(seed=[3, None])[1]["start"].tolist() == ["", "5"]  # a given seed is not overruled


def test_reset_takes_seeds_and_a_mask(make):
    env = make(FAULTY, 3)

    def first(seed: Any, **options: Any) -> list[float]:
        return env.reset(seed=seed, options=options)[0]["observation"][:, 0].tolist()

    alone = [float(FaultyEnv().reset(seed=seed)[0]["observation"][0]) for seed in range(8)]
    assert len(set(alone)) > 3
    assert first(2) == alone[2:5] and first([7, 0, 3]) == [alone[7], alone[0], alone[3]]
    assert first([1, 1, 1], reset_mask=np.array([False, True, False])) == [alone[7], alone[1], alone[3]]
    with pytest.raises(ValueError, match="2 seeds for 3 worlds"):
        env.reset(seed=[1, 2])
    with pytest.raises(ValueError, match="reset_mask is"):
        env.reset(options={"reset_mask": np.ones(2, bool)})


def test_actions_that_no_world_may_see(make):
    env = make(FAULTY, 2)
    with pytest.raises(ResetNeeded):
        env.step(np.stack([MOVE, MOVE]))
    env.reset(seed=0)
    for actions in (np.stack([MOVE, MOVE * np.nan]), MOVE):
        with pytest.raises(ValueError, match="expected .2, 2. finite numbers"):
            env.step(actions)
    assert not env.step(np.stack([MOVE, MOVE]))[4]["dropped"].any()


def test_gymnasiums_statistics_work_on_it(make):
    env = RecordEpisodeStatistics(make(FAULTY, 2))
    env.reset(seed=0)
    returns = np.zeros(2)
    for step in range(1, 2 * STEPS + 1):
        _, rewards, *_, infos = env.step(np.stack([MOVE, -MOVE]))
        returns += rewards
        if step % STEPS == 0:
            assert infos["episode"]["l"].tolist() == [STEPS, STEPS]
            assert infos["episode"]["r"] == pytest.approx(returns)
            returns[:] = 0
    assert len(env.return_queue) == 4


def test_closing_takes_no_longer_than_it_may(make, monkeypatch):
    monkeypatch.setattr(vector_worker, "EXIT_TIMEOUT_S", 1.0)
    env = make(FAULTY, 3)
    env.reset(seed=0)
    pids, began = env.pids, time.monotonic()
    os.kill(pids[0], signal.SIGSTOP)
    os.kill(pids[1], signal.SIGKILL)
    env.close()
    assert time.monotonic() - began < 5
    wait_until_gone(pids)
    env.close()
    with pytest.raises(ClosedEnvironmentError):
        env.reset()


OWNER = """
import sys
import numpy as np
from test_vector import FAULTY, HANG, MOVE, ManipulationVectorEnv
if __name__ == "__main__":
    env = ManipulationVectorEnv(FAULTY, 2)
    env.reset(seed=0)
    print(*env.pids, flush=True)
    env.step(np.stack([HANG, MOVE]))
"""


def test_workers_end_with_their_owner(tmp_path):
    """One of them waits for a command, the other is in the middle of a step that never ends."""
    (tmp_path / "owner.py").write_text(OWNER)
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        [sys.executable, tmp_path / "owner.py"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    ) as owner:
        pids = [int(pid) for pid in owner.stdout.readline().split()]
        time.sleep(0.5)
        assert len(pids) == 2 and all(alive(pid) for pid in pids)
        owner.kill()
    wait_until_gone(pids)


def test_nothing_is_warned_of_without_a_fault(make):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = make(FAULTY, 2)
        env.reset(seed=0)
        for _ in range(STEPS + 1):
            env.step(np.stack([MOVE, MOVE]))
        env.close()
