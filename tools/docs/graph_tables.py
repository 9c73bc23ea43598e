"""The tables of docs/topics.md, read from the code: topics, services, actions, parameters, launch arguments.

`python tools/docs/graph_tables.py --write` puts them into the page; a test compares it with what they are now.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.util
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "topics.md"
LAUNCHES = ("sim_train.launch.py", "sim_grasp.launch.py", "real_grasp.launch.py")
# In this order; nodes that are not named here come after them.
ORDER = ("camera_node", "keypoint_node", "policy_node", "driver_node", "sim_bridge", "trainer_node", "evaluate_node")
# Programs without a node of their own: the fake camera's is the camera node.
NOT_NODES = ("fake_camera_node", "wait_for_workcell", "ur_controller", "robotiq_gripper")
ENTRY = re.compile(r'"(\w+) = (kprl_\w+\.\w+):main"')


def file_of(module: str) -> Path:
    """Where a module's code is."""
    return (ROOT / "src" / module.split(".")[0] / Path(*module.split("."))).with_suffix(".py")


def find_nodes() -> dict[str, str]:
    """Nodes and the module whose imports make them, from the packages' entry points."""
    texts = [path.read_text() for path in sorted((ROOT / "src").glob("*/setup.py"))]
    programs = dict(program for text in texts for program in ENTRY.findall(text))
    found = {name: module for name, module in programs.items() if name not in NOT_NODES and file_of(module).is_file()}
    return {name: found[name] for name in sorted(found, key=lambda name: (*ORDER, name).index(name))}


NODES = find_nodes()
PACKAGES = {module.split(".")[0] for module in NODES.values()} | {"kprl_ros"}
# Call, place of type, place of name, place of quality of service (None: it has none).
ENDPOINTS: dict[str, tuple[int, int, int | None]] = {
    "create_publisher": (0, 1, 2),
    "create_subscription": (0, 1, 3),
    "create_service": (0, 1, None),
    "create_client": (0, 1, None),
    "ActionServer": (1, 2, None),
    "ActionClient": (1, 2, None),
}
OFFERS = ("create_publisher", "create_service", "ActionServer")
QOS = {
    "STREAM": "reliable, 10",
    "NEWEST": "reliable, 1",
    "LATCHED": "reliable, 1, transient local",
    "settings.qos": "parameter `qos`",
}
MARK = "<!-- {edge} {name}: written by tools/docs/graph_tables.py -->"
WIDE = 10**6  # numbers from here on are written as powers


@dataclass(frozen=True)
class Parameter:
    """One declared parameter; `default` None: it must be given."""

    name: str
    default: Any
    limits: str
    description: str


@dataclass
class Endpoint:
    """A topic, service or action: its type, and which node does what with which quality of service."""

    type: str = ""
    offers: dict[str, str] = field(default_factory=dict)
    uses: dict[str, str] = field(default_factory=dict)


@cache
def source(module: str) -> ast.Module:
    """The code of a module."""
    return ast.parse(file_of(module).read_text())


def modules_of(node: str) -> list[str]:
    """The node's module and what it imports, directly or not, of its own package and of kprl_ros."""
    found, todo = [], [NODES[node]]
    while todo:
        module = todo.pop(0)
        if module in found:
            continue
        found.append(module)
        for part in ast.walk(source(module)):
            if isinstance(part, ast.ImportFrom) and part.module and part.module.split(".")[0] in PACKAGES:
                names = [part.module] if "." in part.module else [f"{part.module}.{alias.name}" for alias in part.names]
                todo += [name for name in names if not name.endswith(".__init__")]
    return found


def value_of(expression: ast.expr, module: str) -> Any:
    """The value of a default, a range or choices."""
    code = compile(ast.Expression(expression), module, "eval")
    return eval(code, vars(importlib.import_module(module)))  # our own code


def name_of(call: ast.Call) -> str:
    """The last word of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def calls(module: str) -> Iterator[tuple[ast.Call, ast.AST]]:
    """Every call of a module with the function that it is in, in the order of the lines."""
    found = [
        (part, function)
        for function in ast.walk(source(module))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for part in ast.walk(function)
        if isinstance(part, ast.Call)
    ]
    yield from sorted(found, key=lambda pair: (pair[0].lineno, pair[0].col_offset))


def parameters(node: str) -> list[Parameter]:
    """What the node declares, in the order of the code."""
    found: dict[str, Parameter] = {}
    for module in modules_of(node):
        if module.startswith("kprl_ros."):
            continue
        for call, function in calls(module):
            kind, given = name_of(call), call.args
            if kind not in ("declare", "declare_choice", "declare_path", "declare_parameter"):
                continue
            if kind == "declare_parameter":
                name, default = (value_of(part, module) for part in given[:2])
                texts = [
                    value_of(part.value, module)
                    for part in ast.walk(function)
                    if isinstance(part, ast.Assign) and getattr(part.targets[0], "id", "") == "description"
                ]
                found[name] = Parameter(name, default, "", texts[0])
                continue
            name = value_of(given[1], module)
            if kind == "declare_path":
                found[name] = Parameter(name, None, "", value_of(given[2], module))
                continue
            default, description = (value_of(part, module) for part in given[2:4])
            limits = limits_of(kind, value_of(given[4], module)) if len(given) > 4 else ""
            found[name] = Parameter(name, default, limits, description)
    return list(found.values())


def limits_of(kind: str, limits: Any) -> str:
    """A range or choices in words."""
    if kind == "declare_choice":
        return ", ".join(f"`{choice}`" for choice in limits)
    return " to ".join(number(limit) for limit in limits)


def number(value: float) -> str:
    """A number as people write it."""
    if value >= WIDE and isinstance(value, int) and value & (value - 1) == 0:
        return f"2^{value.bit_length() - 1}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def endpoints() -> dict[str, dict[str, Endpoint]]:
    """Topics, services and actions by name, each under the call that makes them."""
    from kprl_ros import topics

    found: dict[str, dict[str, Endpoint]] = {kind: defaultdict(Endpoint) for kind in ("topic", "service", "action")}
    for node in NODES:
        for module in modules_of(node):
            types = {
                alias.asname or alias.name: f"{part.module.replace('.', '/')}/{alias.name}"
                for part in ast.walk(source(module))
                if isinstance(part, ast.ImportFrom) and part.module
                for kind in (part.module.split(".")[-1],)
                if kind in ("msg", "srv", "action")
                for alias in part.names
            }
            for call, kind, name, qos in made_in(module):
                of = "action" if call.startswith("Action") else "topic" if qos else "service"
                endpoint = found[of][topics.at_root(value_of(name, module))]
                endpoint.type = types[kind]
                (endpoint.offers if call in OFFERS else endpoint.uses)[node] = QOS[qos] if qos else ""
    return found


def made_in(module: str) -> Iterator[tuple[str, str, ast.expr, str]]:
    """Call, type, name and quality of service of all that a module makes."""
    seen = set()
    for call, _ in calls(module):
        if name_of(call) not in ENDPOINTS or id(call) in seen:
            continue
        seen.add(id(call))
        kind, name, qos = ENDPOINTS[name_of(call)]
        quality = ast.unparse(call.args[qos]) if qos is not None else ""
        if isinstance(call.args[name], ast.Name) and call.args[name].id.islower():  # in a loop over a table
            for table in ast.walk(source(module)):
                if isinstance(table, ast.Dict) and all(isinstance(key, ast.Attribute) for key in table.keys):
                    for key, value in zip(table.keys, table.values, strict=True):
                        if isinstance(value, ast.Name) and ast.unparse(key or value).startswith("topics."):
                            yield name_of(call), ast.unparse(value), key, quality
        else:
            yield name_of(call), ast.unparse(call.args[kind]), call.args[name], quality


def nodes_in_words(by_node: dict[str, str]) -> str:
    """Names of nodes, in the order of NODES."""
    named = [node for node in NODES if node in by_node]
    return "every node" if len(named) == len(NODES) else ", ".join(named)


def qualities(by_node: dict[str, str]) -> str:
    """What the ones ask for, each once."""
    return "; ".join(dict.fromkeys(by_node[node] for node in NODES if node in by_node))


def tables() -> dict[str, str]:
    """Text of each table by its name."""
    found = endpoints()
    lines = ["| topic | type | from | quality of service | to |", "|---|---|---|---|---|"]
    for name, end in sorted(found["topic"].items()):
        offered, asked = qualities(end.offers), qualities(end.uses)
        quality = offered if offered == asked or not asked else f"{offered or '-'} → {asked}"
        publishers, subscribers = nodes_in_words(end.offers), nodes_in_words(end.uses)
        lines.append(f"| `{name}` | `{end.type}` | {publishers} | {quality} | {subscribers} |")
    text = {"topics": lines}
    for kind in ("service", "action"):
        lines = [f"| {kind} | type | served by | called by |", "|---|---|---|---|"]
        for name, end in sorted(found[kind].items()):
            lines.append(f"| `{name}` | `{end.type}` | {nodes_in_words(end.offers)} | {nodes_in_words(end.uses)} |")
        text[f"{kind}s"] = lines
    text["launches"] = lines = []
    for file in LAUNCHES:
        lines += [f"### {file}", "", "| argument | default | choices | |", "|---|---|---|---|"]
        for argument, (default, description, choices) in launch_arguments(file).items():
            listed = ", ".join(f"`{choice}`" for choice in choices or () if choice)
            lines.append(f"| `{argument}` | {default_of(default)} | {listed} | {description} |")
        lines.append("")
    text["parameters"] = lines = []
    for node, module in NODES.items():
        lines += [f"### {node}", "", f"`ros2 run {module.split('.')[0]} {node}`", ""]
        declared = parameters(node)
        if not declared:
            lines += ["None.", ""]
            continue
        lines += ["| parameter | default | range or choices | |", "|---|---|---|---|"]
        for one in declared:
            lines.append(f"| `{one.name}` | {default_of(one.default)} | {one.limits} | {one.description} |")
        lines.append("")
    return {name: "\n".join(lines).rstrip() for name, lines in text.items()}


def default_of(value: Any) -> str:
    """As in a YAML file; None is of what must be given."""
    if value is None:
        return "must be given"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return '`""`' if value == "" else f"`{value}`"


@cache
def launch_arguments(file: str) -> dict[str, tuple[str | None, str, list[str] | None]]:
    """Default, description and choices of a launch file's arguments, from its own description."""
    path = ROOT / "launch" / file
    spec = importlib.util.spec_from_file_location(file.partition(".")[0], path)
    assert spec is not None and spec.loader is not None and path.is_file(), f"no launch file {file}"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = {}
    for argument in module.generate_launch_description().get_launch_arguments():
        parts = argument.default_value
        default = None if parts is None else "".join(part.text for part in parts)
        description = argument.description.partition(" Valid choices are")[0].removesuffix(".")  # launch's own words
        found[argument.name] = (default, description, argument.choices)
    return found


def with_tables(page: str) -> str:
    """The page with every marked table as it should be."""
    for name, table in tables().items():
        begin, end = (MARK.format(edge=edge, name=name) for edge in ("begin", "end"))
        pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        if not pattern.search(page):
            raise SystemExit(f"{PAGE.name} has no place for the table {name}: add the lines\n{begin}\n{end}")
        page = pattern.sub(lambda _, text=f"{begin}\n{table}\n{end}": text, page)
    return page


def main() -> None:
    """Print the page, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)} instead of printing it")
    page = with_tables(PAGE.read_text())
    if parser.parse_args().write:
        PAGE.write_text(page)
    else:
        print(page)


if __name__ == "__main__":
    main()
