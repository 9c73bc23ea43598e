"""security:=KEYSTORE of the launch files: what it gives the nodes, and what is refused before anything starts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from launch import LaunchDescription, LaunchService
from launch.actions import ExecuteProcess, SetLaunchConfiguration

from kprl.errors import KprlError
from kprl_ros import launch_security
from kprl_ros.launch_extras import EXTRA_ARGUMENTS
from kprl_ros.launch_security import ENCLAVE_FILES, GRAPH, PERMISSIONS, enclave, security
from kprl_ros.launching import NAMESPACE_ARGUMENT, launch_description, stage

ROOT = Path(__file__).parents[2]
SAY = """import json, os, sys
json.dump({name: value for name, value in os.environ.items() if "SECURITY" in name}, open(sys.argv[1], "w"))"""


VARIABLES = ("ROS_SECURITY_KEYSTORE", "ROS_SECURITY_ENABLE", "ROS_SECURITY_STRATEGY", "ROS_SECURITY_ENCLAVE_OVERRIDE")


@pytest.fixture(autouse=True)
def with_sros2(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a ROS distribution, whatever the machine has."""
    monkeypatch.setattr(launch_security, "is_installed", lambda package: package == "sros2")
    monkeypatch.setenv("ROS_DOMAIN_ID", "0")
    for name in VARIABLES:  # a launch sets them in its own process too: gone again after the test
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.fixture
def keystore(tmp_path: Path) -> Path:
    for namespace in ("", "left"):
        folder = tmp_path / "keys" / "enclaves" / enclave(GRAPH, namespace).lstrip("/")
        folder.mkdir(parents=True)
        for name in ENCLAVE_FILES:
            (folder / name).touch()
        rule = "<allow_rule><domains><id>0</id></domains></allow_rule>"
        (folder / PERMISSIONS).write_text(f"<dds><permissions><grant>{rule}</grant></permissions></dds>")
    return tmp_path / "keys"


def test_all_launch_files_offer_it_and_it_is_off() -> None:
    assert EXTRA_ARGUMENTS["security"][0] == "" and security("") == []
    for file in (ROOT / "launch").glob("*.launch.py"):
        assert "**EXTRA_ARGUMENTS" in file.read_text() and "return launch_description(" in file.read_text()


@pytest.mark.parametrize("namespace", ["", "left"])
def test_every_process_of_a_launch_is_in_the_enclave(keystore: Path, tmp_path: Path, namespace: str) -> None:
    def says(name: str) -> ExecuteProcess:
        return ExecuteProcess(cmd=[sys.executable, "-c", SAY, str(tmp_path / name)], name=name)

    arguments = {"security": EXTRA_ARGUMENTS["security"], "namespace": NAMESPACE_ARGUMENT}
    description = launch_description(arguments, lambda _: stage(says("first"), "it", lambda: [says("second")]))
    given = [SetLaunchConfiguration("security", str(keystore)), SetLaunchConfiguration("namespace", namespace)]
    service = LaunchService()
    service.include_launch_description(LaunchDescription([*given, description]))
    assert service.run() == 0
    for name in ("first", "second"):  # a later stage too
        values = (str(keystore), "true", "Enforce", enclave(GRAPH, namespace))
        assert json.loads((tmp_path / name).read_text()) == dict(zip(VARIABLES, values, strict=True))


def refused(keystore: Path, namespace: str = "") -> str:
    with pytest.raises(KprlError) as caught:
        security(str(keystore), namespace)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_missing_is_said_with_what_makes_it(keystore: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    assert f"is no keystore: make one with `ros2 security create_keystore {nowhere}`" in refused(nowhere)
    folder = keystore / "enclaves" / "kprl" / "graph"
    (folder / "key.pem").unlink()
    command = f"`ros2 security generate_artifacts -k {keystore} -p config/security/policy.xml`"
    assert refused(keystore).endswith(f"has no key.pem of the enclave /kprl/graph: make it with {command}")
    folder.rename(folder.with_name("other"))
    assert refused(keystore).endswith(f"has no enclave /kprl/graph: make it with {command}")
    said = refused(keystore, "right")
    assert "has no enclave /kprl/right/graph" in said and "make_policy.py --namespace right > right.xml" in said


def test_a_keystore_of_another_domain_is_refused(keystore: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", "7")
    assert "is for ROS_DOMAIN_ID 0, this is 7" in refused(keystore)
    for folder in (keystore / "enclaves").rglob("graph"):
        (folder / PERMISSIONS).unlink()  # only what is signed was copied to this machine
    assert len(security(str(keystore))) == 4


@pytest.mark.parametrize(("distribution", "way"), [("", "set kprl up on a ROS"), ("kilted", "ros-$ROS_DISTRO-sros2")])
def test_ros_without_sros2_is_refused(
    keystore: Path, monkeypatch: pytest.MonkeyPatch, distribution: str, way: str
) -> None:
    monkeypatch.setattr(launch_security, "is_installed", lambda package: False)
    monkeypatch.setenv("ROS_DISTRO", distribution)
    assert way in refused(keystore)


@pytest.mark.parametrize("file", ["sim_train.launch.py", "sim_grasp.launch.py", "real_grasp.launch.py"])
def test_a_launch_refuses_in_one_line_before_anything_starts(file: str, tmp_path: Path) -> None:
    words = ["ros2", "launch", "kprl_bringup", file, f"security:={tmp_path / 'nowhere'}", f"output:={tmp_path / 'out'}"]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=60.0)
    said = ended.stdout + ended.stderr
    assert ended.returncode != 0 and "Traceback" not in said and "process started" not in said
    assert len(re.findall(r"SROS 2|no keystore", said)) == 1 and not (tmp_path / "out").exists()
