"""A bundle to keep: the bundle of one training, and a model card of all trainings of its kind, measured afresh.

    <out>/              the bundle of the run with the best evaluation on its way, see kprl.bundle
    <out>/README.md     the card
    <out>/curves.png    success over steps of every run
    <out>/episode.gif   held-out episodes with the keypoints drawn
    <out>/results.json  what was measured of each run
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from kprl.bundle import read_bundle_info
from kprl.errors import KprlError
from kprl.files import atomic_folder, read_json, write_json
from kprl.film import write_gif
from kprl.policy_run import FILMED_EPISODES, RUN_FILE, evaluate_bundle
from kprl.rl.config import PRESETS
from kprl.rl.evaluation import EvaluationResult
from kprl.rl.metrics_log import read_evaluations
from kprl.rl.plots import plot_seeds
from kprl.tasks.outcome import count_failures

SEED = 5_000_000  # decides the starts: no training chooses by them, and `kprl policy eval` has others
DOMAINS = {"held out": "train", "shifted": "shifted"}
FILMED = "held out"
OWN = ("steps", "minutes", "seed", "device", "compile")  # settings of a run that no preset decides
AGREED = ("task", "scene", "object", "keypoints_sha256")

LIMITS = """\
- Trained and measured in simulation only, on one object; no real robot has run it.
- The policy does not turn the gripper: objects lie within 17 degrees of straight where they are to be grasped.
- The shifted domain (`config/world/shifted.yaml`) has another camera pose, light, lens, sensor and textures than any
  training saw; that of `real_grasp.launch.py use_fake_hardware:=true` is a third.
"""


def make_card(runs: Sequence[Path], out: Path, episodes: int) -> None:
    """Measure the bundles of finished runs of one task with different seeds, and write `out`, which must not exist.

    Errors: `KprlError` where a run is not finished, or the runs differ in more than seed and length.
    """
    if out.exists():
        raise KprlError(f"{out} exists: choose another folder, or remove it")
    infos = [_finished(run) for run in runs]
    for name in AGREED:
        found = {str(read_json(run / RUN_FILE).get(name)) for run in runs}
        if len(found) > 1:
            raise KprlError(f"the runs differ in {name} ({', '.join(sorted(found))}): expected one kind of training")
    seeds = [info["provenance"]["seed"] for info in infos]
    if len(set(seeds)) < len(seeds):
        raise KprlError(f"the runs have the seeds {seeds}: expected a different one for each")
    # What ships is chosen by the trainings' own evaluations: those of the card must choose nothing.
    order = sorted(range(len(runs)), key=lambda index: _promise(runs[index]), reverse=True)
    runs, infos, seeds = ([values[index] for index in order] for values in (runs, infos, seeds))  # type: ignore[assignment]
    measured = [_measure(run, episodes) for run in runs]
    results = [{domain: _figures(found) for domain, found in each.items()} for each in measured]
    with atomic_folder(out) as beside:
        shutil.copytree(runs[0] / "bundle", beside, dirs_exist_ok=True)
        curves = [_evaluations(run) for run in runs]
        plot_seeds({infos[0]["provenance"]["algorithm"]: curves}, beside / "curves.png", f"{out.name}: seeds {seeds}")
        write_gif(beside / "episode.gif", measured[0][FILMED].frames)
        by_seed = {str(seed): result for seed, result in zip(seeds, results, strict=True)}
        write_json(beside / "results.json", {"episodes": episodes, "seeds": by_seed})
        (beside / "README.md").write_text(card(out.name, infos, results, episodes))


def card(name: str, infos: Sequence[dict[str, Any]], results: Sequence[dict[str, Any]], episodes: int) -> str:
    """Markdown of what bundle.json says of each run and of what `_measure` found of it."""
    first = infos[0]
    made, config = first["provenance"], first["provenance"]["config"]
    return f"""# Bundle {name}

{made["algorithm"]} on {first["num_keypoints"]} keypoints, end effector and goal; no position of the object goes into
the policy. Task {first["task"]}, scene {first["scene"]}, {first["object"]}. The keypoint model inside has a
[card of its own](keypoints/README.md).

![Held-out episodes](episode.gif)

## Made by

```bash
{train_command(name, first)}
kprl policy card --runs RUN ... --out models/{name}
```

{_parts(made)}

{made["updates"]} updates in {made["minutes"]:.0f} minutes; actor {config["actor_hidden"]}, critics
{config["critic_hidden"]}, all other settings in `bundle.json`. With the learner in a process of its own, the timing of
two processes decides too: the same command gives another policy of the same kind.

## Measured

Success over {episodes} fresh episodes of the training's domain, with its 95 % interval, and over as many of a domain
that no training saw. The first row is the bundle that ships: the best by the evaluations on the trainings' way.

| seed | steps | held out | shifted | failures, held out |
|---|---|---|---|---|
{_rows(infos, results)}

![Success over steps](curves.png)

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


def _measure(run: Path, episodes: int) -> dict[str, EvaluationResult]:
    films = {FILMED: FILMED_EPISODES}
    return {
        name: evaluate_bundle(run / "bundle", episodes, SEED, film=films.get(name, 0), randomization=domain)
        for name, domain in DOMAINS.items()
    }


def _figures(result: EvaluationResult) -> dict[str, Any]:
    return {
        "success_rate": result.success_rate,
        "ci95": list(result.ci95),
        "mean_return": result.mean_return,
        "failures": count_failures(outcome.outcome for outcome in result.outcomes),
    }


def _promise(run: Path) -> tuple[float, float]:
    """Success and return of a run's best evaluation, by which its policy was chosen."""
    rows = read_evaluations(run / "policy" / "metrics.csv")
    return max((row["eval_success"], row["eval_return"]) for row in rows)


def _evaluations(run: Path) -> list[tuple[float, float]]:
    """Steps and success of every evaluation on the way."""
    return [(row["step"], row["eval_success"]) for row in read_evaluations(run / "policy" / "metrics.csv")]


def _parts(made: dict[str, Any]) -> str:
    lines = [
        f"- from step {part['from_step']} at commit `{part['commit']}` on {part['processor']}, {part['cores']} cores, "
        f"torch {part['torch']}"
        for part in made["parts"]
    ]
    return "\n".join(["Trained:", "", *lines])


def _rows(infos: Sequence[dict[str, Any]], results: Sequence[dict[str, Any]]) -> str:
    rows = []
    for info, result in zip(infos, results, strict=True):
        failures = ", ".join(f"{kind} {count}" for kind, count in result["held out"]["failures"].items() if count)
        cells = [f"{info['provenance']['seed']}", f"{info['provenance']['steps']}"]
        cells += [_rate(result[domain]) for domain in DOMAINS]
        rows.append(f"| {' | '.join([*cells, failures or 'none'])} |")
    if len(results) > 1:
        cells = [_spread([result[domain]["success_rate"] for result in results]) for domain in DOMAINS]
        rows.append(f"| mean, standard deviation | | {' | '.join(cells)} | |")
    return "\n".join(rows)


def _rate(figures: dict[str, Any]) -> str:
    low, high = figures["ci95"]
    return f"{figures['success_rate']:.1%} ({low:.0%} to {high:.0%})"


def _spread(rates: Sequence[float]) -> str:
    return f"{np.mean(rates):.1%}, {np.std(rates, ddof=1):.1%}"
