"""The model card: where a keypoint model comes from, what was measured of it, and what it does not know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kprl.files import read_json
from kprl.keypoints.pictures import FAILURES

FILE = "README.md"
DOMAINS = {"held-out": "train", "shifted": "shifted"}
"""Folder of each domain's result and pictures inside the model's, and the randomization that it is."""
RESULT = "result.json"

LIMITS = """\
- Trained on simulated images only, of the object named above, in the view that `keypoints.json` names.
- Where the gripper hides the object, its keypoints have nothing to lie on and wander; some stay confident.
- A held object is within a centimetre of the tool: there the picture adds little to what the tool's place says.
- The camera's pose is drawn anew for every image: the shifted domain's position error contains that of a pose outside
  the training's range, which the line below it, from exact projections, shows.
"""


def model_card(folder: Path, description: dict[str, Any]) -> str:
    """Markdown of a model folder's keypoints.json and of the results that `kprl keypoints card` left there."""
    held_out, shifted = (read_json(folder / domain / RESULT) for domain in DOMAINS)
    training = description["training"]
    data = training["data"]
    thing = data["object"].replace("+", " or ")
    minutes = f"{training['minutes']:.{0 if training['minutes'] >= 10 else 1}f}"
    made = (
        f"{training['steps']} updates in {minutes} minutes on {training['device']} "
        f"({training['processor']}, {training['cores']} cores, {training['precision']}), torch {training['torch']}"
    )
    return f"""# Keypoints {folder.name}

{description["num_keypoints"]} keypoints on gripper and {thing}: task {data["task"]}, scene {data["scene"]}.

![Keypoints on held-out images](held-out/overlays.png)

## Made by

```bash
{data_command(data)}
{train_command(description)}
```

at commit `{training["commit"]}`: {made}.

## Measured

By `kprl keypoints card`, on {held_out["images"]} fresh images of the training's domain and as many of a domain that no
training saw (other camera, light, lens, sensor and textures: `config/world/shifted.yaml`).

| | held out | shifted |
|---|---|---|
{_rows(held_out, shifted)}

{_cases(held_out, shifted)}

| most keypoints astray, held out | the same, shifted |
|---|---|
| {_failures(folder, "held-out")} | {_failures(folder, "shifted")} |

## Limits

{LIMITS}"""


def data_command(data: dict[str, Any]) -> str:
    """The command that makes the images of a manifest."""
    flags = {name: data[name] for name in ("task", "scene", "object", "randomization", "images", "seed")}
    return "kprl data generate --out data " + _flags(flags)


def train_command(description: dict[str, Any]) -> str:
    """The command that trains the model of a keypoints.json."""
    training = description["training"]
    flags = {"preset": training["preset"], "num-keypoints": description["num_keypoints"], "seed": training["seed"]}
    flags |= {name: value for name, value in training["length"].items() if value is not None}
    if training["variant"] != "none":
        flags["variant"] = training["variant"]
    flags |= {"threads": training["threads"], "precision": training["precision"]}
    processes = training["processes"]
    kprl = "kprl" if processes == 1 else f"torchrun --nproc-per-node {processes} -m kprl.cli"
    return f"{kprl} keypoints train --data data --out model " + _flags(flags)


def _flags(values: dict[str, Any]) -> str:
    return " ".join(f"--{name} {value}" for name, value in values.items())


def _rows(*results: dict[str, Any]) -> str:
    figures = {
        "confident keypoints on gripper or object": ("on_target", "{:.1%}"),
        "images whose visible object has three or more": ("objects_covered", "{:.1%}"),
        "keypoints that are confident": ("confident", "{:.0%}"),
        "equivariance error": ("equivariance_px", "{:.2f} px"),
        "wander on the body, root mean square": ("wander_px", "{:.2f} px"),
        "object from tool, on the table, median error": ("position_error_mm", "{:.1f} mm"),
        "the same from exact projections": ("position_error_of_projections_mm", "{:.1f} mm"),
    }
    return "\n".join(
        f"| {title} | " + " | ".join(_shown(result[key], form) for result in results) + " |"
        for title, (key, form) in figures.items()
    )


def _cases(*results: dict[str, Any]) -> str:
    """Position errors by the object's state."""
    lines = ["| object from tool: median, 90 % within; without the picture | held out | shifted |", "|---|---|---|"]
    for case in results[0]["position_error"]:
        shown = [_error(result["position_error"][case]) for result in results]
        lines.append(f"| {case} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def _error(error: dict[str, Any]) -> str:
    if not error["images"]:
        return "none seen"
    without = _shown(error["median_without_picture_mm"], "{:.1f}")
    return f"{error['median_mm']:.1f}, {error['p90_mm']:.1f}; {without} mm ({error['images']} images)"


def _failures(folder: Path, domain: str) -> str:
    picture = f"{domain}/{FAILURES}"
    return f"![Keypoints astray]({picture})" if (folder / picture).exists() else "none"


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)
