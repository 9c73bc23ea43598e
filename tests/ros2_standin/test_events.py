"""Events: start and end of processes, timers, shutdown, respawn."""

from __future__ import annotations

import re


def test_reactions_to_start_exit_timer_and_shutdown(ros2):
    result = ros2.launch("events.launch.py")
    assert result.returncode == 0, result.stdout
    messages = re.findall(r"\[launch.user\]: (.*)", result.stdout)
    assert messages[:3] == ["started", "exit first-1 4 True", "time is up"]
    assert sorted(messages[3:]) == ["because the timer", "shutting down"]
    assert "[second-2] second runs\n" in result.stdout
    assert "never" not in result.stdout  # a timer that is still running ends with the launch


def test_a_launch_ends_by_itself_when_nothing_is_left_to_do(ros2):
    result = ros2.launch("arguments.launch.py", "robot:=ur5")
    assert result.returncode == 0


def test_respawn_starts_the_process_again_until_the_launch_ends(ros2):
    result = ros2.launch("respawn.launch.py", _ROS_WHEELS_BOOTSTRAP_COMPLETE="1")
    starts = result.stdout.count("[again-1]: process started with pid")
    assert result.returncode == 0
    assert 2 <= starts <= 5
