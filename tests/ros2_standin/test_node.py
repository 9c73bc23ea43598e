"""`launch_ros`: what a node gets on its command line, and what a real node makes of it."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
import yaml


def arguments_of(label: str, output: str) -> list[str]:
    return [line.partition("arg ")[2] for line in output.splitlines() if line.startswith(f"[{label}] arg ")]


def test_command_line_of_a_node(ros2):
    output = ros2.launch("node.launch.py", "executable:=args").stdout
    file = "<file>"
    assert arguments_of("args-1", output) == [
        "--plain", "42", "--ros-args", "--log-level", "warn", "--ros-args",
        "-r", "__node:=worker", "-r", "__ns:=/outer/inner", "-p", "everywhere:=True",
        "--params-file", file, "--params-file", file, "-r", "chatter:=/news", "-r", "ping:=pong_42",
    ]  # fmt: skip
    assert arguments_of("plain-2", output) == ["--ros-args", "--params-file", file]
    assert arguments_of("alone-3", output) == ["--ros-args", "-r", "__ns:=/abs"]


def test_parameter_files_name_the_node_or_every_node_and_are_removed(ros2):
    output = ros2.launch("node.launch.py", "executable:=args").stdout
    written = {}
    for label in ("args-1", "plain-2"):
        lines = [line.removeprefix(f"[{label}] ") for line in output.splitlines() if line.startswith(f"[{label}]")]
        content = "\n".join(line for line in lines if not line.startswith(("arg ", "file ")))
        written[label] = list(yaml.safe_load_all(content.replace("/outer/inner/worker:", "---\n/outer/inner/worker:")))
    assert written["plain-2"] == [{"/**": {"ros__parameters": {"a": 1}}}]
    assert written["args-1"][-1] == {
        "/outer/inner/worker": {
            "ros__parameters": {
                "both": "dictionary", "whole": 42, "text": "42", "floats": [1.0, 2.5], "names": ["a", "b"],
                "list": [42, 1], "nested.inner.flag": False, "quoted": "7", "joined": "n42",
            }
        }
    }  # fmt: skip
    files = [Path(line.partition("file ")[2]) for line in output.splitlines() if "] file " in line]
    assert len(files) == 3
    assert [file.name for file in files if file.exists()] == ["parameters.yaml"]


@pytest.mark.graph
def test_a_real_node_sees_name_namespace_parameters_and_remappings(ros2):
    with ros2.start("launch", "standin_demo", "node.launch.py") as running:
        running.wait_for("] node ")
        running.finish(signal.SIGINT)
        (line,) = [line for line in running.output.splitlines() if "] node " in line]
    name, topic, values = json.loads(line.partition("] node ")[2])
    assert (name, topic) == ("/outer/inner/worker", "/news")
    expected = {
        "everywhere": True, "from_file": 1.5, "both": "dictionary", "whole": 42, "text": "42",
        "floats": [1.0, 2.5], "names": ["a", "b"], "list": [42, 1], "nested.inner.flag": False,
        "quoted": "7", "joined": "n42",
    }  # fmt: skip
    assert {key: values[key] for key in expected} == expected


def test_a_package_without_the_executable_names_those_it_has(ros2):
    result = ros2.launch("node.launch.py", "executable:=arg")
    assert result.returncode == 1
    error = "[ERROR] [launch]: package 'standin_demo' has no executable 'arg'; it has: args, parameter_node,"
    assert error in result.stdout
    assert "process started" not in result.stdout
