"""The command line `kprl`: data, keypoints, policy.

Every command is one function whose parameters are its flags (tyro reads them); heavy imports wait until a command
runs, so that `kprl --help` answers at once.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import tyro

from kprl.errors import KprlError

Preset = Literal["paper", "cpu", "quick"]
PolicyPreset = Literal["paper", "quick"]
USER_ERROR = 2  # exit status for a fault that a user can mend
INTERRUPTED = 130


def data_generate(
    images: int,
    out: Path,
    task: str = "grasp",
    scene: str = "env1",
    object: str = "cube",
    workers: int = 2,
    seed: int = 0,
) -> None:
    """Render images with depth and segmentation for keypoint training; a killed run continues where it was.

    Args:
        images: How many.
        out: Folder for shards and manifest.json.
        task: The task whose world is rendered.
        scene: Scene of the task.
        object: Object on the table.
        workers: Processes. They do not change the images.
        seed: Decides every image.
    """
    from kprl.data.config import GenerateConfig
    from kprl.data.generate import generate

    generate(GenerateConfig(task, scene, object, images, out, workers, seed))


def data_preview(
    out: Path, task: str = "grasp", scene: str = "env1", object: str = "cube", images: int = 24, seed: int = 0
) -> None:
    """Write a contact sheet: grey, depth and segmentation of random states.

    Args:
        out: PNG file to write.
        task: The task whose world is shown.
        scene: Scene of the task.
        object: Object on the table.
        images: How many states.
        seed: Decides every image.
    """
    from kprl.data.config import image_seed
    from kprl.data.preview import contact_sheet
    from kprl.envs.world import World

    _require("images", images, 1)
    _require("seed", seed, 0)
    world = World(task, scene, object)
    contact_sheet(world, [image_seed(seed, i) for i in range(images)], out)
    world.close()
    print(f"wrote {out}")


def keypoints_train(
    data: Path,
    out: Path,
    preset: Preset = "quick",
    num_keypoints: int = 12,
    seed: int = 0,
    minutes: float | None = None,
    steps: int | None = None,
    threads: int = 2,
) -> None:
    """Train the keypoint autoencoder on generated images.

    Args:
        data: Folder of `kprl data generate`.
        out: Folder for the keypoint model.
        preset: paper: section III-C1 as written; cpu, quick: what a laptop trains in minutes.
        num_keypoints: K.
        seed: Seed of weights, batches and augmentation.
        minutes: Wall-clock length, instead of the preset's.
        steps: Length in updates, instead of the preset's: then the result depends on seed and data alone.
        threads: Processor threads.
    """
    from kprl.keypoints.train import TrainConfig, train_keypoints

    metrics = train_keypoints(TrainConfig(data, out, preset, num_keypoints, seed, minutes, steps, threads))
    print(f"keypoints: {_line(dataclasses.asdict(metrics))}\nwrote {out}")


def keypoints_eval(
    model: Path,
    task: str = "grasp",
    scene: str = "env1",
    object: str = "cube",
    images: int = 500,
    seed: int = 1_000_000,
    json: Path | None = None,
) -> None:
    """Measure a keypoint model on fresh scenes.

    Args:
        model: Keypoint model folder.
        task: The task whose world is rendered.
        scene: Scene of the task.
        object: Object on the table.
        images: How many held-out images.
        seed: Decides the images; keep it away from the training data's.
        json: File for the result.
    """
    from kprl.envs.world import World
    from kprl.files import write_json
    from kprl.keypoints.encoder import load_encoder
    from kprl.keypoints.evaluate import evaluate, render_dataset

    _require("images", images, 1)
    _require("seed", seed, 0)
    encoder = load_encoder(model)
    world = World(task, scene, object)
    settings = {"task": task, "scene": scene, "object": object, "seed": seed}
    metrics = dataclasses.asdict(evaluate(encoder, render_dataset(world, images, seed, settings)))
    world.close()
    print(_line(metrics))
    if json:
        write_json(json, settings | metrics)


def policy_train(
    keypoints: Path,
    out: Path,
    task: str = "grasp",
    scene: str = "env1",
    object: str = "cube",
    preset: PolicyPreset = "quick",
    steps: int | None = None,
    minutes: float | None = None,
    seed: int | None = None,
    learner: Literal["process", "inline"] | None = None,
    random_steps: int | None = None,
    evaluation_episodes: int | None = None,
    final_episodes: int = 50,
) -> None:
    """Train a policy in process and leave curves, bundle, film and summary in a run folder.

    Over ROS 2 topics: `ros2 launch kprl_bringup sim_train.launch.py`.

    Args:
        keypoints: Keypoint model folder.
        out: Run folder.
        task: What to learn.
        scene: Scene of the task.
        object: Object to handle.
        preset: paper: section III-C2 as written; quick: learns in minutes (privileged critic, curriculum).
        steps: Environment steps, instead of the preset's.
        minutes: Stop after this much time at the latest.
        seed: Seed of everything random. With two processes their timing decides too: see learner.
        learner: process: act and learn at the same time; inline: one process, bit-exact for a seed.
        random_steps: Steps of uniform random actions before learning begins.
        evaluation_episodes: Greedy episodes in each evaluation on the way.
        final_episodes: Episodes of the final evaluation.
    """
    from kprl.policy_run import PolicyRun, train_and_deliver
    from kprl.rl.config import preset as policy_preset

    given = {"steps": steps, "minutes": minutes, "seed": seed, "learner": learner, "random_steps": random_steps,
             "evaluation_episodes": evaluation_episodes}  # fmt: skip
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    config = dataclasses.replace(policy_preset(preset), **changes)
    summary = train_and_deliver(PolicyRun(keypoints, out, task, scene, object, final_episodes), config)
    print(_line(summary))


def policy_eval(
    bundle: Path,
    episodes: int = 100,
    seed: int = 2_000_000,
    task: str | None = None,
    scene: str | None = None,
    object: str | None = None,
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
        json: File for the result.
        gif: File for a film of the first episodes.
    """
    from kprl.files import write_json
    from kprl.film import write_gif
    from kprl.policy_run import FILMED_EPISODES, evaluate_bundle
    from kprl.tasks.outcome import count_failures

    _require("episodes", episodes, 1)
    _require("seed", seed, 0)

    result = evaluate_bundle(bundle, episodes, seed, task, scene, object, FILMED_EPISODES if gif else 0)
    summary = {
        "success_rate": result.success_rate,
        "episodes": result.episodes,
        "ci95": list(result.ci95),
        "mean_return": result.mean_return,
        "failures": count_failures(outcome.outcome for outcome in result.outcomes),
    }
    print(_line(summary))
    if json:
        write_json(json, summary)
    if gif:
        write_gif(gif, result.frames)


def policy_show(run: Path) -> None:
    """Say what a run reached and where its files are.

    Args:
        run: Run folder of a training.
    """
    from kprl.files import read_json

    summary = read_json(run / "summary.json")
    missing = [key for key in SHOWN if key not in summary]
    if missing:
        raise KprlError(f"{run / 'summary.json'} lacks {', '.join(missing)}: it is not the summary of a finished run")
    low, high = summary["ci95"]
    print(f"{summary['task']} {summary['scene']} with the {summary['object']}, {summary['minutes']:.1f} minutes:")
    print(f"  success before training   {summary['success_before']:.0%}")
    print(
        f"  success after training    {summary['success_after']:.0%}  "
        f"({summary['episodes']} episodes, 95 % interval {low:.0%} to {high:.0%})"
    )
    print(f"  failures                  {_line(summary['failures'])}")
    realtime = run / "sim_grasp" / "result.json"
    if realtime.is_file():
        result = read_json(realtime)
        print(f"  in the real-time graph    {result['success_rate']:.0%}  ({result['episodes']} episodes)")
    for name, what in RUN_FILES.items():
        if (run / name).exists():
            print(f"  {run / name}: {what}")


SHOWN = ("task", "scene", "object", "minutes", "success_before", "success_after", "episodes", "ci95", "failures")
RUN_FILES = {
    "keypoints.png": "keypoints on held-out images",
    "policy/curve.png": "learning curve (also metrics.csv and tensorboard/ there)",
    "episode.gif": "held-out episodes",
    "bundle": "what a robot needs: ros2 launch kprl_bringup sim_grasp.launch.py bundle:=<this folder>",
}


def _require(name: str, value: int, least: int) -> None:
    if value < least:
        raise KprlError(f"{name} is {value}: expected at least {least}")


def _line(values: dict[str, Any]) -> str:
    def text(value: Any) -> str:
        if isinstance(value, float):
            return f"{value:.3g}"
        if isinstance(value, dict):
            return "{" + _line(value) + "}"
        return "[" + ", ".join(text(part) for part in value) + "]" if isinstance(value, list) else str(value)

    return ", ".join(f"{name} {text(value)}" for name, value in values.items())


COMMANDS: dict[str, dict[str, Callable[..., None]]] = {
    "data": {"generate": data_generate, "preview": data_preview},
    "keypoints": {"train": keypoints_train, "eval": keypoints_eval},
    "policy": {"train": policy_train, "eval": policy_eval, "show": policy_show},
}
ABOUT = "Keypoint policies for a robot arm, learnt in simulation."
GROUPS = {
    "data": "Images for keypoint training.",
    "keypoints": "The self-supervised keypoint representation.",
    "policy": "Manipulation policies.",
}


def main(arguments: list[str] | None = None) -> None:
    """Entry point of `kprl`."""
    arguments = sys.argv[1:] if arguments is None else arguments
    group = arguments[0] if arguments and arguments[0] in COMMANDS else None
    app = tyro.extras.SubcommandApp()
    for name, commands in COMMANDS.items():
        for command, function in commands.items():
            if group is None:
                app.command(name=f"{name} {command}")(function)  # listed in the help; never parsed as one word
            elif group == name:
                app.command(name=command)(function)
    try:
        if group is None:
            app.cli(args=arguments, prog="kprl", description=ABOUT)
        else:
            app.cli(args=arguments[1:], prog=f"kprl {group}", description=GROUPS[group])
    except KprlError as error:
        print(f"kprl: {error}", file=sys.stderr)
        sys.exit(USER_ERROR)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
