"""Other people's environments: what is adapted, what is refused, and learning on them."""

from __future__ import annotations

import json
import pickle
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box

from kprl.cli import USER_ERROR, main
from kprl.envs.adapter import AdaptedReward, make_adapted
from kprl.errors import KprlError


class Slider(gymnasium.Env[np.ndarray, np.ndarray]):
    """An ordinary environment: keep a point at 0 with actions in [0, 4] x [-2, 2]; it ends where the point is lost."""

    observation_space = Box(-10, 10, (1, 2))
    action_space = Box(np.float32([0, -2]), np.float32([4, 2]))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        assert options is None  # the loop's options are none of its business
        self.point = self.np_random.uniform(-1, 1)
        self.actions: list[np.ndarray] = []
        return self._seen(), {}

    def step(self, action: np.ndarray) -> Any:
        assert self.action_space.contains(action)
        self.actions.append(action)
        self.point += 0.1 * float(action[1])
        return self._seen(), -abs(self.point), abs(self.point) > 3, False, {}

    def _seen(self) -> np.ndarray:
        return np.array([[self.point, 1.0]], np.float32)


class NoBatch(gymnasium.Env[Any, Any]):
    """A goal environment whose reward takes one goal at a time."""

    observation_space = gymnasium.spaces.Dict(
        {name: Box(-1, 1, (2,)) for name in ("observation", "achieved_goal", "desired_goal")}
    )
    action_space = Box(-1, 1, (1,))

    def compute_reward(self, achieved: np.ndarray, desired: np.ndarray, info: Any) -> float:
        return -float(np.linalg.norm(achieved - desired))


gymnasium.register("KprlSlider-v0", entry_point=Slider, max_episode_steps=20)
gymnasium.register("KprlNoBatch-v0", entry_point=NoBatch, max_episode_steps=20)
gymnasium.register("KprlEndless-v0", entry_point=Slider)


def test_an_ordinary_environment() -> None:
    env = make_adapted("KprlSlider-v0")
    assert not env.has_goals
    observation, info = env.reset(seed=1, options={"start": "curriculum"})
    assert {name: part.shape for name, part in observation.items()} == {
        "observation": (2,), "achieved_goal": (0,), "desired_goal": (0,)
    }  # fmt: skip
    assert info == {"is_success": False, "regulation": 0.0} and env.observation_space.contains(observation)
    _, reward, *_, info = env.step(np.float32([-1, 0.5]))
    assert info["regulation"] == reward  # the whole reward, since no goal decides it
    assert env._env.unwrapped.actions[0] == pytest.approx([0.0, 1.0])  # type: ignore[attr-defined]
    given = AdaptedReward("KprlSlider-v0")(np.zeros((3, 0)), np.zeros((3, 0)), {"regulation": np.arange(3.0)})
    assert given.tolist() == [0, 1, 2]


def test_a_goal_environment_of_panda_gym() -> None:
    env = make_adapted("PandaReach-v3")
    assert env.has_goals
    observation, _ = env.reset(seed=1)
    assert {name: len(part) for name, part in observation.items()} == {
        "observation": 6, "achieved_goal": 3, "desired_goal": 3
    }  # fmt: skip
    observation, reward, *_, info = env.step(np.zeros(3, np.float32))
    batch = [np.tile(observation[name], (4, 1)) for name in ("achieved_goal", "desired_goal")]
    batch[1][1] = batch[0][1]
    travelled = pickle.loads(pickle.dumps(AdaptedReward("PandaReach-v3")))
    assert travelled(*batch, {"regulation": np.zeros(4)}).tolist() == [reward, 0.0, reward, reward]
    assert info == {"is_success": False, "regulation": 0.0}
    env.close()


@pytest.mark.parametrize(
    ("env_id", "words"),
    [
        ("KprlNowhere-v0", "cannot make KprlNowhere-v0"),
        ("CartPole-v1", "expected a vector Box with finite bounds"),
        ("KprlEndless-v0", "no time limit"),
    ],
)
def test_what_does_not_fit_is_refused(env_id: str, words: str) -> None:
    with pytest.raises(KprlError, match=words):
        make_adapted(env_id)


def test_a_reward_that_takes_no_batch_is_refused() -> None:
    goals = np.zeros((4, 2))
    with pytest.raises(KprlError, match="hindsight needs one that takes a batch"):
        AdaptedReward("KprlNoBatch-v0")(goals, goals, {"regulation": np.zeros(4)})


def test_the_command_learns_without_goals(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    command = ["policy", "train", "--env-id", "KprlSlider-v0", "--out", str(out), "--final-episodes", "20"]
    main([*command, "--steps", "600", "--random-steps", "200", "--learner", "inline", "--evaluation-episodes", "3"])
    summary = json.loads((out / "summary.json").read_text())
    assert summary["mean_return_after"] > summary["mean_return_before"] / 2  # both are costs
    assert (out / "policy.onnx").exists() and json.loads((out / "policy" / "config.json").read_text())["relabels"] == 0
    assert not (out / "episode.gif").exists()  # it cannot be drawn, which is no failure
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert ended.value.code == USER_ERROR
    main([*command, "--steps", "700", "--random-steps", "200", "--learner", "inline", "--evaluation-episodes", "3",
          "--resume"])  # fmt: skip
    assert json.loads((out / "summary.json").read_text())["env_steps"] == 700
    capsys.readouterr()
    main(["policy", "show", "--run", str(out)])
    shown = capsys.readouterr().out
    assert shown.startswith("KprlSlider-v0, ") and str(out / "policy.onnx") in shown and "failures" not in shown


def test_the_command_runs_on_panda_gym_with_a_learner_process(tmp_path: Any) -> None:
    main(["policy", "train", "--env-id", "PandaReach-v3", "--out", str(tmp_path), "--steps", "300", "--random-steps",
          "100", "--evaluation-episodes", "2", "--final-episodes", "2"])  # fmt: skip
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["updates"] > 0 and (tmp_path / "episode.gif").stat().st_size > 0


def test_what_does_not_go_together_is_refused(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for more in (["--workers", "2"], ["--keypoints", "x"], ["--env", "topics"]):
        with pytest.raises(SystemExit):
            main(["policy", "train", "--env-id", "KprlSlider-v0", "--out", str(tmp_path), *more])
        assert "leave them out" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["policy", "train", "--out", str(tmp_path)])
    assert "--keypoints is missing" in capsys.readouterr().err
