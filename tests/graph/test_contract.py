"""Every node, each in a namespace of its own, against contract.yaml: topics, services, parameters, diagnostics, end."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticArray
from graph_processes import Graph, open_graph
from rcl_interfaces.msg import ParameterType
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters
from rclpy.parameter import parameter_value_to_python
from rclpy.qos import QoSDurabilityPolicy, QoSReliabilityPolicy

sys.path.insert(0, str(Path(__file__).parents[1] / "driver"))  # machines
from machines import next_address  # noqa: E402

from kprl_ros import topics  # noqa: E402
from kprl_ros.topics import STREAM, at_root, within  # noqa: E402

pytestmark = [pytest.mark.graph, pytest.mark.timeout(240)]
CONFIG = Path(__file__).parents[2] / "config"
CONTRACT = yaml.safe_load((Path(__file__).parent / "contract.yaml").read_text())
NODES: dict[str, dict[str, Any]] = CONTRACT["nodes"]
START_TIMEOUT = 60.0  # [s] for all of them on a machine under load
SHUTDOWN = 2.0  # [s] that a node may take to end
ROS_OWN = {"use_sim_time", "start_type_description_service"}  # parameters of every node
EVERYWHERE = {"/rosout", "/parameter_events"}  # topics of every node
SERVED_BY_ALL = {"describe_parameters", "get_parameters", "get_parameter_types", "list_parameters", "set_parameters",
                 "set_parameters_atomically", "get_type_description"}  # fmt: skip
NUMBERS = (ParameterType.PARAMETER_INTEGER, ParameterType.PARAMETER_DOUBLE)
OVERLAY_SCALE = 7  # a value that only the changed configuration file has


@contextmanager
def all_nodes(folder: Path, bundle: Path, model: Path) -> Iterator[Graph]:
    """All nodes with their configuration, each where no other's names are."""
    address = next_address()
    own = {"ADDRESS": address, "BUNDLE": bundle, "MODEL": model}
    changed = folder / "keypoint_node.yaml"
    changed.write_text((CONFIG / "keypoint_node.yaml").read_text().replace("scale: 5", f"scale: {OVERLAY_SCALE}"))
    with open_graph(3, folder) as graph:
        diagnostics = graph.listen(DiagnosticArray, topics.DIAGNOSTICS, STREAM)
        for name, node in NODES.items():
            file = changed if name == "keypoint_node" else CONFIG / f"{name}.yaml"
            given = own | {"FOLDER": folder / f"output-{name}"}
            parameters = {key: given.get(value, value) for key, value in node["started_with"].items()}
            process = graph.start(name, "-r", f"__ns:=/of_{name}", "--params-file", str(file), **parameters)
            if name == "workcell":  # the driver refuses to start without its robot
                graph.wait(lambda log=process.log: address in log.read_text(), "the workcell", START_TIMEOUT)

        def have_spoken() -> bool:
            return {status.name for message in diagnostics for status in message.status} >= set(map(full_name, NODES))

        graph.wait(have_spoken, "diagnostics of all nodes", START_TIMEOUT)
        graph.diagnostics = diagnostics  # type: ignore[attr-defined]
        yield graph


def namespace(name: str) -> str:
    return f"/of_{name}"


def full_name(name: str) -> str:
    return f"{namespace(name)}/{name}"


@pytest.fixture(scope="module")
def graph(bundle: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    with all_nodes(tmp_path_factory.mktemp("contract"), bundle, model) as graph:
        yield graph


def absolute(name: str, promised: list[str]) -> set[str]:
    return {within(namespace(name), topic) for topic in promised}


def found(query: Callable[[str, str], Any], name: str) -> dict[str, str]:
    """Names and types of a node's topics or services without those that every node has."""
    of_every_node = EVERYWHERE | {f"{full_name(name)}/{service}" for service in SERVED_BY_ALL}
    return {
        topic: kinds[0]
        for topic, kinds in query(name, namespace(name))
        if topic not in of_every_node and "/_action/" not in topic
    }


def test_the_contract_names_what_the_code_names() -> None:
    names = {value for key, value in vars(topics).items() if key.isupper() and isinstance(value, str)}
    names -= {topics.BASE_FRAME, topics.CAMERA_FRAME, topics.ROBOT_DESCRIPTION}
    assert names == set(CONTRACT["topics"]) | set(CONTRACT["services"]) | set(CONTRACT["actions"])
    assert {name for name in names if name.startswith("/")} == {topics.CLOCK, topics.DIAGNOSTICS}
    assert {at_root(name) for name in names} == {f"/{name.lstrip('/')}" for name in names}
    assert within("left", "goal") == within("/left/", "goal") == "/left/goal" and within("left", "/clock") == "/clock"


@pytest.mark.parametrize("name", NODES)
def test_topics_are_those_of_the_contract(graph: Graph, name: str) -> None:
    node, promised = graph.node, NODES[name]
    types = {within(namespace(name), topic): kind for topic, kind in CONTRACT["topics"].items()}
    sent = [*promised.get("publishes", []), topics.DIAGNOSTICS]
    for query, wanted in (
        (node.get_publisher_names_and_types_by_node, absolute(name, sent)),
        (node.get_subscriber_names_and_types_by_node, absolute(name, promised.get("subscribes", []))),
    ):
        graph.wait(lambda query=query, wanted=wanted: set(found(query, name)) >= wanted, f"topics of {name}")
        assert found(query, name) == {topic: types[topic] for topic in wanted}


@pytest.mark.parametrize("name", NODES)
def test_services_and_actions_are_those_of_the_contract(graph: Graph, name: str) -> None:
    node, promised = graph.node, NODES[name]
    types = {within(namespace(name), service): kind for service, kind in CONTRACT["services"].items()}
    for query, wanted in (
        (node.get_service_names_and_types_by_node, absolute(name, promised.get("serves", []))),
        (node.get_client_names_and_types_by_node, absolute(name, promised.get("calls", []))),
    ):
        assert found(query, name) == {service: types[service] for service in wanted}
    for query, actions in (
        (node.get_service_names_and_types_by_node, promised.get("acts", [])),
        (node.get_client_names_and_types_by_node, promised.get("uses", [])),
    ):
        goals = {service: kinds for service, kinds in query(name, namespace(name)) if "/_action/send_goal" in service}
        expected = {within(namespace(name), action): CONTRACT["actions"][action] for action in actions}
        assert goals == {f"{action}/_action/send_goal": [f"{kind}_SendGoal"] for action, kind in expected.items()}


@pytest.mark.parametrize("name", NODES)
def test_quality_of_service_is_that_of_the_contract(graph: Graph, name: str) -> None:
    promised = NODES[name]
    for query, names in (
        (graph.node.get_publishers_info_by_topic, promised.get("publishes", [])),
        (graph.node.get_subscriptions_info_by_topic, promised.get("subscribes", [])),
    ):
        for topic in names:
            is_latched = topic in CONTRACT["latched"]
            durability = QoSDurabilityPolicy.TRANSIENT_LOCAL if is_latched else QoSDurabilityPolicy.VOLATILE
            for info in query(within(namespace(name), topic)):
                if info.node_name == name:
                    quality = info.qos_profile
                    expected = (QoSReliabilityPolicy.RELIABLE, durability)
                    assert (quality.reliability, quality.durability) == expected, topic


@pytest.mark.parametrize("name", NODES)
def test_parameters_are_described_bounded_and_those_of_the_configuration(graph: Graph, name: str) -> None:
    stated = yaml.safe_load((CONFIG / f"{name}.yaml").read_text())[f"/**/{name}"]["ros__parameters"]
    listed = graph.call(ListParameters, f"{full_name(name)}/list_parameters", ListParameters.Request())
    own = [parameter for parameter in listed.result.names if parameter not in ROS_OWN]
    assert set(own) == set(stated) | set(NODES[name].get("required", []))
    asked = DescribeParameters.Request(names=own)
    described = graph.call(DescribeParameters, f"{full_name(name)}/describe_parameters", asked).descriptors
    for about in described:
        assert about.description and about.read_only, about.name
        if about.type in NUMBERS:
            assert len(about.integer_range) + len(about.floating_point_range) == 1, f"{about.name} has no range"
    values = graph.call(GetParameters, f"{full_name(name)}/get_parameters", GetParameters.Request(names=own)).values
    given = NODES[name]["started_with"]
    for parameter, value in zip(own, map(parameter_value_to_python, values), strict=True):
        if parameter == "overlay_scale":
            assert value == OVERLAY_SCALE  # the configuration reaches a node in a namespace
        elif parameter not in given:
            assert (value, type(value)) == (stated[parameter], type(stated[parameter]))


@pytest.mark.parametrize("name", NODES)
def test_diagnostics_tell_what_the_contract_says(graph: Graph, name: str) -> None:
    newest = {status.name: status for message in graph.diagnostics for status in message.status}[full_name(name)]
    assert set(NODES[name]["diagnostics"]) <= {value.key for value in newest.values}
    assert newest.hardware_id == "kprl"


def end_all(graph: Graph, number: int) -> None:
    for name, node in NODES.items():
        status, seconds = graph.processes[name].stop(number=number)
        log = graph.processes[name].log.read_text()
        assert status == node.get("ends_with", 0) and "Traceback" not in log, f"{name} ended with {status}: {log}"
        assert seconds < SHUTDOWN, f"{name} took {seconds:.1f} s"


def test_sigterm_ends_each_node_at_once(graph: Graph) -> None:
    end_all(graph, signal.SIGTERM)


@pytest.mark.slow
def test_sigint_ends_each_node_at_once(bundle: Path, model: Path, tmp_path: Path) -> None:
    with all_nodes(tmp_path, bundle, model) as graph:
        end_all(graph, signal.SIGINT)
