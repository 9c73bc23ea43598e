"""The parts of the nodes that need no ROS graph: gates, judge, message conversion, profiles."""

from __future__ import annotations

from array import array
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from ament_index_python.packages import get_package_share_directory
from builtin_interfaces.msg import Time
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import Image, JointState

from kprl.control.commands import DEAD_MAN, GripperTarget, HeldCommand, refuse_gripper, refuse_twist
from kprl.control.kinematics import JOINT_NAMES
from kprl.errors import KprlError
from kprl.preprocess import FIELD_OF_VIEW, Intrinsics
from kprl.profiles import profile_names, read_profile
from kprl_policy.judge import BROKEN, TruthSample, episode_report, newest_world, result, why_broken
from kprl_policy.observation_gate import INCOMPLETE, Parts, behind, why_not
from kprl_policy.overlay_film import OverlayFilm
from kprl_ros import camera_messages, robot_messages
from kprl_ros.goal_parameter import read_goal
from kprl_ros.silence import SILENCE, Silence
from kprl_ros.stamps import to_nanoseconds, to_stamp
from kprl_sim.command_gate import CommandPair

SECOND = 1_000_000_000
FRESH = Parts(
    np.zeros((4, 2), np.float32),
    5 * SECOND,
    np.zeros(3),
    5 * SECOND,
    0.05,
    5 * SECOND,
    np.array([0.5, 0.0, 0.15]),
)


@given(st.integers(0, 2**31 * SECOND - 1))
def test_stamps_are_exact(nanoseconds: int) -> None:
    assert to_nanoseconds(to_stamp(nanoseconds)) == nanoseconds


@given(st.floats(0.0, 0.085))
def test_joint_state_carries_the_opening(opening: float) -> None:
    joints = np.arange(6) * 0.1
    message = robot_messages.joint_state(joints, opening, Time())
    assert robot_messages.gripper_opening(message) == pytest.approx(opening, abs=1e-12)
    assert list(message.name[:6]) == list(JOINT_NAMES) and list(message.position[:6]) == joints.tolist()
    with pytest.raises(KprlError, match="no position of robotiq_85_left_knuckle_joint"):
        robot_messages.gripper_opening(JointState(name=["elbow_joint"], position=[0.0]))


def test_images_and_cameras_survive_the_message() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (48, 64), np.uint8)
    np.testing.assert_array_equal(camera_messages.image_array(camera_messages.grey_image(grey, Time())), grey)
    padded = Image(width=3, height=2, step=4, encoding="mono8", data=array("B", range(8)))
    np.testing.assert_array_equal(camera_messages.image_array(padded), [[0, 1, 2], [4, 5, 6]])
    view = Intrinsics.from_field_of_view(FIELD_OF_VIEW, 64, 64)
    message = camera_messages.camera_info(view)
    assert camera_messages.intrinsics(message) == view
    message.p = [0.0] * 12
    with pytest.raises(KprlError, match="expected a calibrated camera"):
        camera_messages.intrinsics(message)


def test_a_pair_needs_both_halves_of_the_newest_observation() -> None:
    pair, target = CommandPair(), GripperTarget(0.05, 0.1, 40.0)
    pair.expect(100)
    assert pair.refuse_stamp("/gripper_cmd", 99) and not pair.refuse_stamp("/gripper_cmd", 100)
    pair.offer_gripper(target)
    assert pair.command() is None
    pair.offer_twist(np.array([0.1, 0.0, 0.0]))
    command = pair.command()
    assert command is not None and command.opening == 0.05
    pair.expect(200)
    assert pair.command() is None


def test_refusals_say_why() -> None:
    zero = np.zeros(3)
    assert refuse_twist("base_link", zero, zero) == ""
    assert "tool0" in refuse_twist("tool0", zero, zero)
    assert "not finite" in refuse_twist("base_link", np.array([0, np.nan, 0]), zero)
    assert "turns the tool" in refuse_twist("base_link", zero, np.array([0, 0, 0.1]))
    assert refuse_gripper(GripperTarget(float(np.float32(0.085)), 0.1, 40.0)) == ""
    for bad in (
        GripperTarget(0.09, 0.1, 40.0),
        GripperTarget(0.05, -0.1, 40.0),
        GripperTarget(np.nan, 0.1, 40.0),
    ):
        assert refuse_gripper(bad)


def test_dead_man_stops_the_arm_but_not_the_grip() -> None:
    held = HeldCommand(0.085)
    assert not held.begun and not held.stopped_by_dead_man(1e9)
    held.offer_twist(np.array([0.1, 0.0, 0.0]), now=10.0)
    held.offer_gripper(GripperTarget(0.02, 0.1, 40.0))
    assert held.command(10.0 + 0.9 * DEAD_MAN).linear[0] == 0.1
    late = held.command(10.0 + 1.1 * DEAD_MAN)
    assert held.stopped_by_dead_man(10.0 + 1.1 * DEAD_MAN) and not late.linear.any() and late.opening == 0.02
    held.offer_twist(np.array([0.1, 0.0, 0.0]), now=11.0)
    assert held.command(11.0).linear[0] == 0.1


def test_policy_acts_on_whole_fresh_finite_observations_only() -> None:
    now = 5 * SECOND + 20_000_000
    nan = np.full((4, 2), np.nan, np.float32)
    assert why_not(FRESH, 4, now) == "" and why_not(FRESH, 4, None) == ""
    assert "/goal" in why_not(replace(FRESH, goal=None), 4, now)
    assert "4 keypoints: the bundle expects 6" in why_not(FRESH, 6, now)
    assert "/keypoints is not finite" in why_not(replace(FRESH, keypoints=nan), 4, now)
    assert "/ee_pose is 0.20 s behind" in why_not(replace(FRESH, tcp_stamp=5 * SECOND - 200_000_000), 4, now)
    assert "old" in why_not(FRESH, 4, 6 * SECOND)
    assert "ahead of this machine's clock" in why_not(FRESH, 4, 4 * SECOND)
    assert why_not(replace(FRESH, opening_stamp=4 * SECOND), 4, None) == INCOMPLETE


def test_who_holds_up_a_lockstep_observation() -> None:
    assert behind(FRESH) == []
    assert behind(replace(FRESH, tcp_stamp=6 * SECOND)) == ["keypoints", "joint_states"]


def test_silence_names_first_who_never_spoke() -> None:
    now = 100.0
    silence = Silence(["a", "b"], lambda name: f"/{name}", clock=lambda: now)
    now += SILENCE
    assert silence.absent() == []
    silence.hear("a")
    now += 0.5
    assert silence.absent() == ["b"]
    now += SILENCE
    assert silence.absent() == ["b"]
    assert silence.reason(["b"], "is b there?") == "no message on /b for 4 s: is b there?"
    silence.hear("b")
    assert silence.absent() == ["a"]
    silence.restart()
    assert silence.absent() == []
    now += 1.5 * SILENCE
    assert silence.absent() == ["a", "b"]


def test_report_goes_by_the_truth() -> None:
    def outcome(*truth: tuple[bool, bool]) -> str:
        samples = [TruthSample(step, *sample, (0.5, 0.0, 0.02)) for step, sample in enumerate(truth)]
        return episode_report(1, "success", 50, samples)["outcome"]

    assert outcome((False, False)) == "missed"
    assert outcome((True, False), (False, False)) == "dropped"
    assert outcome((True, False)) == "timed_out"
    assert outcome((True, True), (False, True)) == "success"
    reports = [episode_report(1, says, 50, [TruthSample(50, True, says == "success", (0.5, 0, 0))])
               for says in ("success", "not_at_goal")]  # fmt: skip
    written = result(reports, {"seed": 1})
    assert written["success_rate"] == 0.5 and written["outcomes"] == {"success": 1, "timed_out": 1}
    assert written["failures"] == {"missed": 0, "dropped": 0, "out_of_workspace": 0, "timed_out": 1}


def test_without_a_truth_the_robot_says_the_outcome_and_a_fault_is_one() -> None:
    lifted = [TruthSample(50, True, True, (0.5, 0.0, 0.2))]
    said = (("success", ()), ("not_known", ()), ("nothing_held", lifted), ("no_observations: no camera", lifted))
    reports = [episode_report(1, says, 50, truth) for says, truth in said]
    assert [report["outcome"] for report in reports] == ["success", "not_known", "success", "no_observations"]
    written = result(reports, {})
    assert written["success_rate"] == 2 / 3  # of those that somebody could judge
    assert written["gripper_is_right"] == 0.0
    assert result(reports[1:2], {})["success_rate"] is None


def test_a_broken_graph_is_told_from_a_poor_policy() -> None:
    assert why_broken("success") == why_broken("nothing_held") == ""
    for says in BROKEN:
        assert why_broken(f"{says}: reason").startswith(f"{says}: reason; ")


def test_truth_is_that_of_the_newest_world() -> None:
    assert newest_world([]) == newest_world([3]) == newest_world([3, 4, 5]) == 0
    assert newest_world([7, 8, 0, 1, 2]) == 2
    assert newest_world([7, 0, 0, 1]) == 2


def test_film_has_the_episodes_frames_only_and_runs_as_fast_as_they_came(tmp_path: Path) -> None:
    film = OverlayFilm()
    film.write(tmp_path / "film.gif")
    assert not list(tmp_path.iterdir())
    shade = iter(range(0, 250, 10))

    def add(*stamps: float) -> None:
        for stamp in stamps:
            film.add(round(stamp * SECOND), np.full((8, 8, 3), next(shade), np.uint8))

    add(0.9, 1.0, 1.1, 1.2)
    film.end_episode(SECOND, 2 * SECOND)
    add(1.9, 3.0, 3.2)
    film.end_episode(3 * SECOND, 4 * SECOND)
    film.end_episode(5 * SECOND, 6 * SECOND)
    assert film.period == pytest.approx(0.4 / 3)
    film.write(tmp_path / "film.gif")
    with PIL.Image.open(tmp_path / "film.gif") as picture:
        assert picture.n_frames == 5 and picture.info["duration"] == 130  # type: ignore[attr-defined]


def test_goal_is_three_numbers_in_the_workspace() -> None:
    assert read_goal(" ") is None
    np.testing.assert_array_equal(read_goal("0.5, 0.05,0.15"), [0.5, 0.05, 0.15])
    for wrong in ("0.5,0.0", "0.5,0.0,high", "1,2,3,4"):
        with pytest.raises(KprlError, match="expected 3 numbers"):
            read_goal(wrong)
    for outside in ("0.5,0.0,2.0", "nan,0.0,0.1"):
        with pytest.raises(KprlError, match="outside of the workspace"):
            read_goal(outside)


def test_profiles_are_read_strictly(tmp_path: Path) -> None:
    shipped = Path(get_package_share_directory("kprl_bringup")) / "config" / "profiles"
    for name in profile_names(shipped):
        assert read_profile(shipped, name).name == name
    with pytest.raises(KprlError, match="unknown profile 'slow': choose one of .*quick"):
        read_profile(shipped, "slow")
    text = (shipped / "quick.yaml").read_text()
    for wrong, expected in (
        (text.replace("  workers: 2\n", ""), "data has images, expected exactly images, workers"),
        (text.replace("workers: 2", "workers: two"), "data.workers is 'two', expected int above 0"),
        ("data: [", "is not YAML"),
    ):
        (tmp_path / "own.yaml").write_text(wrong)
        with pytest.raises(KprlError, match=expected):
            read_profile(tmp_path, "own")
