"""The whole real stack on fake hardware: a node is killed, and the arm stands soon.

Apart from the camera's faults, whose stack lives as long as their file: two at once would hear each other.
"""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from whole_stack import open_stack

pytestmark = pytest.mark.graph
COMMANDS_END = 0.3  # [s] to a standstill: the driver's dead-man takes 0.1 s, the rest is for a machine under load


@pytest.mark.parametrize("name", ["keypoint_node", "policy_node", "camera_node"])
def test_the_arm_stands_where_a_node_is_killed(name: str, bundle: Path, tmp_path: Path) -> None:
    with open_stack(bundle, tmp_path) as stack:
        stack.move()
        began = stack.truth.now()
        process = stack.graph.processes[name].popen
        process.send_signal(signal.SIGKILL)
        process.wait(5.0)
        seconds = stack.standstill(began)
        print(f"{name} killed: the arm stands after {seconds:.3f} s")
        assert seconds < COMMANDS_END
        assert "dead-man" in stack.said()
