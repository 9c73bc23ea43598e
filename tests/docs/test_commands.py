"""Every command of the documentation: taken by what it names, and run where that is quick."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_checks import check, parsed
from shell_blocks import PAGES, ROOT, Command, all_commands, blocks, simple_commands

from graph_tables import launch_arguments
from kprl.cli import COMMANDS

ALL = all_commands()
WHOLE = [command for command in ALL if command.whole]
# Commands of `kprl` that are run here as the page has them, but smaller. The order makes what the next ones need.
SMALLER: dict[tuple[str, str], dict[str, Any]] = {
    ("data", "preview"): {"images": 2},
    ("data", "generate"): {"images": 120, "workers": 1},
    ("keypoints", "train"): {"steps": 4},
    ("policy", "train"): {"steps": 100, "random_steps": 50, "evaluation_episodes": 1, "final_episodes": 1}
    | {"learner": "inline"},
    ("policy", "eval"): {"episodes": 1},
    ("policy", "show"): {},
}
RUN_PAGE = "docs/tutorial.md"  # the same with other flags on other pages is parsed
# The others, and who runs them.
ELSEWHERE = {
    "kprl keypoints eval": "tests/core/test_cli.py",
    "kprl keypoints card": "tests/keypoints/test_card.py",
    "kprl keypoints ablation": "tests/keypoints/test_ablation.py",
    "kprl policy card": "tests/core/test_policy_card.py",
    "kprl bench env": "tests/core/test_cli.py",
    "kprl bench encoder": "tests/keypoints/test_bench_encoder.py",
    "kprl bench sac": "tests/rl/test_bench_sac.py",
    "kprl bench pipeline": "tests/core/test_cli.py",
    "kprl bench learning": "tests/rl/test_bench_learning.py",
    "kprl bench graph": "tests/graph",
    "kprl experiment": "tests/experiments",
    "ros2 launch": "tests/graph/test_launch_files.py",
    "ros2 run kprl_camera": "tests/camera/test_camera_node.py",
    "ros2 run kprl_driver": "tests/driver/test_driver_node.py",
    "ros2 run kprl_inspection": "tests/inspection",
    "ros2 run kprl_fake_hardware": "tests/workcell",
    "ros2 service call": "tests/ros2_standin/test_graph.py",
    "ros2 security": "tests/security/test_policy.py",  # needs a distribution: its input is tested
    "ros2 topic": "tests/ros2_standin/test_graph.py",
    "make setup": ".ci/run",
    "make test": ".ci/run",
    "make demo": "scripts/demo.sh",  # sixteen minutes: its launch files run in tests/graph, with profile:=smoke
    "make models": "scripts/train_models.sh",  # half a day
    "make soak": "tests/driver/test_fault_sequences.py",
    "make docs": "tests/docs/test_site.py",
    "make lint": ".ci/run",
    "make audit": ".github/workflows/audit.yml",  # needs the advisory database
    "make help": "tests/docs/test_commands.py",
    "source setup.bash": "tests/setup/test_setup_bash.py",
    "docker compose": "tests/docker/test_docker.py",  # no container engine: parsed, and held against the specification
    "KPRL_ROBOT_IP=192.168.0.3 docker": "tests/docker/test_docker.py",
    "mkdir": "",
    "tensorboard": "",  # serves until it is stopped
    "echo": "tests/workcell/test_camera.py",  # to a pendant of the fake hardware
    "python -m kprl_fake_hardware": "tests/fake_hardware/test_clients.py",
    "python -c": "tests/fake_hardware/test_clients.py",
    "python -m pytest": "tests/docs/test_own_object.py",
    "python tools/docs/graph_tables.py": "tests/docs/test_topics.py",
    "python tools/security/make_policy.py": "tests/security/test_policy.py",
    "export": "",  # for the command after it
}


def name_of(command: Command) -> str:
    """The key of ELSEWHERE that speaks of the command."""
    text = " ".join(command.words)
    return next((name for name in ELSEWHERE if text.startswith(name)), "")


@pytest.mark.parametrize("command", ALL, ids=str)
def test_it_would_be_taken(command: Command) -> None:
    check(command)


@pytest.mark.parametrize("command", WHOLE, ids=str)
def test_it_is_run_here_or_elsewhere(command: Command) -> None:
    is_run = command.words[0] == "kprl" and (command.words[1:3] in SMALLER or "--help" in command.words)
    assert is_run or name_of(command), "run it in tests/docs/test_commands.py, or say in ELSEWHERE who does"


def test_who_runs_it_elsewhere_is_there() -> None:
    named = {name_of(command) for command in WHOLE} - {""}
    assert [place for name in named if (place := ELSEWHERE[name]) and not (ROOT / place).exists()] == []


def test_every_page_is_read() -> None:
    assert {page.name for page in PAGES} >= {"README.md", "tutorial.md", "real.md", "driver.md", "docker.md"}
    assert len(WHOLE) > 80 and len({command.page for command in WHOLE}) >= 9


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_command_hides_in_another_block(page: Path) -> None:
    hidden = re.compile(r"^\s*(\$ )?(kprl|ros2|make|docker|python3?|pip|source) ", re.MULTILINE)
    for line, language, code in blocks(page.read_text())[0]:
        assert language in ("", "bash", "python", "indented"), f"line {line}: a block of '{language}' is read by nobody"
        assert language in ("bash", "indented") or not hidden.search(code), f"line {line}: mark the block as bash"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_compile(page: Path) -> None:
    for line, language, code in blocks(page.read_text())[0]:
        if language == "python" and not code.startswith("    "):  # indented: lines to put into a file
            compile(code, f"{page.name}:{line}", "exec")


@pytest.mark.parametrize(
    "wrong",
    [
        "kprl data generate --images 12 --outt x",
        "kprl policy train --preset huge --out x",
        "kprl data generate --images twelve --out x",
        "kprl frobnicate",
        "ros2 launch kprl_bringup sim_grasp.launch.py episodess:=5",
        "ros2 launch kprl_bringup sim_grasp.launch.py clock:=sundial",
        "ros2 launch kprl_bringup nothing.launch.py",
        "ros2 run kprl_camera camera",
        "ros2 run kprl_driver driver_node --ros-args -p robot:=192.168.0.3",
        "ros2 service call /policy/enable std_srvs/srv/Trigger",
        "ros2 service call /policy/enable std_srvs/srv/SetBool '{dada: true}'",
        "ros2 topic echo /keypoint",
        "make coffee",
        "docker compose -f docker/compose.yaml run --rm nobody",
        "echo frobnicate > /dev/tcp/127.0.0.1/29103",
        "curl example.com",
    ],
)
def test_what_would_be_refused_is_found(wrong: str) -> None:
    ((_, words),) = simple_commands(wrong)
    with pytest.raises(AssertionError):
        check(Command("", 0, words))


def test_blocks_are_taken_apart() -> None:
    code = 'for seed in 3 4; do\n    kprl a --seed $seed \\\n  --out "x y"  # why\ndone\necho b > f & python -c "\n1"'
    assert [words for _, words in simple_commands(code)] == [
        ("kprl", "a", "--seed", "3", "--out", "x y"), ("echo", "b", ">", "f"), ("python", "-c", "\n1"),
    ]  # fmt: skip


@pytest.mark.parametrize("service", ["train", "sim", "real", "rviz"])
def test_what_a_container_starts_would_be_taken(service: str) -> None:
    text = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())["services"][service]["command"]
    ((_, words),) = simple_commands(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text))
    check(Command("docker/compose.yaml", 0, words))


@pytest.mark.slow
def test_the_commands_of_the_tutorial_run_one_after_another(tmp_path: Path, monkeypatch, capsys) -> None:
    """In an empty folder, so that none needs what the page does not make before."""
    monkeypatch.chdir(tmp_path)
    made, run = [], set()
    for command in WHOLE:
        if command.page != RUN_PAGE or command.words[0] != "kprl" or command.words[1:3] not in SMALLER:
            continue
        function, given = parsed(command.words)
        assert function is not None
        function(**(given | SMALLER[command.words[1:3]]))  # type: ignore[index]
        run.add(command.words[1:3])
        made += [value for name, value in given.items() if name in ("out", "json", "pictures") and value is not None]
    assert run == set(SMALLER) and all(path.exists() for path in made)
    assert "success" in capsys.readouterr().out


@pytest.mark.parametrize("group", sorted(COMMANDS))
def test_every_command_has_help(group: str) -> None:
    for command in COMMANDS[group]:
        assert parsed(("kprl", group, command, "--help")) == (None, {})


@pytest.mark.parametrize("file", sorted(path.name for path in (ROOT / "launch").glob("*.launch.py")))
def test_show_args_of_a_launch_file(file: str) -> None:
    done = subprocess.run(
        ["ros2", "launch", "kprl_bringup", file, "--show-args"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert all(f"'{name}'" in done.stdout for name in launch_arguments(file))


def test_make_help_names_the_targets() -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["make", "help"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=True)
    used = {word for command in ALL if command.words[0] == "make" for word in command.words[1:] if "=" not in word}
    assert [target for target in used if f"make {target}" not in done.stdout] == []


@pytest.mark.slow
def test_the_python_of_the_world_page_runs() -> None:
    """With a model that ships in place of one's own, and fewer worlds."""
    page = ROOT / "docs" / "world.md"
    codes = [code for _, language, code in blocks(page.read_text())[0] if language == "python"]
    assert len(codes) == 2
    for code in codes:
        here: dict[str, Any] = {}
        shipped = str(ROOT / "models" / "grasp-env1" / "keypoints")
        exec(code.replace("runs/my/keypoints", shipped).replace('-v1", 4,', '-v1", 1,'), here)
        made = here.get("env") or here["envs"]
        observation, _ = made.reset(seed=0)
        assert set(observation) >= {"observation", "achieved_goal", "desired_goal"}
        made.close()
