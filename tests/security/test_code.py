"""Nothing that is read from disk or network runs as code: no pickle, eval or shell, with exceptions and why."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = [
    *(path for folder in ("src", "tools", "launch", "scripts") for path in sorted((ROOT / folder).rglob("*.py"))),
    ROOT / "tools" / "ros2_standin" / "bin" / "ros2",
]
# Modules that unpickle, or whose pipes do.
PICKLING = (
    "pickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle",
    "multiprocessing", "torch.multiprocessing", "concurrent.futures.process", "ray",
)  # fmt: skip
CALLS = (
    "eval", "exec", "builtins.eval", "builtins.exec", "os.system", "os.popen",
    "subprocess.getoutput", "subprocess.getstatusoutput",
    "yaml.load", "yaml.load_all", "yaml.full_load", "yaml.full_load_all", "yaml.unsafe_load", "yaml.unsafe_load_all",
    "pandas.read_pickle", "pd.read_pickle", "torch.jit.load", "torch.hub.load", "torch.package.PackageImporter",
)  # fmt: skip
# Collectives of torch.distributed that pickle what they send.
OBJECT_COLLECTIVES = (
    "all_gather_object", "gather_object", "broadcast_object_list", "scatter_object_list", "send_object_list",
    "recv_object_list",
)  # fmt: skip
OWN_PIPES = "pipes between a process and the ones that it starts itself; no socket, no file"
EXCEPTIONS = {
    ("src/kprl_core/kprl/data/local_engine.py", "multiprocessing"): OWN_PIPES,
    ("src/kprl_core/kprl/envs/vector_worker.py", "multiprocessing"): OWN_PIPES,
    ("src/kprl_core/kprl/rl/process_learner.py", "multiprocessing"): OWN_PIPES,
    ("src/kprl_core/kprl/rl/process_learner.py", "pickle"): "names the error of such a pipe, and loads nothing",
    ("src/kprl_core/kprl/data/ray_engine.py", "ray"): "on loopback behind a token, or the cluster that a user names",
    ("tools/docs/graph_tables.py", "eval"): "defaults in our own code, for a table of the manual",
    ("tools/ros2_standin/python/launch/_standin/expression.py", "eval"): "of a syntax tree, each node of it allowed",
}


def dotted(expression: ast.expr) -> str:
    """The name of what is called, as it is written."""
    return ast.unparse(expression) if isinstance(expression, ast.Name | ast.Attribute) else ""


def findings(code: str) -> Iterator[str]:
    """What in the code could run what it reads."""
    for part in ast.walk(ast.parse(code)):
        if isinstance(part, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in part.names]
            if isinstance(part, ast.ImportFrom):
                module = part.module or ""
                yield from (f"{module}.{name}" for name in names if f"{module}.{name}" in CALLS)
                # An import within a package, as `from . import pickle`, is of our own.
                names = [module, *(f"{module}.{name}" for name in names)] if not part.level else []
            yield from {found for name in names for found in PICKLING if f"{name}.".startswith(f"{found}.")}
        if isinstance(part, ast.Call):
            yield from in_call(dotted(part.func), {word.arg: ast.unparse(word.value) for word in part.keywords})


def in_call(name: str, given: dict[str | None, str]) -> Iterator[str]:
    """What in a call could run what it reads; `given` are the named arguments."""
    if name in CALLS or name.rpartition(".")[2] in OBJECT_COLLECTIVES:
        yield name
    if name == "torch.load" and given.get("weights_only") != "True":
        yield "torch.load without weights_only=True"
    if given.get("allow_pickle", "False") != "False":
        yield "allow_pickle"
    if given.get("shell", "False") != "False":
        yield "shell=True"


def test_nothing_is_found_but_the_exceptions() -> None:
    found = {(file.relative_to(ROOT).as_posix(), what) for file in FILES for what in findings(file.read_text())}
    assert found - set(EXCEPTIONS) == set()
    assert set(EXCEPTIONS) - found == set(), "these exceptions are no longer needed"


def test_everything_is_looked_at() -> None:
    assert len(FILES) > 200
    assert all((ROOT / path).is_file() and why for (path, _), why in EXCEPTIONS.items())
    scripts = "".join(path.read_text() for path in [*(ROOT / "scripts").glob("*.sh"), ROOT / "setup.bash"])
    assert "pickle" not in scripts and "curl" not in scripts and "wget" not in scripts


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("import pickle", "pickle"),
        ("from multiprocessing.connection import Listener", "multiprocessing"),
        ("from torch import multiprocessing", "torch.multiprocessing"),
        ("import torch\ntorch.load(path)", "torch.load without weights_only=True"),
        ("torch.load(path, weights_only=False)", "torch.load without weights_only=True"),
        ("np.load(path, allow_pickle=True)", "allow_pickle"),
        ("np.load(path, allow_pickle=trust)", "allow_pickle"),
        ("yaml.load(text, Loader=yaml.Loader)", "yaml.load"),
        ("from yaml import load", "yaml.load"),
        ("eval(text)", "eval"),
        ("def f():\n    exec(text)", "exec"),
        ("subprocess.run(line, shell=True)", "shell=True"),
        ("os.system(line)", "os.system"),
        ("dist.all_gather_object(found, one)", "dist.all_gather_object"),
    ],
)
def test_each_kind_is_found(code: str, what: str) -> None:
    assert what in findings(code)


@pytest.mark.parametrize(
    "code",
    [
        "network.eval()",
        "torch.load(path, weights_only=True)",
        "np.load(path)",
        "np.load(path, allow_pickle=False)",
        "yaml.safe_load(text)",
        "subprocess.run(words)",
        "from . import pickle",
        "import rayleigh",
    ],
)
def test_what_is_safe_is_let_through(code: str) -> None:
    assert list(findings(code)) == []
