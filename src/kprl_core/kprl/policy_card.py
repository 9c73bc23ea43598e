"""A bundle to keep: the bundle of one training, and a model card of all trainings of its kind, measured afresh.

    <out>/              the bundle of the run with the best evaluation on its way, see kprl.bundle
    <out>/README.md     the card
    <out>/curves.png    success over steps of every run
    <out>/episode.gif   held-out episodes with the keypoints drawn
    <out>/results.json  what was measured of each run, and how it was made: later runs can join the card
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kprl.bundle import keypoints_of, read_bundle_info
from kprl.errors import KprlError
from kprl.files import atomic_folder, read_json, sha256_of, write_json
from kprl.film import write_gif
from kprl.keypoints.folder import ONNX_FILE
from kprl.policy_run import FILMED_EPISODES, RUN_FILE, evaluate_bundle
from kprl.rl.config import PRESETS
from kprl.rl.evaluation import EvaluationResult
from kprl.rl.metrics_log import read_evaluations
from kprl.rl.plots import plot_seeds
from kprl.tasks.outcome import count_failures

SEED = 5_000_000  # decides the starts: no training chooses by them, and `kprl policy eval` has others
DOMAINS = {"held out": "train", "shifted": "shifted"}
RESULTS_FILE = "results.json"
SHOWN = "held out"  # the domain whose failures are told
OWN = ("steps", "minutes", "seed", "device", "compile")  # settings of a run that no preset decides
AGREED = ("task", "scene", "object", "keypoints_sha256")

LIMITS = """\
- Trained and measured in simulation only, on the object named above; no real robot has run it.
- The policy does not turn the gripper: objects lie within 17 degrees of straight where they are to be grasped.
- The shifted domain (`config/world/shifted.yaml`) has another camera pose, light, lens, sensor and textures than any
  training saw; that of `real_grasp.launch.py use_fake_hardware:=true` is a third.
"""


@dataclass(frozen=True)
class Training:
    """One row of a card."""

    bundle: Path
    info: dict[str, Any] = field(repr=False)  # bundle.json of this training, or of the bundle that it was kept in
    seed: int
    steps: int
    commit: str  # at which it began
    promise: tuple[float, float]  # success and return of the best evaluation on its way, by which its policy was chosen
    evaluations: list[tuple[float, float]]  # steps and success of every evaluation; empty where none is on record
    figures: dict[str, dict[str, Any]]  # by domain, as in results.json


def make_card(runs: Sequence[Path], out: Path, episodes: int, kept: Path | None = None) -> None:
    """Measure the bundles of finished runs of one task with different seeds, and write `out`, which must not exist.

    Args:
        kept: an earlier `out`; its trainings stay on the card as they were measured then, and compete to ship.

    Errors: `KprlError` where a run is not finished, or the trainings differ in more than seed and length.
    """
    if out.exists():
        raise KprlError(f"{out} exists: choose another folder, or remove it")
    infos = [_finished(run) for run in runs]
    kinds = [{name: read_json(run / RUN_FILE).get(name) for name in AGREED} for run in runs]
    for name in AGREED:
        found = {str(kind[name]) for kind in kinds}
        if len(found) > 1:
            raise KprlError(f"the runs differ in {name} ({', '.join(sorted(found))}): expected one kind of training")
    earlier = _kept(kept, kinds[0], episodes) if kept else []
    seeds = [training.seed for training in earlier] + [info["provenance"]["seed"] for info in infos]
    if len(set(seeds)) < len(seeds):
        raise KprlError(f"the runs have the seeds {seeds}: expected a different one for each")
    measured = [_measure(run, info, episodes) for run, info in zip(runs, infos, strict=True)]
    # What ships is chosen by the trainings' own evaluations: those of the card must choose nothing.
    trainings = sorted([*earlier, *measured], key=lambda training: training.promise, reverse=True)
    best = trainings[0]
    with atomic_folder(out) as beside:
        shutil.copytree(best.bundle, beside, dirs_exist_ok=True)
        drawn = [training for training in trainings if training.evaluations]
        plot_seeds(
            {best.info["provenance"]["algorithm"]: [training.evaluations for training in drawn]},
            beside / "curves.png",
            f"{out.name}: seeds {', '.join(str(training.seed) for training in drawn)}",
        )
        filmed = evaluate_bundle(best.bundle, FILMED_EPISODES, SEED, film=FILMED_EPISODES)
        write_gif(beside / "episode.gif", filmed.frames)
        by_seed = {str(training.seed): _record(training) for training in trainings}
        write_json(beside / RESULTS_FILE, {"episodes": episodes, "seeds": by_seed})
        (beside / "README.md").write_text(card(out.name, trainings, episodes))


def card(name: str, trainings: Sequence[Training], episodes: int) -> str:
    """Markdown of all trainings, the one that ships first."""
    info = trainings[0].info
    made, config = info["provenance"], info["provenance"]["config"]
    thing = info["object"].replace("+", " or ")
    return f"""# Bundle {name}

{made["algorithm"]} on {info["num_keypoints"]} keypoints, end effector and goal; no position of the object goes into
the policy. Task {info["task"]}, scene {info["scene"]}, {thing}. The keypoint model inside has a
[card of its own](keypoints/README.md).

![Held-out episodes](episode.gif)

## Made by

```bash
{train_command(name, info)}
kprl policy card --runs RUN ... --out models/{name}
```

{_parts(made)}

{made["updates"]} updates in {made["minutes"]:.0f} minutes; actor {config["actor_hidden"]}, critics
{config["critic_hidden"]}, all other settings in `bundle.json`. With the learner in a process of its own, the timing of
two processes decides too: the same command gives another policy of the same kind.

## Measured

Success over {episodes} fresh episodes of the training's domain, with its 95 % interval, and over as many of a domain
that no training saw. The first row is the bundle that ships: the best by the evaluations on the trainings' way.

| seed | steps | begun at commit | held out | shifted | failures, held out |
|---|---|---|---|---|---|
{_rows(trainings)}

{_curves(trainings)}

## Limits

{LIMITS}"""


def train_command(name: str, info: dict[str, Any]) -> str:
    """The command that trains a bundle's policy: the preset that is nearest to its settings, and what differs."""
    config = info["provenance"]["config"]
    presets = {preset: json.loads(json.dumps(asdict(settings))) for preset, settings in PRESETS.items()}
    changed = {
        preset: [key for key, value in settings.items() if config.get(key) != value and key not in OWN]
        for preset, settings in presets.items()
    }
    preset = min(changed, key=lambda name: len(changed[name]))
    flags = {key: info[key] for key in ("task", "scene", "object")} | {"keypoints": f"models/{name}"}
    flags |= {"seed": config["seed"], "steps": info["provenance"]["steps"]}
    flags |= {key.replace("_", "-"): config[key] for key in changed[preset]}
    return f"kprl policy train --preset {preset} --out RUN " + " ".join(f"--{key} {flags[key]}" for key in flags)


def _finished(run: Path) -> dict[str, Any]:
    if not (run / "summary.json").is_file():
        raise KprlError(f"{run} holds no finished training (summary.json is missing): finish it with --resume")
    return read_bundle_info(run / "bundle")


def _measure(run: Path, info: dict[str, Any], episodes: int) -> Training:
    bundle = run / "bundle"
    found = {name: evaluate_bundle(bundle, episodes, SEED, randomization=domain) for name, domain in DOMAINS.items()}
    rows = read_evaluations(run / "policy" / "metrics.csv")
    evaluations = [(row["step"], row["eval_success"]) for row in rows]
    return _training(bundle, info, {name: _figures(result) for name, result in found.items()}, evaluations)


def _training(
    bundle: Path, info: dict[str, Any], figures: dict[str, dict[str, Any]], evaluations: list[tuple[float, float]]
) -> Training:
    made, best = info["provenance"], read_json(bundle / "checkpoint" / "checkpoint.json")
    return Training(
        bundle=bundle,
        info=info,
        seed=made["seed"],
        steps=made["steps"],
        commit=made["parts"][0]["commit"],
        promise=(best["success_rate"], best["mean_return"]),
        evaluations=evaluations,
        figures=figures,
    )


def _record(training: Training) -> dict[str, Any]:
    names = ("steps", "commit", "promise", "evaluations")
    return training.figures | {name: getattr(training, name) for name in names}


def _kept(folder: Path, wanted: dict[str, Any], episodes: int) -> list[Training]:
    """The trainings of an earlier card; what joins it has the values `wanted` of AGREED."""
    info, results = read_bundle_info(folder), read_json(folder / RESULTS_FILE)
    found = {name: info.get(name) for name in AGREED} | {
        "keypoints_sha256": sha256_of(keypoints_of(folder) / ONNX_FILE),
        "episodes": results.get("episodes"),
    }
    for name, value in (wanted | {"episodes": episodes}).items():
        if found[name] != value:
            raise KprlError(f"{folder} has {name} {found[name]}, and what is to join it has {value}: expected the same")
    return [_recall(folder, info, int(seed), dict(record)) for seed, record in results["seeds"].items()]


def _recall(folder: Path, info: dict[str, Any], seed: int, record: dict[str, Any]) -> Training:
    figures = {domain: record.pop(domain) for domain in DOMAINS}
    if record:
        return Training(
            bundle=folder,
            info=info,
            seed=seed,
            steps=record["steps"],
            commit=record["commit"],
            promise=(record["promise"][0], record["promise"][1]),
            evaluations=[(step, success) for step, success in record["evaluations"]],
            figures=figures,
        )
    # At first results.json had figures only; a bundle knows the rest of its own training, save the curve.
    if seed != info["provenance"]["seed"]:
        raise KprlError(f"{folder / RESULTS_FILE} does not say how seed {seed} was trained: pass its run to --runs")
    return _training(folder, info, figures, [])


def _figures(result: EvaluationResult) -> dict[str, Any]:
    return {
        "success_rate": result.success_rate,
        "ci95": list(result.ci95),
        "mean_return": result.mean_return,
        "failures": count_failures(outcome.outcome for outcome in result.outcomes),
    }


def _parts(made: dict[str, Any]) -> str:
    lines = [
        f"- from step {part['from_step']} at commit `{part['commit']}` on {part['processor']}, {part['cores']} cores, "
        f"torch {part['torch']}"
        for part in made["parts"]
    ]
    return "\n".join(["Trained:", "", *lines])


def _curves(trainings: Sequence[Training]) -> str:
    picture = "![Success over steps](curves.png)"
    missing = [str(training.seed) for training in trainings if not training.evaluations]
    return picture if not missing else f"{picture}\n\nNo curve is on record of seed {', '.join(missing)}."


def _rows(trainings: Sequence[Training]) -> str:
    rows = []
    for training in trainings:
        failures = ", ".join(f"{kind} {count}" for kind, count in training.figures[SHOWN]["failures"].items() if count)
        cells = [f"{training.seed}", f"{training.steps}", f"`{training.commit}`"]
        cells += [_rate(training.figures[domain]) for domain in DOMAINS]
        rows.append(f"| {' | '.join([*cells, failures or 'none'])} |")
    if len(trainings) > 1:
        cells = [_spread([each.figures[domain]["success_rate"] for each in trainings]) for domain in DOMAINS]
        rows.append(f"| mean, standard deviation | | | {' | '.join(cells)} | |")
    return "\n".join(rows)


def _rate(figures: dict[str, Any]) -> str:
    low, high = figures["ci95"]
    return f"{figures['success_rate']:.1%} ({low:.0%} to {high:.0%})"


def _spread(rates: Sequence[float]) -> str:
    return f"{np.mean(rates):.1%}, {np.std(rates, ddof=1):.1%}"
