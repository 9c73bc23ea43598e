"""Console output: prefixes, destinations, progress bars."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time

import pytest


@pytest.mark.parametrize(
    ("output", "on_console", "in_file"),
    [
        ("screen", {"to-out", "to-err", "no newline"}, set()),
        ("log", {"to-err"}, {"to-out", "to-err", "no newline"}),
        ("both", {"to-out", "to-err", "no newline"}, {"to-out", "to-err", "no newline"}),
    ],
)
def test_lines_are_prefixed_and_go_where_output_says(ros2, output, on_console, in_file):
    result = ros2.launch("output.launch.py", f"output:={output}")
    (log,) = (ros2.folder / "log").glob("*-*/launch.log")
    words = {"to-out", "to-err", "no newline"}
    assert {word for word in words if f"[talker-1] {word}\n" in result.stdout} == on_console
    assert {word for word in words if f"[talker-1] {word}\n" in log.read_text()} == in_file
    for text in (result.stdout, log.read_text()):
        assert "[INFO] [talker-1]: process started with pid [" in text
        assert "[INFO] [talker-1]: process has finished cleanly [pid " in text
    assert f"All log files can be found below {log.parent}" in result.stdout
    assert (ros2.folder / "log" / "latest").resolve() == log.parent


def test_everything_goes_to_the_screen_with_dash_a(ros2):
    assert "[talker-1] to-out" in ros2.launch("output.launch.py", "output:=log", "-a").stdout


def test_a_log_folder_that_cannot_be_written_is_one_line(ros2):
    (ros2.folder / "file").touch()
    result = ros2.launch("output.launch.py", ROS_LOG_DIR=str(ros2.folder / "file"))
    assert result.returncode == 1
    assert "set ROS_LOG_DIR" in result.stderr and len(result.stderr.splitlines()) == 1


def test_a_progress_bar_does_not_flood_a_file(ros2):
    begin = time.monotonic()
    result = ros2.launch("progress.launch.py")
    elapsed_s = time.monotonic() - begin
    bars = [line for line in result.stdout.splitlines() if "%|" in line]
    assert result.returncode == 0
    assert bars[-1] == "[progress-1] 100%|##########| 400/400"
    assert len(bars) <= 2 + elapsed_s / 5.0  # the first, one every five seconds, the last
    assert "\r" not in result.stdout
    assert "[progress-1] half" in result.stdout.splitlines()


def test_a_progress_bar_is_live_on_a_terminal(ros2):
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, ros2.program, "launch", "standin_demo", "progress.launch.py"],
        stdout=theirs, env={**ros2.environment, "COLUMNS": "80"}, cwd=ros2.folder,
    ) as process:  # fmt: skip
        os.close(theirs)
        written = b""
        try:
            while chunk := os.read(ours, 65536):
                written += chunk
        except OSError:  # Linux reports the end of a terminal so
            pass
        assert process.wait(ros2.timeout_s) == 0
    os.close(ours)
    text = written.decode().replace("\r\n", "\n")
    assert text.count("\r\x1b[K[progress-1]") > 50
    # What the terminal shows in the end: each line as its last update left it.
    shown = [line.split("\x1b[K")[-1] for line in text.split("\n")]
    assert shown.count("[progress-1] 100%|##########| 400/400") == 1
    assert shown.count("[progress-1] half") == 1
    assert sum("%|" in line for line in shown) == 1


def test_a_closed_output_ends_the_launch(ros2):
    command = f"'{sys.executable}' '{ros2.program}' launch standin_demo steady.launch.py | head -n 2"
    result = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env=ros2.environment, cwd=ros2.folder,
        timeout=ros2.timeout_s,
    )  # fmt: skip
    assert len(result.stdout.splitlines()) == 2
    assert "Traceback" not in result.stderr
