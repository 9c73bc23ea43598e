"""What `make setup` decides to do, and what it refuses."""

from __future__ import annotations

import pytest

from setup_plan import SetupError, make_plan, torch_attempts


@pytest.mark.parametrize("python", [(3, 11), (3, 12)])
def test_without_a_distribution_ros_comes_from_wheels(python: tuple[int, int]) -> None:
    plan = make_plan(python, ros_distro="", torch_build="cpu")
    assert (plan.ros, plan.system_site_packages) == ("wheels", False)
    assert plan.lock_files == ("lock.txt", "ros-lock.txt")


def test_pybullet_is_compiled_only_where_it_has_no_wheel() -> None:
    assert not make_plan((3, 11), "", "cpu").compiles_pybullet
    assert make_plan((3, 12), "", "cpu").compiles_pybullet


@pytest.mark.parametrize("distribution", ["kilted", "jazzy"])
def test_a_sourced_distribution_is_built_on(distribution: str) -> None:
    plan = make_plan((3, 12), distribution, "cpu")
    assert (plan.ros, plan.system_site_packages) == (distribution, True)
    assert plan.lock_files == ("lock.txt",)


@pytest.mark.parametrize(
    ("python", "distribution", "torch_build", "names"),
    [
        ((3, 10), "", "cpu", ["3.10", "3.11 or 3.12", "PYTHON="]),
        ((3, 13), "", "cpu", ["3.13", "3.11 or 3.12"]),
        ((3, 12), "humble", "cpu", ["humble", "kilted and jazzy"]),
        ((3, 11), "", "gpu", ["gpu", "cpu, cuda"]),
    ],
)
def test_a_refusal_names_what_was_found_and_what_would_be_right(
    python: tuple[int, int], distribution: str, torch_build: str, names: list[str]
) -> None:
    with pytest.raises(SetupError) as refusal:
        make_plan(python, distribution, torch_build)
    assert all(name in str(refusal.value) for name in names)


def test_the_cpu_build_of_torch_is_never_replaced_by_the_cuda_build() -> None:
    for way in torch_attempts("cpu", "2.13.0", "", "python", "uv==1"):
        installing = way[-1]
        assert "torch==2.13.0+cpu" in installing
        assert "--no-deps" in installing


def test_an_index_of_the_users_is_the_only_source() -> None:
    for build in ("cpu", "cuda"):
        [[command]] = torch_attempts(build, "2.13.0", "file:///wheels", "python", "uv==1")
        assert command[command.index("--index-url") + 1] == "file:///wheels"


def test_the_cuda_build_brings_its_own_libraries() -> None:
    [[command]] = torch_attempts("cuda", "2.13.0", "", "python", "uv==1")
    assert "torch===2.13.0" in command  # not 2.13.0+cpu
    assert "--no-deps" not in command
