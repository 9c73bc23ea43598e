"""The driver node as a process: the sim bridge's topics, commands that are followed and refused, services."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from geometry_msgs.msg import PointStamped
from graph_processes import environment
from kprl_interfaces.msg import RobotStatus
from kprl_interfaces.srv import ResetEpisode
from machines import DOWN, FAST, STANDSTILL, TOOL_OFFSET
from rclpy.task import Future
from rig import Rig, open_rig
from rosgraph_msgs.msg import Clock

from kprl.action import GRIPPER_STROKE
from kprl.control.kinematics import JOINT_NAMES, forward
from kprl.control.limits import WORKSPACE
from kprl_driver.reset import OPEN_ENOUGH
from kprl_ros import topics
from kprl_ros.stamps import to_stamp
from kprl_ros.topics import LATCHED, STREAM

pytestmark = [pytest.mark.graph, pytest.mark.timeout(120)]
TRANSPORT = 0.02  # [s] that a message may be on its way on a busy machine
SIDE = np.array([0.0, 0.1, 0.0])  # [m/s]


def stood(rig: Rig, since: float) -> float:
    """How long [s] after `since` the arm moved; commands go on."""
    rig.wait(lambda: rig.truth.now() > since + 0.6, "time passes")
    assert not rig.truth.is_moving()
    return rig.truth.moved_at - since


def test_topics_tell_the_truth(ready):
    ready.spin(0.3)
    joints, pose = ready.joints[-1], ready.poses[-1]
    assert list(joints.name) == [*JOINT_NAMES, "robotiq_85_left_knuckle_joint"]
    assert np.allclose(joints.position[:6], ready.truth.joints(), atol=1e-9)
    assert joints.position[6] == pytest.approx(0.0, abs=1e-6)
    place, tool = pose.pose.position, forward(ready.truth.joints(), TOOL_OFFSET)
    assert np.allclose([place.x, place.y, place.z], tool[:3, 3], atol=1e-6)
    assert {pose.header.frame_id, ready.applied[-1].header.frame_id} == {"base_link"}
    assert abs(pose.pose.orientation.x) == pytest.approx(1.0, abs=1e-2)  # the tool points down
    assert (ready.status.mode, ready.status.safety_mode, ready.status.reason) == (0, 1, "")


def test_poses_come_at_the_rate_of_the_parameter_and_are_fresh(ready):
    ready.poses.clear()
    ready.spin(2.0)
    stamps = [pose.header.stamp.sec + pose.header.stamp.nanosec * 1e-9 for pose in ready.poses]
    assert 70 <= len(stamps) <= 110 and all(np.diff(stamps) > 0.0)
    now = ready.graph.node.get_clock().now().nanoseconds * 1e-9
    assert now - stamps[-1] < 0.1


def test_a_velocity_is_followed_and_what_was_applied_is_told(ready):
    ready.drive(SIDE)
    assert ready.applied[-1].twist.linear.y == pytest.approx(0.1)
    ready.wait(lambda: ready.mode == RobotStatus.MODE_ACTIVE, "it says so")


def test_the_workspace_holds_whatever_is_commanded(ready):
    for linear in (3 * DOWN, np.array([0.25, 0.0, -0.25])):
        ready.velocity = linear * 2
        ready.spin(1.2)
        at = ready.truth.position()[0]
        assert (at > np.array(WORKSPACE.lower) - 1e-3).all() and (at < np.array(WORKSPACE.upper) + 1e-3).all()


def test_the_gripper_follows_and_tells_what_it_holds(ready):
    ready.gripper.faults.put_object(0.04)
    ready.grip(0.0)
    ready.wait(lambda: ready.status.gripper_object == RobotStatus.GRIPPER_STOPPED_CLOSING, "it holds the object")
    ready.gripper.faults.slip()
    ready.wait(lambda: ready.status.gripper_object == RobotStatus.GRIPPER_AT_TARGET, "it has slipped")
    assert ready.mode == RobotStatus.MODE_IDLE  # that is no fault
    ready.grip(0.06)
    ready.wait(lambda: ready.gripper.gripper.opening == pytest.approx(0.06, abs=4e-4), "it opens")
    ready.grip(0.2)
    ready.wait(lambda: ready.counts().get("gripper commands refused"), "what is out of range is refused")
    assert ready.gripper.gripper.opening == pytest.approx(0.06, abs=4e-4)


def test_the_arm_stands_when_the_commands_end(ready, record_property):
    took = []
    for sign in (1.0, -1.0, 1.0):
        ready.drive(sign * FAST, 0.3)
        last, ready.velocity = ready.last_command, None
        took.append(stood(ready, last))
        assert "dead-man" in ready.reason(RobotStatus.MODE_HALTED)
    record_property("standstill", took)
    assert max(took) <= STANDSTILL + TRANSPORT


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stalled"])
def test_a_policy_that_dies_or_hangs(ready, number):
    code = textwrap.dedent("""
        import rclpy, time
        from geometry_msgs.msg import TwistStamped
        rclpy.init(); node = rclpy.create_node("policy")
        out = node.create_publisher(TwistStamped, "/ee_twist_cmd", 10)
        while True:
            message = TwistStamped(); message.header.frame_id = "base_link"
            message.header.stamp = node.get_clock().now().to_msg(); message.twist.linear.y = 0.1
            out.publish(message); time.sleep(0.033)
    """)
    policy = subprocess.Popen([sys.executable, "-c", code], env=environment(ready.graph.domain))
    try:
        ready.wait(ready.truth.is_moving, "it moves", 20.0)
        ready.spin(0.3)
        since = ready.truth.now()
        policy.send_signal(number)
        assert stood(ready, since) <= STANDSTILL + TRANSPORT
        assert "dead-man" in ready.reason(RobotStatus.MODE_HALTED)
        policy.send_signal(signal.SIGCONT)
    finally:
        policy.kill()
        policy.wait(5.0)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("nan", "not finite"),
        ("inf", "not finite"),
        ("frame", "in the frame 'tool0': expected 'base_link'"),
        ("stale", "s old: expected less than"),
        ("future", "ahead of this machine's clock"),
        ("turning", "turns the tool"),
    ],
)
def test_commands_that_are_not_followed(ready, spoil, words):
    ready.drive(SIDE)
    last, ready.velocity = ready.last_command, None
    end = time.monotonic() + 0.7
    while time.monotonic() < end:
        message = ready.twist(SIDE, {"stale": 0.15, "future": -0.15}.get(spoil, 0.0))
        if spoil in ("nan", "inf"):
            message.twist.linear.z = float(spoil)
        message.header.frame_id = "tool0" if spoil == "frame" else "base_link"
        message.twist.angular.z = 0.1 if spoil == "turning" else 0.0
        ready.publish(message)
        ready.spin(0.02)
    assert not ready.truth.is_moving() and ready.truth.moved_at - last <= STANDSTILL + TRANSPORT
    ready.wait(lambda: any(words in d.status[0].message for d in ready.diagnostics[-6:]), "it says why")
    ready.drive(SIDE, 0.1)  # the next valid one is followed


def test_reset_opens_the_gripper_and_goes_home_from_a_low_place(ready):
    ready.grip(0.0)
    ready.velocity = np.array([0.1, 0.1, -0.2])
    ready.spin(1.2)
    low = ready.truth.position()[0]
    assert low[2] < 0.06
    ready.velocity = SIDE  # whoever goes on commanding is not heard meanwhile
    answers = [ready.begin(topics.RESET_EPISODE) for _ in range(2)]  # the policy node asks again and again
    began = time.monotonic()
    ready.wait(lambda: all(answer.done() for answer in answers), "both are answered", 15.0)
    assert time.monotonic() - began < 10.0
    for answer in answers:
        assert answer.result().success and (answer.result().goal.x, answer.result().goal.z) == (0.5, 0.15)
    assert ready.gripper.gripper.opening == pytest.approx(GRIPPER_STROKE)
    ready.velocity = None


def test_reset_says_what_keeps_the_gripper_from_opening(ready):
    ready.grip(0.0)
    ready.wait(lambda: ready.gripper.gripper.opening < 0.001, "it closes")
    ready.gripper.faults.block_opening(0.03)
    answer = ready.ask(topics.RESET_EPISODE)
    assert not answer.success and "something outside stops its fingers" in answer.message
    ready.drive(SIDE, 0.1)  # which is no fault of the arm


def reset_of_jammed_fingers(ready: Rig) -> Future[ResetEpisode.Response]:
    """Close the gripper near the table, keep it from opening, and ask for a reset."""
    ready.grip(0.0)
    ready.velocity = np.array([0.0, 0.0, -0.2])
    ready.wait(lambda: ready.truth.position()[0][2] < 0.06 and ready.gripper.gripper.opening < 0.001, "it is low")
    ready.velocity = None
    ready.gripper.faults.block_opening(0.03)
    return ready.begin(topics.RESET_EPISODE)


def test_reset_lifts_fingers_that_jam_near_the_table(ready):
    answer = reset_of_jammed_fingers(ready)
    ready.wait(lambda: ready.truth.position()[0][2] > 0.1, "it is lifted", 10.0)
    ready.gripper.faults.unblock_opening()
    ready.wait(answer.done, "the reset is answered", 15.0)
    assert answer.result().success, answer.result().message
    assert ready.gripper.gripper.opening >= GRIPPER_STROKE - OPEN_ENOUGH


def test_reset_at_home_says_that_lifting_did_not_open_the_gripper(ready):
    answer = reset_of_jammed_fingers(ready)
    ready.wait(answer.done, "the reset is answered", 20.0)
    assert not answer.result().success and "something outside stops its fingers" in answer.result().message
    assert ready.truth.position()[0][2] > 0.12
    ready.gripper.faults.unblock_opening()
    ready.home()


def test_stop_interrupts_a_reset_and_recover_brings_it_back(ready):
    ready.drive(np.array([0.1, 0.1, -0.1]), 0.8)
    ready.velocity = None
    answer = ready.begin(topics.RESET_EPISODE)
    ready.wait(lambda: ready.status.reason == "going home" and ready.truth.is_moving(), "it is on its way")
    since = ready.truth.now()
    assert ready.ask(topics.DRIVER_STOP).success
    ready.wait(answer.done, "the reset is answered")
    assert not answer.result().success and "/driver/stop" in answer.result().message
    assert stood(ready, since) <= 0.15
    assert not ready.ask(topics.RESET_EPISODE).success
    assert ready.ask(topics.DRIVER_RECOVER).success
    ready.home()


def test_stop_holds_until_recover_and_only_new_commands_move(ready):
    ready.drive(SIDE)
    since = ready.truth.now()
    assert ready.ask(topics.DRIVER_STOP).success
    assert stood(ready, since) <= STANDSTILL  # the service's way included; commands go on all the time
    assert "/driver/stop" in ready.reason(RobotStatus.MODE_HALTED)
    ready.velocity = None
    ready.spin(0.2)
    ready.truth.allow(0.0)
    assert ready.ask(topics.DRIVER_RECOVER).success
    ready.publish(ready.twist(SIDE, age=0.09))  # not stale, but older than the recovery
    ready.spin(0.5)
    assert ready.truth.forbidden == []
    ready.truth.allow(5.0)
    ready.drive(SIDE, 0.1)


def test_the_answer_of_a_reset_carries_the_goal_of_a_user(ready):
    publisher = ready.graph.node.create_publisher(PointStamped, topics.GOAL, LATCHED)
    message = PointStamped()
    message.header.frame_id, message.point.x, message.point.z = "base_link", 0.45, 0.2
    for _ in range(20):
        publisher.publish(message)
        ready.spin(0.1)
        answer = ready.ask(topics.RESET_EPISODE)
        assert isinstance(answer, ResetEpisode.Response)
        if answer.goal.z == 0.2:
            break
    assert (answer.goal.x, answer.goal.z) == (0.45, 0.2)


def test_a_clock_that_stands_or_jumps_neither_freezes_nor_moves_anything(tmp_path):
    with open_rig(tmp_path, use_sim_time=True) as rig:
        clock = rig.graph.node.create_publisher(Clock, topics.CLOCK, STREAM)

        def tell(seconds: int) -> None:
            for _ in range(5):
                clock.publish(Clock(clock=to_stamp(seconds * 10**9)))
                rig.spin(0.05)

        def drive(seconds: int) -> float:
            """Commands with a standing clock's time; the controller's time of the last one."""
            last = 0.0
            end = time.monotonic() + 0.5
            while time.monotonic() < end:
                message = rig.twist(0.4 * SIDE)  # it must not come to a wall
                message.header.stamp = to_stamp(seconds * 10**9)
                last = rig.truth.now()
                rig.publish(message)
                rig.spin(0.03)
            return last

        tell(1000)
        rig.home()
        last = drive(1000)
        assert rig.truth.is_moving()
        assert stood(rig, last) <= STANDSTILL + TRANSPORT  # the clock stands: the dead-man does not
        tell(5000)
        drive(1000)
        assert not rig.truth.is_moving()  # those are stale now
        drive(5000)
        assert rig.truth.is_moving()
        tell(10)  # a jump back
        drive(10)
        assert rig.truth.is_moving()
        rig.ask(topics.DRIVER_STOP)
        assert rig.ask(topics.DRIVER_RECOVER).success
        tell(2)
        drive(2)
        assert rig.truth.is_moving()
