"""The policy of SROS 2: which node may publish, hear, serve and call what; config/security/policy.xml.

It is read from tests/graph/contract.yaml, which a test holds against running nodes, and from what recorder, viewer and
rviz show. `python tools/security/make_policy.py --write` writes it; `--namespace left` prints that of a second robot.
"""

from __future__ import annotations

import argparse
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from pathlib import Path

import yaml

from kprl_inspection.viewer_node import VIEWED
from kprl_ros import topics
from kprl_ros.launch_extras import RECORDED, SHOWN
from kprl_ros.launch_security import GRAPH, OPERATOR, enclave

ROOT = Path(__file__).resolve().parents[2]
POLICY = ROOT / "config" / "security" / "policy.xml"
CONTRACT = ROOT / "tests" / "graph" / "contract.yaml"
VERSION = "0.2.0"  # of the policy's schema, that of every distribution since Foxy
HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'
NOTE = " Written by tools/security/make_policy.py; docs/security.md says how to use it. "

Rule = tuple[str, str, str]  # element of the schema, of what it lists, and the attribute that allows it
PUBLISH: Rule = ("topics", "topic", "publish")
SUBSCRIBE: Rule = ("topics", "topic", "subscribe")
REPLY: Rule = ("services", "service", "reply")
REQUEST: Rule = ("services", "service", "request")
EXECUTE: Rule = ("actions", "action", "execute")
CALL: Rule = ("actions", "action", "call")
Rules = dict[Rule, Iterable[str]]

OF_CONTRACT = {
    "publishes": PUBLISH, "subscribes": SUBSCRIBE, "serves": REPLY, "calls": REQUEST, "acts": EXECUTE, "uses": CALL,
}  # fmt: skip
PARAMETER_SERVICES = (
    "describe_parameters", "get_parameter_types", "get_parameters", "list_parameters", "set_parameters",
    "set_parameters_atomically", "get_type_description",
)  # fmt: skip
# What rclpy and rclcpp give every node. /clock: whoever is told to use simulated time hears it.
EVERY_NODE: Rules = {
    PUBLISH: ("/rosout", "/parameter_events"),
    SUBSCRIBE: (topics.CLOCK, "/parameter_events"),
    REPLY: [f"~/{service}" for service in PARAMETER_SERVICES],
}
# Nodes that launch files start and the contract does not have: ours that look on, and those of a distribution.
LOOKING_ON: dict[str, Rules] = {
    "record_node": {PUBLISH: [topics.DIAGNOSTICS], SUBSCRIBE: [*RECORDED, topics.OVERLAY]},
    "viewer_node": {PUBLISH: [topics.DIAGNOSTICS], SUBSCRIBE: list(VIEWED)},
    "robot_state_publisher": {
        PUBLISH: [topics.ROBOT_DESCRIPTION, "/tf", "/tf_static"],
        SUBSCRIBE: [topics.JOINT_STATES],
    },
    # Its tool "publish point" sends the goal.
    "rviz2": {PUBLISH: [topics.GOAL], SUBSCRIBE: [*SHOWN, "/tf", "/tf_static"]},
}
RECORDER: Rules = {PUBLISH: ["/events/*"], SUBSCRIBE: RECORDED, REPLY: ["~/*"]}  # rosbag2's, never in a namespace
SHELL = "_ros2cli_*"  # the node of a command `ros2 topic`, `ros2 service` …, and that of its daemon


def policy(namespace: str = "") -> str:
    """The file's text, for a graph in this namespace."""
    contract = yaml.safe_load(CONTRACT.read_text())
    below = "/" + namespace.strip("/")
    root = ElementTree.Element("policy", version=VERSION)
    enclaves = ElementTree.SubElement(root, "enclaves")

    graph = _profiles(enclaves, enclave(GRAPH, namespace))
    for name, node in contract["nodes"].items():
        rules: Rules = {rule: node[key] for key, rule in OF_CONTRACT.items() if key in node}
        rules[PUBLISH] = [*rules.get(PUBLISH, []), topics.DIAGNOSTICS]
        _add_profile(graph, below, name, rules, namespace)
    for name, rules in LOOKING_ON.items():
        _add_profile(graph, below, name, rules, namespace)
    _add_profile(graph, "/", "rosbag2_recorder", RECORDER, namespace)

    parameters = [f"{node}/{service}" for node in contract["nodes"] for service in PARAMETER_SERVICES]
    person: Rules = {
        PUBLISH: [topics.GOAL],
        SUBSCRIBE: [*contract["topics"], "/rosout"],
        REQUEST: [*contract["services"], *parameters],
        CALL: contract["actions"],
    }
    _add_profile(_profiles(enclaves, enclave(OPERATOR, namespace)), "/", SHELL, person, namespace)

    root.insert(0, ElementTree.Comment(NOTE))
    ElementTree.indent(root)
    return HEADER + ElementTree.tostring(root, encoding="unicode") + "\n"


def _profiles(enclaves: ElementTree.Element, path: str) -> ElementTree.Element:
    return ElementTree.SubElement(ElementTree.SubElement(enclaves, "enclave", path=path), "profiles")


def _add_profile(profiles: ElementTree.Element, below: str, node: str, rules: Rules, namespace: str) -> None:
    profile = ElementTree.SubElement(profiles, "profile", ns=below, node=node)
    for rule in (PUBLISH, SUBSCRIBE, REPLY, REQUEST, EXECUTE, CALL):
        names = [*rules.get(rule, ()), *EVERY_NODE.get(rule, ())]
        # Absolute, because a node's own namespace is not always the graph's.
        names = [name if name[0] in "/~" else topics.within(namespace, name) for name in names]
        if names:
            group, item, allowed = rule
            listed = ElementTree.SubElement(profile, group, {allowed: "ALLOW"})
            for name in sorted(set(names)):
                ElementTree.SubElement(listed, item).text = name


def main() -> None:
    """Print the policy, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--namespace", default="", help="of the graph: the policy of a second robot")
    parser.add_argument("--write", action="store_true", help=f"write {POLICY.relative_to(ROOT)} instead of printing it")
    chosen = parser.parse_args()
    if chosen.write and chosen.namespace:
        parser.error("--write is for the graph without a namespace: redirect what is printed into a file of yours")
    if chosen.write:
        POLICY.write_text(policy())
    else:
        sys.stdout.write(policy(chosen.namespace))


if __name__ == "__main__":
    main()
