"""The image and its services, as far as they can be checked without a container engine."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

ROOT = Path(__file__).parents[2]
DOCKERFILE, COMPOSE = ROOT / "docker" / "Dockerfile", ROOT / "docker" / "compose.yaml"
SERVICES = ("train", "sim", "real", "rviz")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file with its anchors merged."""
    return yaml.safe_load(COMPOSE.read_text())


def stages() -> dict[str, tuple[str, list[str]]]:
    """Of each stage what it is made from, and its lines."""
    found: dict[str, tuple[str, list[str]]] = {}
    for line in DOCKERFILE.read_text().replace("\\\n", " ").splitlines():
        if match := re.fullmatch(r"FROM (\S+) AS (\S+)", line):
            found[match[2]] = (match[1], [])
        elif found:
            found[list(found)[-1]][1].append(line)
    return found


def lines_of(stage: str) -> list[str]:
    """The lines of a stage and of all that it is made from."""
    base, lines = stages()[stage]
    return [*(lines_of(base) if base in stages() else []), *lines]


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    done = subprocess.run(["hadolint", "--no-color", str(DOCKERFILE)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_the_base_is_the_official_image_pinned_by_its_tag() -> None:
    outside = {base for base, _ in stages().values() if base not in stages()}
    assert outside == {"ros:kilted-ros-base-noble"}


@pytest.mark.parametrize("stage", ["train", "runtime"])
def test_what_runs_is_no_root_and_has_what_it_needs(stage: str) -> None:
    lines = lines_of(stage)
    assert [line.split()[1] for line in lines if line.startswith("USER")][-1] == "1000:1000"
    installed = " ".join(line for line in lines if line.startswith("RUN"))
    for package in ("ros-kilted-rviz2", "ros-kilted-cv-bridge", "ros-kilted-realsense2-camera", "libusb-1.0-0"):
        assert package in installed
    assert ("build-essential" in installed) == (stage == "train")
    assert any(line.startswith("COPY --from=build") for line in lines)


def test_compose_keeps_the_specification(compose: dict[str, Any]) -> None:
    checked = PyCompose.from_json(json.dumps(compose))
    checked.validate()
    checked.to_spec()
    assert set(compose["services"]) == set(SERVICES)


def test_compose_of_a_wrong_key_would_be_refused(compose: dict[str, Any]) -> None:
    compose = json.loads(json.dumps(compose))
    compose["services"]["sim"]["network_moed"] = "host"
    with pytest.raises(ValueError, match="network_moed"):
        PyCompose.from_json(json.dumps(compose))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_builds_a_stage_that_is_there(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    build = service["build"]
    assert (COMPOSE.parent / build["context"] / build["dockerfile"]).resolve() == DOCKERFILE
    assert build["target"] in stages() and build["target"] == ("train" if name == "train" else "runtime")
    lines = lines_of("build") + lines_of("train")
    arguments = {line.split()[1].split("=")[0] for line in lines if line.startswith("ARG")}
    assert set(build["args"]) <= arguments
    assert service["network_mode"] == service["ipc"] == "host"


def test_the_real_service_has_usb_and_the_network(compose: dict[str, Any]) -> None:
    real = compose["services"]["real"]
    assert "/dev/bus/usb:/dev/bus/usb" in real["volumes"] and real["network_mode"] == "host"
    assert any("189:*" in rule for rule in real["device_cgroup_rules"])


def test_what_set_up_makes_is_not_sent_to_the_build() -> None:
    ignored = set((ROOT / ".dockerignore").read_text().split())
    unversioned = {line.strip("/") for line in (ROOT / ".gitignore").read_text().split() if line.startswith("/")}
    assert unversioned <= ignored
