"""config/driver_node.yaml is what the node does without it, and names every parameter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rclpy
import yaml
from rclpy.node import Node
from rclpy.parameter import Parameter

from kprl.errors import KprlError
from kprl_driver.settings import read_settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def node(request: pytest.FixtureRequest) -> Iterator[Node]:
    """A node with the parameters that a test gives."""
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=181)
    given = {"robot_ip": "192.0.2.1"} | getattr(request, "param", {})
    node = Node("driver_node", context=context, parameter_overrides=[Parameter(n, value=v) for n, v in given.items()])
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)


def test_the_file_states_the_defaults_of_all_parameters_and_the_manual_names_them(node):
    stated = yaml.safe_load((ROOT / "config" / "driver_node.yaml").read_text())["/**/driver_node"]["ros__parameters"]
    settings = read_settings(node)
    own = [name for name in node._parameters if name not in ("use_sim_time", "start_type_description_service")]
    assert stated == {name: node.get_parameter(name).value for name in own} | {"robot_ip": ""}
    assert all(node.describe_parameter(name).description and node.describe_parameter(name).read_only for name in own)
    manual = (ROOT / "docs" / "driver.md").read_text()
    assert [name for name in own if f"`{name}`" not in manual] == []
    assert settings.gripper_ip == "192.0.2.1" and np.isfinite(settings.home).all()


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        ({"robot_ip": ""}, "parameter robot_ip is missing"),
        ({"home": "0.5,0.0"}, "home is '0.5,0.0': expected 3 numbers"),
        ({"home": "0.5,0.0,0.9"}, "home 0.5,0.0,0.9 is outside of the workspace"),
        ({"home": ""}, "parameter home is empty"),
        ({"goal": "x"}, "goal is 'x': expected 3 numbers"),
        ({"watchdog_hz": 1.0}, "parameter watchdog_hz is 1.0: expected float from 5.0 to 25.0"),
        ({"publish_rate": 500.0}, "parameter publish_rate is 500.0"),
    ],
    indirect=["node"],
)
def test_parameters_that_do_not_fit_are_refused_with_what_was_expected(node, reason):
    with pytest.raises(KprlError, match=reason):
        read_settings(node)
