"""Commands that look at the graph, on one running node."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

import pytest
import yaml

pytestmark = pytest.mark.graph


@pytest.fixture
def node(ros2) -> Iterator[None]:
    with ros2.start("run", "standin_demo", "parameter_node", "--ros-args", "-p", "gain:=0.5") as running:
        running.wait_for("node [")
        yield
        running.finish(signal.SIGINT)


def test_the_graph_can_be_looked_at(ros2, node):
    topics = ros2("topic", "list", "-t").stdout.splitlines()
    assert "/chatter [std_msgs/msg/String]" in topics
    assert "/chatter" in ros2("topic", "list").stdout.splitlines()
    assert ros2("node", "list").stdout.splitlines() == ["/unnamed"]

    echo = ros2("topic", "echo", "/chatter", "--once")
    assert (echo.returncode, echo.stdout) == (0, "data: hello\n---\n")

    call = ros2("service", "call", "/ping", "std_srvs/srv/SetBool", "{data: true}")
    assert call.returncode == 0, call.stderr
    assert yaml.safe_load(call.stdout.partition("\n")[2]) == {"success": True, "message": "got True"}

    assert ros2("param", "get", "/unnamed", "gain").stdout == "0.5\n"
    assert "gain" in ros2("param", "list", "/unnamed").stdout.splitlines()

    with ros2.start("topic", "hz", "/chatter") as running:
        running.wait_for("average rate")
        running.finish(signal.SIGINT)
        (rate, *_) = re.findall(r"average rate: ([0-9.]+)", running.output)
        assert 10.0 < float(rate) < 30.0
        assert "Traceback" not in running.output


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (
            ["topic", "echo", "/nothing", "--once", "--timeout", "0.3"],
            "'/nothing' had no publisher within 0.3 s",
        ),
        (["topic", "hz", "/nothing", "--timeout", "0.3"], "'/nothing' had no publisher within 0.3 s"),
        (["service", "call", "/no", "std_srvs/srv/Empty", "--timeout", "0.3"], "no service '/no'"),
        (["service", "call", "/no", "std_srvs/srv/Empt"], "type 'std_srvs/srv/Empt' is not installed"),
        (
            ["service", "call", "/no", "std_srvs/srv/SetBool", "{date: 1}"],
            "has no field 'date'; it has: data",
        ),
        (["service", "call", "/no", "std_srvs/srv/SetBool", "{data: x}"], "field 'data' is boolean, got 'x'"),
    ],
)
def test_what_is_not_there_ends_with_one_line(ros2, words, problem):
    result = ros2(*words)
    assert result.returncode != 0 and problem in result.stderr
    assert "Traceback" not in result.stderr
