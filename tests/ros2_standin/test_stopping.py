"""The end of a launch: signals, their escalation, grandchildren, exit codes."""

from __future__ import annotations

import re
import signal
import time

import pytest


def started(running, count: int = 2) -> list[int]:
    """Identifiers of the processes of steady.launch.py and of their children, once all run."""
    deadline = time.monotonic() + 15.0
    while True:
        # Sorted by the launch's own number: which process gets ready first is chance.
        ready = sorted(re.findall(r"-(\d+)\] ready (\d+)", running.output))
        children = sorted(re.findall(r"-(\d+)\] child (\d+)", running.output))
        if len(ready) == len(children) == count:
            return [int(pid) for _, pid in ready + children]
        assert time.monotonic() < deadline and running.process.poll() is None, running.output
        time.sleep(0.02)


def test_ctrl_c_stops_every_process_and_grandchild(ros2):
    with ros2.start("launch", "standin_demo", "steady.launch.py") as running:
        pids = started(running)
        assert running.finish(signal.SIGINT) == 0
        assert "user interrupted with ctrl-c (SIGINT)" in running.output
        assert running.output.count("] stopping\n") == 2
        assert running.output.count("process has finished cleanly") == 2
        assert "SIGTERM" not in running.output
        assert not any(ros2.is_alive(pid) for pid in pids)


def test_sigterm_stops_every_process_too(ros2):
    with ros2.start("launch", "standin_demo", "steady.launch.py") as running:
        pids = started(running)
        assert running.finish(signal.SIGTERM) == 128 + signal.SIGTERM
        assert running.output.count("sending signal 'SIGINT'") == 2
        assert not any(ros2.is_alive(pid) for pid in pids)


def test_a_deaf_process_gets_sigterm_and_a_stubborn_one_sigkill(ros2):
    with ros2.start("launch", "standin_demo", "steady.launch.py", "first:=deaf", "second:=stubborn") as running:
        pids = started(running)
        assert running.finish(signal.SIGINT) == 0
        sent = re.findall(r"sending signal '(\w+)' to process\[(\w+)-\d\]", running.output)
        assert [number for number, name in sent if name == "first"] == ["SIGINT", "SIGTERM"]
        assert [number for number, name in sent if name == "second"] == ["SIGINT", "SIGTERM", "SIGKILL"]
        assert "exit code -15" in running.output and "exit code -9" in running.output
        assert not any(ros2.is_alive(pid) for pid in pids)


def test_time_outs_come_from_launch_arguments_where_the_file_sets_none(ros2):
    file = ros2.folder / "stubborn.launch.py"
    program = ros2.prefix / "lib" / "standin_demo" / "steady"
    file.write_text(
        "from launch import LaunchDescription\nfrom launch.actions import ExecuteProcess\n"
        "def generate_launch_description():\n"
        f"    return LaunchDescription([ExecuteProcess(cmd=['{program}', 'stubborn'], output='screen')])\n"
    )
    with ros2.start("launch", str(file), "sigterm_timeout:=0.3", "sigkill_timeout:=0.4") as running:
        running.wait_for("] ready")
        begin = time.monotonic()
        assert running.finish(signal.SIGINT) == 0
        assert 0.65 < time.monotonic() - begin < 4.0


def test_no_orphan_survives_a_killed_launcher(ros2):
    """SIGINT comes from the kernel; the guard's SIGTERM and SIGKILL follow for who does not listen."""
    with ros2.start("launch", "standin_demo", "steady.launch.py", "second:=deaf") as running:
        polite, deaf, *children = started(running)
        running.finish(signal.SIGKILL)
        ros2.assert_ends(polite, timeout_s=3.0)
        for pid in (deaf, *children):
            ros2.assert_ends(pid, timeout_s=9.0)


def test_grandchildren_of_a_process_that_ends_by_itself_are_killed(ros2):
    file = ros2.folder / "leaver.launch.py"
    file.write_text(
        "from launch import LaunchDescription\nfrom launch.actions import ExecuteProcess\n"
        "def generate_launch_description():\n"
        "    command = ['sh', '-c', 'sleep 60 & echo left $!']\n"
        "    return LaunchDescription([ExecuteProcess(cmd=command, output='screen')])\n"
    )
    result = ros2("launch", str(file))
    assert result.returncode == 0 and "killed what process[sh-1] had left running" in result.stdout
    (left,) = re.findall(r"left (\d+)", result.stdout)
    assert not ros2.is_alive(int(left))


def test_a_dead_grandchild_that_nobody_has_waited_for_is_not_left_running(ros2):
    """The parent of an orphan is process 1, which in a container may take seconds to wait for it."""
    file = ros2.folder / "orphan.launch.py"
    file.write_text(
        "from launch import LaunchDescription\nfrom launch.actions import ExecuteProcess\n"
        "def generate_launch_description():\n"
        "    return LaunchDescription([ExecuteProcess(cmd=['sh', '-c', 'sleep 0.2 & exit 0'], output='screen')])\n"
    )
    result = ros2("launch", str(file))
    assert result.returncode == 0 and "left running" not in result.stdout


@pytest.mark.parametrize(
    ("reaction", "code", "expected"),
    [
        ("none", 3, 0),  # nobody requires it: as with the real launch
        ("shutdown", 3, 1),
        ("shutdown", 0, 0),
        ("emit", 3, 1),
        ("raise", 3, 1),
        ("raise", 0, 0),
    ],
)
def test_exit_code_when_a_process_dies(ros2, reaction, code, expected):
    other = "0.3" if reaction == "none" else "30"
    result = ros2.launch("required.launch.py", f"reaction:={reaction}", f"code:={code}", f"other:={other}")
    assert result.returncode == expected, result.stdout
    if code:
        assert "[ERROR] [required-2]: process has died [pid " in result.stdout
        assert f", exit code {code}, cmd 'sh -c sleep 0.1; exit {code}']." in result.stdout
    if reaction != "none":
        assert "sending signal 'SIGINT' to process[sleep-1]" in result.stdout
    if reaction == "shutdown":
        assert "process[required-2] was required: shutting down launched system" in result.stdout
    if reaction == "raise" and code:
        assert "[ERROR] [launch]: required-2 failed with 3" in result.stdout


def test_a_program_that_does_not_exist_ends_the_launch(ros2):
    file = ros2.folder / "missing.launch.py"
    file.write_text(
        "from launch import LaunchDescription\nfrom launch.actions import ExecuteProcess\n"
        "def generate_launch_description():\n"
        "    commands = [['sleep', '30'], ['/no/such/program']]\n"
        "    return LaunchDescription([ExecuteProcess(cmd=command) for command in commands])\n"
    )
    result = ros2("launch", str(file))
    assert result.returncode == 1
    assert "process[program-2] cannot start" in result.stdout and "/no/such/program" in result.stdout
