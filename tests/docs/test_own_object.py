"""docs/own_object.md, done: its lines put into a copy of the library, and its commands run there, smaller."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from shell_blocks import ROOT, blocks, commands_of

PAGE = ROOT / "docs" / "own_object.md"
RUN = """
import sys
sys.path[:0] = [{helpers!r}, {tools!r}]
from command_checks import parsed
import kprl
assert kprl.__file__.startswith({copy!r}), kprl.__file__
if __name__ == "__main__":
    for words, changes in {commands!r}:
        function, given = parsed(words)
        function(**(given | changes))
        print("done", " ".join(words))
"""
SMALLER = {
    ("data", "preview"): {"images": 2},
    ("data", "generate"): {"images": 120, "workers": 1},
    ("keypoints", "train"): {"steps": 2},
    ("policy", "train"): {"steps": 50, "random_steps": 40, "evaluation_episodes": 1, "final_episodes": 1}
    | {"learner": "inline"},
}


def insert(file: Path, after: str, code: str) -> None:
    text = file.read_text()
    assert text.count(after) == 1
    file.write_text(text.replace(after, after + code))


def replace_line(file: Path, line: str) -> None:
    """Put a line in place of the one that begins with the same name."""
    name = line.split(" =")[0].split(":")[0]
    lines = file.read_text().splitlines()
    ((number, _),) = [(i, old) for i, old in enumerate(lines) if old.startswith((f"{name} =", f"{name}:"))]
    lines[number] = line
    file.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library with the page's object and task."""
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "src" / "kprl_core" / "kprl", copy / "kprl")
    parts = blocks(PAGE.read_text())[0]
    brick, task, tasks, environments = (code for _, language, code in parts if language == "python")
    insert(copy / "kprl" / "sim" / "objects.py", "    for model in (\n", brick + "\n")
    (copy / "kprl" / "tasks" / "lift.py").write_text(task + "\n")
    the_import, the_table = tasks.splitlines()
    insert(copy / "kprl" / "tasks" / "__init__.py", "from kprl.tasks.grasp import Grasp\n", the_import + "\n")
    replace_line(copy / "kprl" / "tasks" / "__init__.py", the_table)
    replace_line(copy / "kprl" / "envs" / "__init__.py", environments)
    return copy


def run(copy: Path, command: list[str], folder: Path) -> str:
    env = os.environ | {"PYTHONPATH": f"{copy}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_commands_of_the_page_work_in_the_copy(copy: Path, tmp_path: Path) -> None:
    commands = [
        (command.words, SMALLER[command.words[1:3]])  # type: ignore[index]
        for command in commands_of(PAGE)
        if command.whole and command.words[0] == "kprl" and "--start-from" not in command.words
    ]
    assert len(commands) == 8
    here = Path(__file__).parent
    script = tmp_path / "script.py"
    script.write_text(
        RUN.format(helpers=str(here), tools=str(ROOT / "tools" / "docs"), copy=str(copy), commands=commands)
    )
    assert run(copy, [sys.executable, str(script)], tmp_path).count("done kprl") == len(commands)
    for name in ("brick", "lift"):
        assert (tmp_path / "runs" / name / "policy" / "bundle" / "bundle.json").is_file()


def test_the_tests_of_objects_and_tasks_take_the_new_ones(copy: Path, tmp_path: Path) -> None:
    for folder in ("sim", "tasks"):
        shutil.copytree(ROOT / "tests" / folder, tmp_path / folder)
    objects = tmp_path / "sim" / "test_objects.py"
    text = objects.read_text().replace('TRIANGLES = {"cube": 12,', 'TRIANGLES = {"brick": 12, "cube": 12,')
    objects.write_text(text.replace('== ["cube", "rectangle"', '== ["brick", "cube", "rectangle"'))
    tests = [str(objects), str(tmp_path / "tasks" / "test_start_states.py")]
    chosen = "brick or lift or names_are_unique"
    said = run(copy, [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, "-k", chosen], tmp_path)
    assert "failed" not in said and int(said.split(" passed")[0].split()[-1]) >= 10
