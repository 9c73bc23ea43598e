"""Launch arguments: shown, defaulted, checked; every mistake is one line and a non-zero exit."""

from __future__ import annotations

import pytest

SHOWN = """Arguments (pass arguments as '<name>:=<value>'):

    'robot':
        Which robot. Valid choices are: ['ur5', 'ur10']

    'speed':
        Speed [m/s].
        (default: '0.5')

    'mode':
        One of: ['slow', 'fast']
        (default: 'slow')

    'model':
        no description given
        (default: 'my_' + LaunchConfig('robot'))

    'file':
        F
        (default: PathJoin(''/models' + LaunchConfig('robot')'))

    'rare':*
        no description given
        (default: '')

* argument(s) which are only used if specific conditions occur
"""


@pytest.mark.parametrize("flag", ["-s", "--show-args"])
def test_show_args_lists_names_descriptions_defaults_and_choices(ros2, flag):
    shown = ros2.launch("arguments.launch.py", flag)
    assert (shown.returncode, shown.stdout) == (0, SHOWN)


def test_show_args_includes_those_of_included_files(ros2):
    shown = ros2("launch", "-s", "standin_demo", "scopes.launch.py").stdout
    assert "'needed':\n        no default\n" in shown
    assert "'name':\n        no description given\n        (default: 'outer')" in shown  # the first counts


def test_defaults_and_given_values(ros2):
    result = ros2.launch("arguments.launch.py", "robot:=ur10", "speed:=1", "speed:=2")
    assert result.returncode == 0, result.stderr
    assert "[INFO] [launch.user]: robot=ur10 speed=2\n" in result.stdout
    assert "[INFO] [launch.user]: model=my_ur10 file=/models/ur10\n" in result.stdout


def test_a_path_works_in_place_of_package_and_file(ros2):
    path = ros2.prefix / "share" / "standin_demo" / "launch" / "arguments.launch.py"
    result = ros2("launch", str(path), "robot:=ur5")
    assert result.returncode == 0 and "robot=ur5 speed=0.5" in result.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["arguments.launch.py", "robot:=ur6"], ["'robot' is 'ur6'", "valid: ur5, ur10"]),
        (["arguments.launch.py"], ["required launch argument 'robot' is missing", "Which robot"]),
        (
            ["arguments.launch.py", "robot:=ur5", "sped:=1"],
            [
                "unknown launch argument 'sped'",
                "did you mean 'speed'?",
                "file, mode, model, rare, robot, speed",
            ],
        ),
        (["arguments.launch.py", "speed=1"], ["'speed=1'", "name:=value"]),
        (["arguments.launch.py", "--wrong"], ["--wrong", "usage: ros2 launch"]),
        (["argument.launch.py"], ["'argument.launch.py' not found", "arguments.launch.py, broken.launch.py"]),
        ([], ["which launch file", "arguments.launch.py"]),
        (["broken.launch.py"], ["broken.launch.py:2: ZeroDivisionError: division by zero"]),
    ],
)
def test_a_mistake_is_one_line_and_a_non_zero_exit(ros2, words, expected):
    result = ros2("launch", "standin_demo", *words)
    assert result.returncode != 0
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1, result.stderr
    for part in expected:
        assert part in result.stderr


def test_an_unknown_package_names_those_that_have_launch_files(ros2):
    result = ros2("launch", "standin_dem", "x.launch.py")
    assert result.returncode != 0 and len(result.stderr.splitlines()) == 1
    assert "did you mean 'standin_demo'? packages with launch files: " in result.stderr
    assert "standin_demo" in result.stderr.partition("launch files: ")[2]


def test_without_an_ament_index_the_message_says_what_to_source(ros2):
    result = ros2.launch("arguments.launch.py", AMENT_PREFIX_PATH="")
    assert result.returncode != 0 and "setup.bash" in result.stderr


def test_an_unknown_name_is_refused_at_run_time_where_an_opaque_function_may_declare_it(ros2):
    result = ros2.launch("opaque.launch.py", "lat:=9")
    assert result.returncode == 1
    assert "unknown launch argument 'lat'; did you mean 'late'? declared: count, late" in result.stdout
    assert "process started" not in result.stdout


def test_an_opaque_function_gets_the_context_and_returns_actions(ros2):
    result = ros2.launch("opaque.launch.py", "count:=2", "late:=9")
    assert result.returncode == 0
    assert result.stdout.count("] word 9\n") == 4


def test_choices_of_an_included_file_are_checked_when_it_is_included(ros2):
    result = ros2.launch("scopes.launch.py", "extra:=g")
    assert result.returncode == 1
    assert "[ERROR] [launch]: launch argument 'extra' is 'g'; valid: e, f" in result.stdout
    assert "process started" not in result.stdout
