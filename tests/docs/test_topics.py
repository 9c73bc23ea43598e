"""docs/topics.md says what the code has."""

from __future__ import annotations

import pytest
import rclpy
import yaml
from rclpy.node import Node

import graph_tables
from graph_tables import NODES, PAGE, ROOT, endpoints, parameters, with_tables
from kprl_camera.settings import read_settings
from kprl_ros import topics

OF_OTHERS = {"robot_description"}  # robot_state_publisher's


def test_the_tables_are_those_of_the_code() -> None:
    page = PAGE.read_text()
    assert page == with_tables(page), "run `python tools/docs/graph_tables.py --write`"


def test_every_node_is_found_and_on_the_page() -> None:
    assert set(NODES) >= {*graph_tables.ORDER, "workcell"}
    assert [node for node in NODES if f"### {node}\n" not in PAGE.read_text()] == []


def test_every_name_of_the_graph_is_on_the_page() -> None:
    names = {value for name, value in vars(topics).items() if name.isupper() and isinstance(value, str)}
    names -= {topics.BASE_FRAME, topics.CAMERA_FRAME} | OF_OTHERS
    listed = {name for kind in endpoints().values() for name in kind}
    assert {topics.at_root(name) for name in names} <= listed


def test_what_is_read_from_the_code_is_what_a_node_declares() -> None:
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=182)
    node = Node("camera_node", context=context)
    try:
        read_settings(node)
        own = [name for name in node._parameters if name not in ("use_sim_time", "start_type_description_service")]
        assert {one.name: (one.default, one.description.split(":")[0]) for one in parameters("camera_node")} == {
            name: (node.get_parameter(name).value, node.describe_parameter(name).description.split(":")[0])
            for name in own
        }
    finally:
        node.destroy_node()
        rclpy.shutdown(context=context)


@pytest.mark.parametrize("node", NODES)
def test_configuration_names_parameters_that_exist(node: str) -> None:
    file = ROOT / "config" / f"{node}.yaml"
    if not file.is_file():
        pytest.skip("it has no configuration of its own")
    (content,) = yaml.safe_load(file.read_text()).values()
    unknown = set(content["ros__parameters"]) - {parameter.name for parameter in parameters(node)}
    assert unknown == set()


def test_a_table_without_its_place_is_missed(tmp_path) -> None:
    with pytest.raises(SystemExit, match="no place for the table topics"):
        graph_tables.with_tables("# empty\n")
