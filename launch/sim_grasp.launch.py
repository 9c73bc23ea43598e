"""Run a bundle in simulation: sim bridge, keypoint node and policy node, and an evaluation of the whole."""

from pathlib import Path

from kprl.bundle import read_bundle_info
from kprl.tasks import TASKS, check_names
from kprl_ros.goal_parameter import read_goal
from kprl_ros.launch_extras import EXTRA_ARGUMENTS, extras
from kprl_ros.launching import (
    NAMESPACE_ARGUMENT,
    bundle_folder,
    configured_node,
    last_stage,
    launch_description,
    required,
    whole_number,
)

ARGUMENTS = {
    "bundle": ("", "folder of the bundle to run; empty: the one that ships for task, scene and object", None),
    "task": ("grasp", "task that the bundle must be for", sorted(TASKS)),
    "scene": ("", "scene of the task; empty: the bundle's", None),
    "object": ("", "object to handle, or several as cube+gear; empty: the bundle's", None),
    "episodes": ("20", "episodes to evaluate, then the launch ends; 0: run until Ctrl-C", None),
    "goal": ("", "goal 'x,y,z' [m] in base_link of every episode; empty: the task draws one", None),
    "output": ("runs/sim_grasp", "folder for result.json, recordings, and episodes.gif where overlay is true", None),
    "seed": ("3000000", "seed of the first episode; the next ones count up", None),
    "clock": ("realtime", "who advances time: the wall clock, or each command", ["realtime", "lockstep"]),
    "auto_start": (
        "false",
        "with episodes 0: the policy acts at once, without /policy/enable",
        ["true", "false"],
    ),
    "namespace": NAMESPACE_ARGUMENT,
    **EXTRA_ARGUMENTS,
    "overlay": ("true", "film the first episodes with their keypoints", ["true", "false"]),
}


def generate_launch_description():
    return launch_description(ARGUMENTS, plan)


def plan(values):
    """Check everything that can be checked before anything starts, then start the graph."""
    task, clock = values["task"], values["clock"]
    bundle = bundle_folder(values["bundle"], task, values["scene"], values["object"])
    info = read_bundle_info(bundle, task)
    scene, thing = values["scene"] or info["scene"], values["object"] or info["object"]
    check_names(task, scene, thing)
    read_goal(values["goal"])
    episodes, seed = whole_number("episodes", values["episodes"]), whole_number("seed", values["seed"])
    world = {
        "task": task,
        "scene": scene,
        "object": thing,
        "seed": seed,
        "clock": clock,
        "goal": values["goal"],
    }
    acting = {
        "bundle": str(bundle),
        "task": task,
        "clock": clock,
        "auto_start": values["auto_start"] == "true" and episodes == 0,
    }
    output = Path(values["output"]).expanduser().absolute()
    graph = [
        *extras(values, output),
        *required(configured_node("kprl_sim", "sim_bridge", world)),
        *required(configured_node("kprl_keypoints", "keypoint_node", {"model": str(bundle)})),
        *required(configured_node("kprl_policy", "policy_node", acting)),
    ]
    if episodes == 0:
        return graph
    job = {
        "episodes": episodes,
        "seed": seed,
        "film": values["overlay"] == "true",
        "bundle": str(bundle),
        "output": str(output),
    }
    return [*graph, *last_stage(configured_node("kprl_policy", "evaluate_node", job), "the evaluation")]
