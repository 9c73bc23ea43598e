"""Run a bundle on a UR5 with a 2F-85, or on fakes of them that speak the real protocols, and evaluate it."""

import ipaddress
from pathlib import Path

from launch_ros.actions import Node

from kprl.bundle import read_bundle_info
from kprl.errors import KprlError
from kprl.sim.ranges import RANDOMIZATIONS
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
    stage,
    whole_number,
)

YES_NO = ["true", "false"]
LOOPBACK = "127.0.0.1"
MOST_REPEATS = 2  # of an image: a sensor's noise makes no two alike, a camera whose buffer is stuck does
ARGUMENTS = {
    "bundle": ("", "folder of the bundle to run; empty: the one that ships for task, scene and object", None),
    "robot_ip": ("", "address of the robot's controller; of fake hardware a loopback one, empty: 127.0.0.1", None),
    "gripper_ip": ("", "address of the gripper's URCap server; empty: the robot's", None),
    "camera": (
        "realsense",
        "a RealSense on USB, a recording, or none is started: realsense-ros runs already",
        ["realsense", "file", "external"],
    ),
    "serial": ("", "serial number of the RealSense; empty: the only one", None),
    "file": ("", "recording (.db3, .bag) that camera:=file plays", None),
    "goal": ("", "goal 'x,y,z' [m] in base_link; empty: config/driver_node.yaml's, or the fake world draws it", None),
    "episodes": ("10", "episodes to evaluate, then the launch ends; 0: run until Ctrl-C", None),
    "auto_start": ("false", "the real arm moves without /policy/enable; fake episodes always do", YES_NO),
    "use_fake_hardware": ("false", "fake controller, gripper and camera around a simulated world", YES_NO),
    **EXTRA_ARGUMENTS,
    "output": ("runs/real_grasp", "folder for result.json and recordings", None),
    "task": ("grasp", "task that the bundle must be for", sorted(TASKS)),
    "scene": ("", "scene of the fake world; empty: the bundle's", None),
    "object": ("", "object in the fake world, or several as cube+gear; empty: the bundle's", None),
    "series": ("cb3", "which UR5 the fake controller is: of 125 or 500 Hz", ["cb3", "e-series"]),
    "randomization": ("workcell", "looks and contacts of the fake world", list(RANDOMIZATIONS)),
    "seed": ("3000000", "seed of the first episode's fake scene; the next ones count up", None),
    "namespace": NAMESPACE_ARGUMENT,
}


def generate_launch_description():
    return launch_description(ARGUMENTS, plan)


def plan(values):
    """Check everything that can be checked before anything starts, then start the graph."""
    bundle = bundle_folder(values["bundle"], values["task"], values["scene"], values["object"])
    info = read_bundle_info(bundle, values["task"])
    episodes, seed = whole_number("episodes", values["episodes"]), whole_number("seed", values["seed"])
    read_goal(values["goal"])
    is_fake, output = values["use_fake_hardware"] == "true", Path(values["output"]).expanduser().absolute()
    host = fake_address(values["robot_ip"]) if is_fake else real_address(values["robot_ip"])
    auto_start = values["auto_start"] == "true"
    confirms = not is_fake and not auto_start
    acting = {
        "bundle": str(bundle),
        "task": values["task"],
        "auto_start": auto_start and episodes == 0,
        "confirm_episodes": confirms,
    }
    seeing = {"model": str(bundle), "most_repeats": MOST_REPEATS}
    graph = [
        *extras(values, output),
        *required(configured_node("kprl_driver", "driver_node", driver(values, host, is_fake))),
        *camera(values, host, is_fake),
        *required(configured_node("kprl_keypoints", "keypoint_node", seeing)),
        *required(configured_node("kprl_policy", "policy_node", acting)),
    ]
    if episodes > 0:
        job = {
            "episodes": episodes,
            "seed": seed,
            "bundle": str(bundle),
            "output": str(output),
            "world": "workcell" if is_fake else "real",
            "confirm_episodes": confirms,
        }
        graph += last_stage(configured_node("kprl_policy", "evaluate_node", job), "the evaluation")
    if not is_fake:
        return graph
    waiting = Node(
        package="kprl_fake_hardware", executable="wait_for_workcell", arguments=["--world", host], output="screen"
    )
    workcell = configured_node("kprl_fake_hardware", "workcell", world(values, info, seed, host))
    return [*required(workcell), *stage(waiting, "the start of the fake hardware", lambda: graph)]


def real_address(robot_ip):
    """The robot's address, which nobody can guess."""
    if not robot_ip:
        raise KprlError("robot_ip is missing: give the controller's address, or use_fake_hardware:=true")
    return robot_ip


def fake_address(robot_ip):
    """Where the fakes listen: on this machine only, lest a real robot's address passes for a fake one's."""
    try:
        is_own = ipaddress.ip_address(robot_ip or LOOPBACK).is_loopback
    except ValueError:
        is_own = False
    if not is_own:
        raise KprlError(
            f"robot_ip is '{robot_ip}', but use_fake_hardware is true: expected an address of this machine, 127.x.x.x"
        )
    return robot_ip or LOOPBACK


def world(values, info, seed, host):
    """The fake workcell's parameters."""
    scene, thing = values["scene"] or info["scene"], values["object"] or info["object"]
    check_names(values["task"], scene, thing)
    return {
        "task": values["task"],
        "scene": scene,
        "object": thing,
        "randomization": values["randomization"],
        "seed": seed,
        "bind": host,
        "goal": values["goal"],
        "series": values["series"],
    }


def driver(values, host, is_fake):
    """The driver's parameters that are not its configuration's."""
    parameters = {"robot_ip": host, "gripper_ip": values["gripper_ip"]}
    if is_fake and values["gripper_ip"]:
        raise KprlError("gripper_ip is given, but use_fake_hardware is true: the fake gripper is at robot_ip")
    if is_fake:
        return parameters | {"goal": ""}  # the workcell says it with each scene
    return parameters | ({"goal": values["goal"]} if values["goal"] else {})


def camera(values, host, is_fake):
    """The camera node, where one is to be started."""
    kind, file = values["camera"], values["file"]
    if (kind == "file") != bool(file):
        raise KprlError("camera:=file and file:=PATH go together: one of them is missing")
    if kind == "external":
        return []
    if kind == "file":
        path = Path(file).expanduser().absolute()
        if not path.is_file():
            raise KprlError(f"the recording {path} does not exist")
        return required(configured_node("kprl_camera", "camera_node", {"source": "file", "file": str(path)}))
    if is_fake:
        fake = ("fake_camera_node", ["--world", host])
        return required(configured_node("kprl_fake_hardware", "camera_node", {}, *fake))
    serial = {"serial": f"_{values['serial']}"} if values["serial"] else {}
    return required(configured_node("kprl_camera", "camera_node", serial))
