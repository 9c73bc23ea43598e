"""Train from nothing: images, keypoints, then the policy over ROS 2 topics (bridge, keypoint node, trainer)."""

import time
from pathlib import Path

import yaml
from launch.actions import ExecuteProcess, LogInfo

from kprl.errors import KprlError
from kprl.files import atomic_file
from kprl.profiles import profile_names, read_profile
from kprl.tasks import TASKS, check_names
from kprl_ros.launch_extras import EXTRA_ARGUMENTS, extras
from kprl_ros.launching import (
    config_folder,
    configured_node,
    last_stage,
    launch_description,
    required,
    stage,
    whole_number,
)

PROFILES = config_folder() / "profiles"
STARTED = time.time()  # [s] of this launch; the trainer adds the minutes of a policy training that it goes on with
ARGUMENTS = {
    "profile": ("quick", "how much is learnt, a file in config/profiles", profile_names(PROFILES)),
    "task": ("grasp", "what is learnt", sorted(TASKS)),
    "scene": ("env1", "scene of the task", None),
    "object": ("cube", "object to handle, or several as cube+gear: one an episode", None),
    "output": ("runs/train", "run folder for all results", None),
    "seed": ("0", "seed of everything random", None),
    "resume": ("false", "go on in a run folder that was begun, where it was stopped", ["true", "false"]),
    **EXTRA_ARGUMENTS,
}


def generate_launch_description():
    return launch_description(ARGUMENTS, plan)


def plan(values):
    """Check everything that can be checked before anything starts, then begin with stage 1."""
    profile = read_profile(PROFILES, values["profile"])
    check_names(values["task"], values["scene"], values["object"])
    run = {name: values[name] for name in ("task", "scene", "object")} | {
        "seed": whole_number("seed", values["seed"])
    }
    output = Path(values["output"]).expanduser().absolute()
    settings = {name: vars(getattr(profile, name)) for name in ("data", "keypoints", "policy")}
    config = {"profile": profile.name} | run | settings
    if _is_begun(output, values["resume"] == "true"):
        _require_same(config, output / "config.yaml")
        return _learn_keypoints(profile, run, output, extras(values, output))
    shown = extras(values, output)  # refuses here what is missing, and begins with the graph
    with atomic_file(output / "config.yaml") as beside:
        beside.write_text(yaml.safe_dump(config, sort_keys=False))
    return _learn_keypoints(profile, run, output, shown)


def _is_begun(output, resume):
    """Whether a run was begun in the folder; KprlError where this launch may not use the folder."""
    if (output / "summary.json").exists():
        raise KprlError(f"output {output} holds a finished run: choose another folder")
    if not output.exists() or (output.is_dir() and not any(output.iterdir())):
        return False
    if not resume:
        raise KprlError(f"output {output} is not empty: choose another folder, or go on in it with resume:=true")
    if not (output / "config.yaml").is_file():
        raise KprlError(f"output {output} holds no config.yaml, so no run was begun there: choose another folder")
    return True


def _require_same(config, file):
    """KprlError where the run in the folder was begun with other settings than `config`."""
    try:
        begun = yaml.safe_load(file.read_text())
    except (yaml.YAMLError, UnicodeDecodeError):
        begun = None
    if not isinstance(begun, dict):
        raise KprlError(f"{file} is damaged: choose another folder")
    was, wanted = _flat(begun), _flat(config)
    names = [name for name in wanted | was if was.get(name) != wanted.get(name)]
    if names:
        differences = ", ".join(f"{name} {was.get(name)} (now {wanted.get(name)})" for name in names)
        raise KprlError(f"{file.parent} was begun with {differences}: resume with the same, or choose another folder")


def _flat(settings):
    """Names such as data.images and their values."""
    flat = {}
    for name, value in settings.items():
        flat |= {f"{name}.{key}": part for key, part in value.items()} if isinstance(value, dict) else {name: value}
    return flat


def _learn_keypoints(profile, run, output, shown):
    """Stages 1 and 2: the images go on where they were stopped, finished keypoints are kept."""
    if (output / "keypoints" / "keypoints.json").exists():
        return [LogInfo(msg="images and keypoints are kept"), *_learn_policy(profile, run, output, shown)]
    generate = _kprl(
        "data",
        ["data", "generate", "--out", str(output / "data")],
        {"images": profile.data.images, "workers": profile.data.workers} | run,
    )
    train = _kprl(
        "keypoints",
        ["keypoints", "train", "--data", str(output / "data"), "--out", str(output / "keypoints")],
        {
            "preset": profile.keypoints.preset,
            "num-keypoints": profile.keypoints.num_keypoints,
            "minutes": profile.keypoints.minutes,
            "seed": run["seed"],
        },
    )
    return stage(
        generate,
        "data generation",
        lambda: stage(train, "keypoint training", lambda: _learn_policy(profile, run, output, shown)),
    )


def _kprl(name, command, options):
    flags = [part for key, value in options.items() for part in (f"--{key}", str(value))]
    return ExecuteProcess(cmd=["kprl", *command, *flags], name=name, output="screen")


def _learn_policy(profile, run, output, shown):
    """Stage 3: the graph that trains, and what shows it; it ends with its trainer."""
    model = str(output / "keypoints")
    # Without resume:=true the folder was empty: then there is nothing that it could go on with.
    files = {"keypoints": model, "output": str(output), "started": STARTED, "resume": True}
    return [
        *shown,
        *required(configured_node("kprl_sim", "sim_bridge", run | {"clock": "lockstep"})),
        *required(configured_node("kprl_keypoints", "keypoint_node", {"model": model})),
        *last_stage(
            configured_node("kprl_policy", "trainer_node", run | vars(profile.policy) | files),
            "policy training",
        ),
    ]
