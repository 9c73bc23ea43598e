"""The action /run_episode: reset, let the policy act for a number of control periods, say how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from kprl_interfaces.action import RunEpisode
from kprl_interfaces.msg import RobotStatus
from kprl_interfaces.srv import ResetEpisode
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.client import Client
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.task import Future

from kprl_policy.control_periods import ControlPeriods
from kprl_policy.sensing import Sensing
from kprl_ros import topics
from kprl_ros.robot_messages import vector
from kprl_ros.stamps import to_nanoseconds

DISABLED = "disabled"  # the outcome where a person ended the episode
ACTION_TIMEOUT = 3.0  # [s] between two actions, after which the episode is given up
START_TIMEOUT = 28.0  # [s] in which /reset_episode must answer, after 20 s at most, and the policy must get to act
RESET_RETRY = 2.0  # [s] after which the reset is asked for again: during discovery messages get lost
WATCH_PERIOD = 0.1  # [s]


@dataclass
class Episode:
    """A running episode: `outcome` is set when it is over."""

    handle: ServerGoalHandle
    max_steps: int
    outcome: Future[str] = field(default_factory=Future)
    permitted: bool = True  # False: it waits for a person, and nothing moves
    begins: int | None = None  # [ns] stamp of its first observation; None until the reset has answered
    periods: ControlPeriods = field(default_factory=ControlPeriods)
    asked_at: float = -RESET_RETRY  # [s] steady time of the last reset request
    last_sign_of_life: float = 0.0  # [s] steady

    def end(self, outcome: str) -> None:
        """End it, once."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)


class EpisodeServer:
    """Serves the action; the policy node asks `admits` before each action and tells `acted` after it.

    With `confirms` an accepted episode waits, without a time-out, until a person permits it: not even the reset, which
    moves the arm, is asked for before.

    The outcome is what a robot can know; `says` is the task's rule for it, see `kprl.tasks.task.Task.robot_says`. Where
    the graph failed, a colon and the reason follow: `why_idle` tells why the policy does not act.
    """

    def __init__(
        self,
        node: Node,
        sensing: Sensing,
        says: Callable[[bool, float], str],
        enable: Callable[[bool], None],
        why_idle: Callable[[], str],
        confirms: bool = False,
    ) -> None:
        self._sensing, self._says = sensing, says
        self._enable, self._why_idle, self._confirms = enable, why_idle, confirms
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._episode: Episode | None = None
        self._reset: Client[Any, Any] = node.create_client(ResetEpisode, topics.RESET_EPISODE)
        self._name_of_reset = node.resolve_service_name(topics.RESET_EPISODE)
        self._server = ActionServer(
            node,
            RunEpisode,
            topics.RUN_EPISODE,
            self._execute,
            goal_callback=self._on_goal,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )
        node.create_timer(WATCH_PERIOD, self._watch, clock=self._steady)

    def admits(self, stamp: int) -> bool:
        """Whether the policy may act on the observation of `stamp` [ns]; ends the episode that has had its steps."""
        episode = self._episode
        if episode is None or episode.outcome.done():
            return True
        if episode.begins is None or stamp < episode.begins:
            return False
        if episode.periods.done >= episode.max_steps and episode.periods.begins(stamp):
            episode.end(self._judge())
            return False
        return True

    def acted(self, stamp: int) -> None:
        """The policy acted on the observation of `stamp` [ns]."""
        episode = self._episode
        if episode is not None and not episode.outcome.done():
            before = episode.periods.done
            episode.periods.act(stamp)
            episode.last_sign_of_life = self._now()
            if episode.periods.done > before:
                episode.handle.publish_feedback(RunEpisode.Feedback(step=episode.periods.done))

    def permit(self, permitted: bool) -> str:
        """A person's word at /policy/enable: begin the episode that waits, or end the one that runs.

        Returns what became of the episode; nothing where there is none, and the word is for the policy alone.
        """
        episode = self._episode
        if episode is None or episode.outcome.done():
            return ""
        if not episode.permitted:
            if not permitted:
                return "the episode still waits for its permission"
            episode.permitted, episode.last_sign_of_life = True, self._now()
            self._ask_for_reset(episode)
            return "the episode begins: the gripper opens and the arm goes home"
        if permitted:
            return "the episode is running already"
        self._enable(False)  # at once; the end of the action comes with a later callback
        episode.end(DISABLED)
        return "the episode is over"

    def destroy(self) -> None:
        """Stop serving."""
        self._server.destroy()

    def _on_goal(self, request: RunEpisode.Goal) -> GoalResponse:
        busy = self._episode is not None or request.max_steps < 1
        return GoalResponse.REJECT if busy else GoalResponse.ACCEPT

    async def _execute(self, handle: ServerGoalHandle) -> RunEpisode.Result:
        episode = Episode(
            handle, handle.request.max_steps, permitted=not self._confirms, last_sign_of_life=self._now()
        )
        self._episode = episode
        if episode.permitted:
            self._ask_for_reset(episode)
        else:
            self._enable(False)  # what a person enabled before was not this episode
        outcome = await episode.outcome
        self._enable(False)
        self._episode = None
        if outcome == "cancelled":
            handle.canceled()
        else:
            handle.succeed()
        return RunEpisode.Result(success=outcome == "success", outcome=outcome or "", steps=episode.periods.done)

    def _ask_for_reset(self, episode: Episode) -> None:
        if not self._reset.service_is_ready() or self._now() - episode.asked_at < RESET_RETRY:
            return
        episode.asked_at = self._now()
        answer = self._reset.call_async(ResetEpisode.Request(seed=episode.handle.request.seed))
        answer.add_done_callback(lambda _: self._begin(episode, answer))

    def _begin(self, episode: Episode, answer: Future[ResetEpisode.Response]) -> None:
        response = answer.result()
        if episode.outcome.done():
            return
        if response is None or not response.success:
            episode.end(f"reset_failed: {response.message if response else 'no answer'}")
            return
        self._sensing.goal = vector(response.goal)  # /goal may still be on its way
        # Of two resets the later one counts.
        episode.begins, episode.periods = to_nanoseconds(response.stamp), ControlPeriods()
        self._enable(True)

    def _watch(self) -> None:
        episode = self._episode
        if episode is None:
            return
        if episode.handle.is_cancel_requested:
            episode.end("cancelled")
        elif not episode.permitted:
            return
        elif self._now() - episode.last_sign_of_life > (ACTION_TIMEOUT if episode.periods.done else START_TIMEOUT):
            no_answer = f"reset_timeout: no answer from {self._name_of_reset}"
            episode.end(no_answer if episode.begins is None else f"no_observations: {self._why_idle()}")
        elif not episode.periods.done:
            self._ask_for_reset(episode)

    def _judge(self) -> str:
        holds = self._sensing.gripper_object == RobotStatus.GRIPPER_STOPPED_CLOSING
        return self._says(holds, _distance(self._sensing.tcp, self._sensing.goal))

    def _now(self) -> float:
        return self._steady.now().nanoseconds * 1e-9


def _distance(a: npt.NDArray[np.float64] | None, b: npt.NDArray[np.float64] | None) -> float:
    return float("inf") if a is None or b is None else float(np.linalg.norm(a - b))
