"""Train from nothing: images, keypoints, then the policy over ROS 2 topics (bridge, keypoint node, trainer)."""

import time
from pathlib import Path

import yaml
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, LogInfo, OpaqueFunction
from launch.substitutions import LaunchConfiguration

from kprl.errors import KprlError
from kprl.files import atomic_file
from kprl.profiles import profile_names, read_profile
from kprl.sim.objects import OBJECTS
from kprl.tasks import TASKS, check_names
from kprl_ros.launching import (
    config_folder,
    configured_node,
    last_stage,
    plain_faults,
    required,
    stage,
    whole_number,
)

PROFILES = config_folder() / "profiles"
STARTED = time.time()
ARGUMENTS = {
    "profile": ("quick", "how much is learnt, a file in config/profiles", profile_names(PROFILES)),
    "task": ("grasp", "what is learnt", sorted(TASKS)),
    "scene": ("env1", "scene of the task", None),
    "object": ("cube", "object to handle", sorted(OBJECTS)),
    "output": ("runs/train", "run folder for all results", None),
    "seed": ("0", "seed of everything random", None),
    "resume": ("false", "go on in a run folder that was begun; finished stages are kept", ["true", "false"]),
}


def generate_launch_description():
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=description, choices=choices)
        for name, (default, description, choices) in ARGUMENTS.items()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=plain_faults(plan))])


def plan(context):
    """Check everything that can be checked before anything starts, then begin with stage 1."""
    values = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    profile = read_profile(PROFILES, values["profile"])
    check_names(values["task"], values["scene"], values["object"])
    run = {name: values[name] for name in ("task", "scene", "object")} | {
        "seed": whole_number("seed", values["seed"])
    }
    output = Path(values["output"]).expanduser().absolute()
    _check_output(output, resume=values["resume"] == "true")
    settings = {name: vars(getattr(profile, name)) for name in ("data", "keypoints", "policy")}
    with atomic_file(output / "config.yaml") as beside:
        beside.write_text(yaml.safe_dump({"profile": profile.name} | run | settings, sort_keys=False))
    return _learn_keypoints(profile, run, output)


def _check_output(output, resume):
    if (output / "summary.json").exists():
        raise KprlError(f"output {output} holds a finished run: choose another folder")
    if output.exists() and (not output.is_dir() or any(output.iterdir())) and not resume:
        raise KprlError(
            f"output {output} is not empty: choose another folder, or go on in it with resume:=true"
        )


def _learn_keypoints(profile, run, output):
    """Stages 1 and 2: the images go on where they were stopped, finished keypoints are kept."""
    if (output / "keypoints" / "keypoints.json").exists():
        return [LogInfo(msg="images and keypoints are kept"), *_learn_policy(profile, run, output)]
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
        lambda: stage(train, "keypoint training", lambda: _learn_policy(profile, run, output)),
    )


def _kprl(name, command, options):
    flags = [part for key, value in options.items() for part in (f"--{key}", str(value))]
    return ExecuteProcess(cmd=["kprl", *command, *flags], name=name, output="screen")


def _learn_policy(profile, run, output):
    """Stage 3: the graph that trains; it ends with its trainer."""
    model = str(output / "keypoints")
    files = {"keypoints": model, "output": str(output), "started": STARTED}
    return [
        *required(configured_node("kprl_sim", "sim_bridge", run | {"clock": "lockstep"})),
        *required(configured_node("kprl_keypoints", "keypoint_node", {"model": model})),
        *last_stage(
            configured_node("kprl_policy", "trainer_node", run | vars(profile.policy) | files),
            "policy training",
        ),
    ]
