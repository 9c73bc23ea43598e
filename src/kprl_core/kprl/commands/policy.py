"""`kprl policy`: train, evaluate and show manipulation policies."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from kprl.commands.shown import as_line, require_at_least
from kprl.errors import KprlError

Preset = Literal["paper", "quick", "full", "gpu", "goal", "plain"]
SHOWN = ("minutes", "success_before", "success_after", "episodes", "ci95")
OWN_WORLD = ("task", "scene", "object", "failures")
RUN_FILES = {
    "keypoints.png": "keypoints on held-out images",
    "policy/curve.png": "learning curve (also metrics.csv and tensorboard/ there)",
    "episode.gif": "held-out episodes",
    "policy.onnx": "the greedy policy: observation and desired goal to an action",
    "bundle": "what a robot needs: ros2 launch kprl_bringup sim_grasp.launch.py bundle:=<this folder>",
}


def train(
    out: Path,
    keypoints: Path | None = None,
    env_id: str | None = None,
    task: str = "grasp",
    scene: str = "env1",
    object: str = "cube",
    preset: Preset | None = None,
    algo: Literal["sac", "ddpg"] | None = None,
    env: Literal["inprocess", "topics"] = "inprocess",
    steps: int | None = None,
    minutes: float | None = None,
    seed: int | None = None,
    learner: Literal["process", "inline"] | None = None,
    device: Literal["auto", "cpu", "cuda"] | None = None,
    compile: Literal["auto", "yes", "no"] | None = None,
    workers: int | None = None,
    random_steps: int | None = None,
    evaluation_episodes: int | None = None,
    final_episodes: int = 50,
    start_from: Path | None = None,
    resume: bool = False,
) -> None:
    """Train a policy and leave curves, bundle, film and summary in a run folder.

    All stages over ROS 2 topics: `ros2 launch kprl_bringup sim_train.launch.py`.

    Args:
        out: Run folder.
        keypoints: Keypoint model folder; needed for kprl's own tasks.
        env_id: Any Gymnasium environment with a vector Box as action instead, as PandaReach-v3: goal environments
            with hindsight, ordinary ones without. task, scene, object, env and workers do not apply.
        task: What to learn.
        scene: Scene of the task.
        object: Object to handle; several, as cube+gear, take turns by chance.
        preset: paper: section III-C2 as written; quick: learns in minutes (critics that see the truth, curriculum);
            full: quick with wider networks and more steps; gpu: its like for a GPU and --workers 8 or more; goal and
            plain: for env-id, with and without goals. If not given: what suits.
        algo: sac (if not given): soft actor-critic; ddpg: deep deterministic policy gradient.
        env: inprocess: the world in this process; topics: a sim bridge in lockstep and a keypoint node that run
            already, with the same task, scene, object and model.
        steps: Environment steps, instead of the preset's.
        minutes: Stop after this much time at the latest.
        seed: Seed of everything random. With two processes their timing decides too: see learner.
        learner: process: act and learn at the same time; inline: one process, bit-exact for a seed.
        device: Where updates are computed; auto (if not given): on a GPU if there is one.
        compile: Turn updates into machine code first: about three times faster on a CPU after a minute, 1.6 times on
            a GPU. auto (if not given): where the run is long enough to gain by it and there is a C++ compiler.
        workers: Worlds to act in at once, a process each, and as many to evaluate in; 1 (if not given) acts in this
            process. With env inprocess only.
        random_steps: Steps of uniform random actions before learning begins.
        evaluation_episodes: Greedy episodes in each evaluation on the way.
        final_episodes: Episodes of the final evaluation.
        start_from: Run folder, bundle or checkpoint of another training whose networks this one starts with, for
            example on another object. They keep their sizes and inputs; learning begins without random steps.
        resume: Go on with a run that was interrupted, or prolong a finished one: the same command, with more steps
            or minutes if wanted. Begins where there is none.
    """
    from kprl.gym_run import default_preset, train_on
    from kprl.policy_run import PolicyRun, train_and_deliver
    from kprl.rl.checkpoint import find_checkpoint, network_settings
    from kprl.rl.config import preset as policy_preset

    given: dict[str, Any] = {
        "algo": algo, "steps": steps, "minutes": minutes, "seed": seed, "learner": learner, "workers": workers,
        "compile": compile, "device": device, "random_steps": random_steps, "evaluation_episodes": evaluation_episodes,
    }  # fmt: skip
    changes: dict[str, Any] = {}
    if start_from is not None:
        # As it was typed: a bundle tells it to others, whose folders are elsewhere.
        changes = network_settings(find_checkpoint(start_from)) | {"start_from": str(start_from)}
        given["random_steps"] = random_steps or 0
    changes |= {name: value for name, value in given.items() if value is not None}
    if env_id is not None:
        if keypoints is not None or env == "topics" or workers not in (None, 1):
            raise KprlError("--env-id takes neither --keypoints, --env topics nor --workers: leave them out")
        config = dataclasses.replace(policy_preset(preset) if preset else default_preset(env_id), **changes)
        print(as_line(train_on(env_id, out, config, final_episodes, resume)))
        return
    if keypoints is None:
        raise KprlError("--keypoints is missing: pass a keypoint model folder, or another environment with --env-id")
    config = dataclasses.replace(policy_preset(preset or "quick"), **changes)
    run = PolicyRun(keypoints, out, task, scene, object, final_episodes)
    factory = _env_over_topics(keypoints) if env == "topics" else None
    print(as_line(train_and_deliver(run, config, factory, resume=resume)))


def _env_over_topics(keypoints: Path) -> Callable[[], Any]:
    """The environment over topics is the one thing here that needs ROS: looked up only when asked for."""
    from kprl.keypoints.folder import read_description

    try:
        from kprl_policy.topic_env import over_topics
    except ImportError as error:
        raise KprlError(f"--env topics needs the ROS 2 workspace ({error}): run `source setup.bash` first") from None
    num_keypoints = int(read_description(keypoints)["num_keypoints"])
    return lambda: over_topics(num_keypoints)


def evaluate(
    bundle: Path,
    episodes: int = 100,
    seed: int = 2_000_000,
    task: str | None = None,
    scene: str | None = None,
    object: str | None = None,
    shifted: bool = False,
    json: Path | None = None,
    gif: Path | None = None,
) -> None:
    """Run a bundle's policy greedily from ordinary starts, in process.

    Args:
        bundle: Bundle folder.
        episodes: How many.
        seed: Decides the starts.
        task: Task, if not the bundle's own.
        scene: Scene, if not the bundle's own.
        object: Object, if not the bundle's own.
        shifted: In a domain that no training saw: other camera, light, lens, sensor and textures.
        json: File for the result.
        gif: File for a film of the first episodes.
    """
    from kprl.files import write_json
    from kprl.film import write_gif
    from kprl.policy_run import FILMED_EPISODES, evaluate_bundle
    from kprl.tasks.outcome import count_failures

    require_at_least("episodes", episodes, 1)
    require_at_least("seed", seed, 0)

    domain = "shifted" if shifted else "train"
    film = FILMED_EPISODES if gif else 0
    result = evaluate_bundle(bundle, episodes, seed, task, scene, object, film, domain)
    summary = {
        "randomization": domain,
        "success_rate": result.success_rate,
        "episodes": result.episodes,
        "ci95": list(result.ci95),
        "mean_return": result.mean_return,
        "failures": count_failures(outcome.outcome for outcome in result.outcomes),
    }
    print(as_line(summary))
    if json:
        write_json(json, summary)
    if gif:
        write_gif(gif, result.frames)


def show(run: Path) -> None:
    """Say what a run reached and where its files are.

    Args:
        run: Run folder of a training.
    """
    from kprl.files import read_json

    summary = read_json(run / "summary.json")
    foreign = "env_id" in summary
    missing = [key for key in (*(() if foreign else OWN_WORLD), *SHOWN) if key not in summary]
    if missing:
        raise KprlError(f"{run / 'summary.json'} lacks {', '.join(missing)}: it is not the summary of a finished run")
    low, high = summary["ci95"]
    world = summary["env_id"] if foreign else "{task} {scene} with the {object}".format_map(summary)
    print(f"{world}, {summary['minutes']:.1f} minutes:")
    print(f"  success before training   {summary['success_before']:.0%}")
    print(
        f"  success after training    {summary['success_after']:.0%}  "
        f"({summary['episodes']} episodes, 95 % interval {low:.0%} to {high:.0%})"
    )
    if "failures" in summary:
        print(f"  failures                  {as_line(summary['failures'])}")
    realtime = run / "sim_grasp" / "result.json"
    if realtime.is_file():
        result = read_json(realtime)
        print(f"  in the real-time graph    {result['success_rate']:.0%}  ({result['episodes']} episodes)")
    for name, what in RUN_FILES.items():
        if (run / name).exists():
            print(f"  {run / name}: {what}")


def card(runs: list[Path], out: Path, episodes: int = 200, kept: Path | None = None) -> None:
    """Measure finished trainings of one kind and make a bundle to keep, with a model card: that of the best.

    Args:
        runs: Run folders of trainings that differ in their seed; the bundle of the one with the best
            evaluation on its way is taken.
        out: Folder of the new bundle; it must not exist.
        episodes: Episodes of each run in each domain.
        kept: An earlier bundle with a card: its trainings stay on the new card as they were measured then, and
            take part in the choice.
    """
    from kprl.policy_card import make_card

    require_at_least("episodes", episodes, 1)
    make_card(runs, out, episodes, kept)
    print(f"wrote {out / 'README.md'}")
