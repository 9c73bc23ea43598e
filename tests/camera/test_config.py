"""config/camera_node.yaml is what the node does without it, and names every parameter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import rclpy
import yaml
from rclpy.node import Node
from rclpy.parameter import Parameter

from kprl.errors import KprlError
from kprl_camera.settings import QOS, Settings, read_settings

FILE = Path(__file__).parents[2] / "config" / "camera_node.yaml"


@pytest.fixture
def node(request: pytest.FixtureRequest) -> Iterator[Node]:
    """A node with the parameters that a test gives."""
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=180)
    overrides = [Parameter(name, value=value) for name, value in getattr(request, "param", {}).items()]
    node = Node("camera_node", context=context, parameter_overrides=overrides)
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)


def test_the_file_states_the_defaults_of_all_parameters(node: Node) -> None:
    stated = yaml.safe_load(FILE.read_text())["/**/camera_node"]["ros__parameters"]
    read_settings(node)
    own = [name for name in node._parameters if name not in ("use_sim_time", "start_type_description_service")]
    assert stated == {name: node.get_parameter(name).value for name in own}
    assert all(node.describe_parameter(name).description and node.describe_parameter(name).read_only for name in own)


@pytest.mark.parametrize("node", [{"serial": "_036422060422"}, {"serial": "036422060422"}], indirect=True)
def test_a_serial_number_keeps_its_zeros_behind_an_underscore(node: Node) -> None:
    assert read_settings(node).serial == "036422060422"


@pytest.mark.parametrize("node", [{"serial": 832112070001}], indirect=True)
def test_a_serial_number_may_come_as_a_number(node: Node) -> None:
    settings = read_settings(node)
    assert isinstance(settings, Settings) and settings.serial == "832112070001"


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        ({"source": "file"}, "go together: one of them is missing"),
        ({"file": "a.db3"}, "go together: one of them is missing"),
        ({"source": "file", "file": "a.db3", "serial": "1"}, "names a camera, but the source is a file"),
        ({"serial": 1.5}, "parameter serial is 1.5: expected the digits of a serial number"),
        ({"stream": "depth"}, "unknown stream 'depth': choose one of color, infra1"),
        ({"stale_timeout": 0.0}, "parameter stale_timeout is 0.0: expected float from 0.1 to 60.0"),
        ({"fps": 0}, "parameter fps is 0: expected int from 1 to 300"),
        ({"qos": "BEST"}, "unknown qos 'BEST': choose one of DEFAULT, SENSOR_DATA, SYSTEM_DEFAULT"),
    ],
    indirect=["node"],
)
def test_parameters_that_do_not_fit_are_refused_with_what_was_expected(node: Node, reason: str) -> None:
    with pytest.raises(KprlError, match=reason):
        read_settings(node)


def test_the_default_quality_of_service_is_realsense_ross(node: Node) -> None:
    assert read_settings(node).qos is QOS["SYSTEM_DEFAULT"]
