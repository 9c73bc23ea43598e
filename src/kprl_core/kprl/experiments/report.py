"""results.md: table, failures, what was not run, and how it was made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kprl.experiments.experiment import PAPER_SEEDS, Experiment, Metric, Setting
from kprl.experiments.results import CellResult, of, spread_of
from kprl.experiments.statistics import Spread

LEGEND = "Mean over seeds, ± one standard deviation (n - 1); `summary.csv` has the variances."
MACHINE = ("processor", "cores", "commit", "python", "torch")


def report(
    experiment: Experiment,
    setting: Setting,
    preset_name: str,
    command: str,
    results: Sequence[CellResult],
    shared: dict[str, float],
    minutes: float,
) -> str:
    """Markdown. `shared`: minutes of each job that is no cell itself; `minutes`: of this command."""
    picture = f"![{experiment.title}]({experiment.name}.png)"
    parts = [f"# {experiment.title}", f"```bash\n{command}\n```", picture, _table(experiment, setting, results)]
    failed = [each for each in results if each.status == "failed"]
    if failed:
        parts += ["## Failed", "\n".join(f"- {each.cell.label}: {each.error}" for each in failed)]
    parts += ["## Not run", _not_run(experiment, setting, results)]
    parts += ["## How", _how(setting, preset_name, results, shared, minutes)]
    parts.append("\n".join(f"- {note}" for note in (*experiment.notes, *_own_notes(setting))))
    return "\n\n".join(parts) + "\n"


def _table(experiment: Experiment, setting: Setting, results: Sequence[CellResult]) -> str:
    titles = ["task", "method", *(metric.title for metric in experiment.metrics), "seeds", "minutes a cell"]
    lines = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    for task in setting.tasks:
        for method in setting.methods:
            found = of(results, task, method)
            spreads = [spread_of(results, task, method, metric.key) for metric in experiment.metrics]
            figures = [_shown(each, metric) for each, metric in zip(spreads, experiment.metrics, strict=True)]
            minutes = f"{sum(result['minutes'] for result in found) / len(found):.1f}" if found else "-"
            lines.append("| " + " | ".join([task, method, *figures, str(len(found)), minutes]) + " |")
    return "\n".join([*lines, "", LEGEND])


def _shown(found: Spread | None, metric: Metric) -> str:
    if found is None:
        return "-"
    numbers = [found.mean] if math.isnan(found.variance) else [found.mean, math.sqrt(found.variance)]
    if metric.form == "%":
        return " ± ".join(f"{100 * number:.1f}" for number in numbers) + " %"
    return " ± ".join(f"{number:{metric.form}}" for number in numbers)


def _not_run(experiment: Experiment, setting: Setting, results: Sequence[CellResult]) -> str:
    lines = [f"- {each.cell.label}" for each in results if each.status == "not run"]
    for kind, chosen, all_names in (
        ("tasks", setting.tasks, experiment.tasks),
        ("methods", setting.methods, experiment.methods),
    ):
        if left := [name for name in all_names if name not in chosen]:
            lines.append(f"- {kind} that were not asked for: {', '.join(left)}")
    if setting.preset.seeds < PAPER_SEEDS:
        lines.append(f"- seeds from {setting.preset.seeds} on; the paper has {PAPER_SEEDS}")
    return "\n".join(lines) or "Nothing was left out."


def _how(
    setting: Setting, preset_name: str, results: Sequence[CellResult], shared: dict[str, float], minutes: float
) -> str:
    seeds = ", ".join(str(seed) for seed in range(setting.preset.seeds))
    spent = sum(each.result["minutes"] for each in results if each.result)
    lines = [
        f"- preset `{preset_name}`, seeds {seeds}; settings in `experiment.json`",
        f"- this command: {minutes:.1f} minutes; the cells together {spent:.1f} minutes; "
        f"{len(shared)} things that they share, made once, {sum(shared.values()):.1f} minutes",
    ]
    return "\n".join([*lines, *_machines(results)])


def _machines(results: Sequence[CellResult]) -> list[str]:
    """One line for each machine and state of the code that made cells."""
    counts: dict[str, int] = {}
    for each in results:
        if each.result:
            made: dict[str, Any] = each.result["provenance"]
            line = "{processor}, {cores} cores, commit `{commit}`, Python {python}, torch {torch}".format_map(
                {name: made[name] for name in MACHINE}
            )
            counts[line] = counts.get(line, 0) + 1
    return [f"- {count} cells on {line}" for line, count in counts.items()]


def _own_notes(setting: Setting) -> list[str]:
    notes = []
    if "ae-ft" in setting.methods:
        start = "ImageNet's weights" if setting.pretrained else "random weights: no ImageNet weights were at hand"
        notes.append(f"AE-FT started from {start}.")
    return notes
