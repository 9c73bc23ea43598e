"""What the packages declare: imports are dependencies, and colcon.meta speaks of packages that exist."""

from __future__ import annotations

import ast
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = sorted(path.parent.name for path in (ROOT / "src").glob("*/package.xml"))
# Python modules of ROS and of this workspace that go by another name than their package.
MODULES = {"kprl": "kprl_core"}
ROS = {"launch", "launch_ros", "rclpy", "cv_bridge", "ament_index_python", "tf2_ros"}
LAUNCHING = {"launch", "launch_ros", "ament_index_python"}  # of kprl_ros for launch files, hence kprl_bringup's


def declared(package: str) -> set[str]:
    """Names in all depend tags."""
    root = ElementTree.parse(ROOT / "src" / package / "package.xml").getroot()
    return {element.text or "" for element in root if element.tag.endswith("depend")}


def imported(package: str) -> set[str]:
    """ROS packages that the Python code of a package imports, its own left out."""
    found: set[str] = set()
    for file in (ROOT / "src" / package / package).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    found = {MODULES.get(name, name) for name in found}
    return {n for n in found if n in ROS or n in PACKAGES or n.endswith(("_msgs", "_srvs", "_interfaces"))} - {package}


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_package_imports_is_declared(package: str) -> None:
    missing = imported(package) - declared(package)
    if package == "kprl_ros":
        missing -= LAUNCHING
    assert not missing


def test_colcon_meta_is_about_packages_with_cmake() -> None:
    names = json.loads((ROOT / "colcon.meta").read_text())["names"]
    assert set(names) == {name for name in PACKAGES if (ROOT / "src" / name / "CMakeLists.txt").exists()}
    for settings in names.values():
        assert set(settings) <= {"cmake-args", "dependencies"}
        assert all(argument.startswith("-D") for argument in settings["cmake-args"])
