"""Mending the CMake files of the ROS wheels."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmake_exports import repair_text, repair_tree

TEMPLATE = (
    'INTERFACE_INCLUDE_DIRECTORIES "/opt/python/{tag}/include/python{version};${{_IMPORT_PREFIX}}/include;'
    '/opt/python/{tag}/lib/python{version}/site-packages/numpy/_core/include"'
)


@pytest.mark.parametrize(("tag", "version"), [("cp311-cp311", "3.11"), ("cp312-cp312", "3.12")])
def test_both_folders_are_replaced_and_nothing_else(tag: str, version: str) -> None:
    repaired = repair_text(TEMPLATE.format(tag=tag, version=version), "/inc", "/site")
    assert repaired == ('INTERFACE_INCLUDE_DIRECTORIES "/inc;${_IMPORT_PREFIX}/include;/site/numpy/_core/include"')


def test_repairing_again_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "share" / "std_msgs" / "cmake"
    folder.mkdir(parents=True)
    broken = folder / "export_std_msgs__rosidl_generator_pyExport.cmake"
    broken.write_text(TEMPLATE.format(tag="cp311-cp311", version="3.11"))
    (folder / "std_msgsConfig.cmake").write_text("# /opt/python/cp311-cp311/include/python3.11\n")

    assert repair_tree(tmp_path, "/inc", "/site") == 1
    once = broken.read_text()
    assert repair_tree(tmp_path, "/inc", "/site") == 0
    assert broken.read_text() == once
    assert sorted(path.name for path in folder.iterdir()) == [broken.name, "std_msgsConfig.cmake"]
