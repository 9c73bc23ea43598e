"""The policy of SROS 2: of the code as it is, within the rules of its schema, and enough for what nodes really do."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from fnmatch import fnmatchcase

import pytest
import rclpy
from rclpy.node import Node

import graph_tables
from kprl_ros.launch_security import GRAPH, OPERATOR, enclave
from make_policy import POLICY, SHELL, policy

# Schema 0.2.0 (sros2/policy/schemas/policy.xsd): attributes that must be there, that may be, and what it may hold.
LISTS = {"topics": ("topic", {"publish", "subscribe"}), "services": ("service", {"request", "reply"}),
         "actions": ("action", {"call", "execute"})}  # fmt: skip
SCHEMA: dict[str, tuple[set[str], set[str], set[str]]] = {
    "policy": ({"version"}, set(), {"enclaves"}),
    "enclaves": (set(), set(), {"enclave"}),
    "enclave": ({"path"}, set(), {"profiles"}),
    "profiles": (set(), {"type"}, {"profile"}),
    "profile": ({"ns", "node"}, set(), set(LISTS)),
    **{name: (set(), allowed, {item}) for name, (item, allowed) in LISTS.items()},
    **{item: (set(), set(), set()) for item, _ in LISTS.values()},
}
HELD_ONCE = {"policy": 1, "enclave": 1}  # two `profiles` in an enclave would be two grants, and the first one counts


def broken_rules(text: str) -> list[str]:
    """What of the schema, and of names in ROS, a policy does not keep."""
    root = ElementTree.fromstring(text)
    broken = [] if (root.tag, root.get("version")) == ("policy", "0.2.0") else ["not a policy of version 0.2.0"]
    for element in root.iter():
        needed, possible, held = SCHEMA.get(element.tag, (set(), set(), set()))
        names, children = set(element.keys()), [child.tag for child in element]
        broken += [] if element.tag in SCHEMA else [f"unknown element {element.tag}"]
        broken += [f"{element.tag} lacks {name}" for name in needed - names]
        broken += [f"{element.tag} has {name}" for name in names - needed - possible]
        broken += [f"{element.tag} holds {tag}" for tag in children if tag not in held]
        if held and (not children or len(children) > HELD_ONCE.get(element.tag, len(children))):
            broken.append(f"{element.tag} holds {len(children)} elements")
        if element.tag in LISTS and set(element.attrib.values()) not in ({"ALLOW"}, {"DENY"}):
            broken.append(f"{element.tag} says {element.attrib}")
        if not held and (element.text or "").strip()[:1] not in ("/", "~"):
            broken.append(f"{element.text} is no absolute name")
    return broken


def allowed(path: str, text: str | None = None) -> dict[str, set[str]]:
    """By what is allowed, the absolute names of an enclave."""
    found: dict[str, set[str]] = {}
    root = ElementTree.fromstring(text or POLICY.read_text())
    for profile in root.iterfind(f"enclaves/enclave[@path='{path}']/profiles/profile"):
        own = f"{profile.get('ns', '').rstrip('/')}/{profile.get('node')}"
        for group in profile:
            for right in group.attrib:
                found.setdefault(right, set()).update((name.text or "").replace("~", own, 1) for name in group)
    return found


def test_it_is_that_of_the_code() -> None:
    assert POLICY.read_text() == policy(), "run `python tools/security/make_policy.py --write`"


@pytest.mark.parametrize("namespace", ["", "left", "/cells/left"])
def test_it_keeps_the_rules_of_its_schema(namespace: str) -> None:
    assert broken_rules(policy(namespace)) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('version="0.2.0"', 'version="0.1.0"'),
        ('path="/kprl/graph"', 'name="/kprl/graph"'),
        (' ns="/"', ""),
        ('publish="ALLOW"', 'publish="YES"'),
        ('<services reply="ALLOW">', '<services subscribe="ALLOW">'),
        ("<topic>/rosout</topic>", "<service>/rosout</service>"),
        ("<topic>/rosout</topic>", "<topic>rosout</topic>"),
    ],
)
def test_a_broken_rule_is_found(right: str, wrong: str) -> None:
    text = policy()
    assert right in text and broken_rules(text.replace(right, wrong, 1))


def test_every_node_that_is_installed_has_a_profile() -> None:
    root = ElementTree.fromstring(POLICY.read_text())
    assert set(graph_tables.NODES) <= {profile.get("node") for profile in root.iter("profile")}


def test_it_allows_what_the_nodes_code_makes() -> None:
    graph, ends = allowed(enclave(GRAPH)), graph_tables.endpoints()
    rights = {"topic": ("publish", "subscribe"), "service": ("reply", "request"), "action": ("execute", "call")}
    for kind, (offering, using) in rights.items():
        assert {name for name, end in ends[kind].items() if end.offers} <= graph[offering]
        assert {name for name, end in ends[kind].items() if end.uses} <= graph[using]


@pytest.mark.parametrize("namespace", ["", "/left"])
def test_it_allows_what_every_node_has(namespace: str) -> None:
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=184)
    node = Node("policy_node", namespace=namespace or "/", context=context)
    name, below = node.get_name(), node.get_namespace()
    try:
        made = {
            "publish": node.get_publisher_names_and_types_by_node(name, below),
            "subscribe": node.get_subscriber_names_and_types_by_node(name, below),
            "reply": node.get_service_names_and_types_by_node(name, below),
        }
    finally:
        node.destroy_node()
        rclpy.shutdown(context=context)
    graph = allowed(enclave(GRAPH, namespace), policy(namespace))
    assert made["publish"] and made["reply"]
    for right, endpoints in made.items():
        assert {topic for topic, _ in endpoints} <= graph[right]


def test_a_person_may_ask_for_everything_and_command_no_velocity() -> None:
    person, ends = allowed(enclave(OPERATOR)), graph_tables.endpoints()
    assert set(ends["topic"]) <= person["subscribe"] and set(ends["service"]) <= person["request"]
    assert set(ends["action"]) <= person["call"] and "/policy_node/list_parameters" in person["request"]
    assert person["publish"] == {"/goal", "/rosout", "/parameter_events"} and "execute" not in person
    assert all(fnmatchcase(name, f"/{SHELL}/*") for name in person["reply"])


def test_no_wildcard_but_for_what_has_no_fixed_name() -> None:
    wild = {name for right, names in allowed(enclave(GRAPH)).items() for name in names if "*" in name}
    assert wild == {"/events/*", "/rosbag2_recorder/*"}


def test_a_second_robot_has_names_and_an_identity_of_its_own() -> None:
    graph = allowed("/kprl/left/graph", policy("left"))
    assert "/left/ee_twist_cmd" in graph["publish"] and "/left/driver_node/get_parameters" in graph["reply"]
    assert "/ee_twist_cmd" not in graph["publish"] | graph["subscribe"]
    assert {name for name in graph["publish"] if not name.startswith("/left/")} == {
        "/diagnostics", "/clock", "/rosout", "/parameter_events", "/tf", "/tf_static", "/events/*",
    }  # fmt: skip
    assert allowed(enclave(GRAPH), policy("left")) == {}
