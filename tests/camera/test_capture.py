"""The supervision of sessions, with streams that fail in every way that an SDK fails in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from kprl.errors import KprlError
from kprl_camera.capture import MAX_HUNG, Capture
from kprl_camera.frame import CameraAbsent, EndOfRecording, Frame
from kprl_camera.lens import Lens

TIMEOUT = 5.0  # [s] of every wait
STALE, INTERVAL = 0.3, 0.1  # [s]
PIXELS = np.zeros((2, 2), np.uint8)


class ScriptedStream:
    """A camera that does what `act` does when it is asked for a frame."""

    lens, about, notice = Lens(1.0, 1.0, 1.0, 1.0, 2, 2), "scripted", ""

    def __init__(self, act: Callable[[ScriptedStream], None] | None = None) -> None:
        self._act, self.number, self.closed, self.reason = act, 0, threading.Event(), ""

    def next(self, timeout: float) -> Frame | None:
        if self._act is not None:
            self._act(self)
        time.sleep(0.002)
        self.number += 1
        return Frame(PIXELS, self.number, None, self.number)

    def trouble(self) -> str:
        return self.reason

    def close(self) -> None:
        self.closed.set()


class Rig:
    """A capture whose sessions get the streams of a list in turn; an exception in it is raised instead."""

    def __init__(self, *streams: ScriptedStream | Exception | Callable[[threading.Event], ScriptedStream]) -> None:
        self._streams, self.opened, self.said = list(streams), 0, []
        self.capture = Capture(self._open, lambda: None, STALE, INTERVAL)

    def _open(self, stop: threading.Event) -> ScriptedStream:
        stream = self._streams[min(self.opened, len(self._streams) - 1)]
        self.opened += 1
        if isinstance(stream, Exception):
            raise stream
        return stream if isinstance(stream, ScriptedStream) else stream(stop)

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            assert time.monotonic() < deadline, self.said
            began = time.monotonic()
            line = self.capture.step()
            assert time.monotonic() - began < 0.5  # never waits for the SDK
            self.said += [line] if line else []
            time.sleep(0.005)


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Set at the end: what hung may go."""
    event = threading.Event()
    yield event
    event.set()


def hang(release: threading.Event) -> Callable[[object], None]:
    return lambda _: release.wait() and None  # type: ignore[func-returns-value]


def test_take_gives_the_newest_frame_and_only_once() -> None:
    rig = Rig(ScriptedStream())
    assert rig.capture.open(waits=False) == ""
    time.sleep(0.1)
    taken = rig.capture.take()
    assert taken is not None and taken[0].number > 5  # the earlier ones were overtaken
    assert rig.capture.close(TIMEOUT)
    rig.capture.take()
    assert rig.capture.take() is None


def test_silence_is_noticed_and_the_camera_opened_anew_and_each_is_said_once(release: threading.Event) -> None:
    silent = ScriptedStream(hang(release))
    rig = Rig(silent, CameraAbsent("no camera"), CameraAbsent("no camera"), ScriptedStream())
    rig.capture.open(waits=False)
    rig.until(lambda: rig.capture.reason)
    assert rig.capture.last_error.startswith("no frame for 0.")
    rig.until(lambda: rig.capture.reconnects)
    assert rig.opened == 4
    assert len(rig.said) == 2, rig.said
    assert rig.said[0].endswith("trying again every 0.1 s")
    assert rig.said[1].startswith("the camera is back after")
    assert rig.capture.reason == "" and rig.capture.last_error == "no camera"
    rig.capture.close(0.1)


def test_a_session_that_hangs_in_the_sdk_is_left_behind_and_its_late_frame_is_not_taken(
    release: threading.Event,
) -> None:
    hung = ScriptedStream(hang(release))
    hung.number = 1000
    rig = Rig(hung, ScriptedStream())
    rig.capture.open(waits=False)
    rig.until(lambda: rig.capture.reconnects)
    assert rig.capture.hung == 1
    release.set()
    assert hung.closed.wait(TIMEOUT)
    rig.until(lambda: rig.capture.hung == 0)
    taken = rig.capture.take()
    assert taken is None or taken[0].number < 1000
    assert rig.capture.close(TIMEOUT)


def test_sessions_that_hang_do_not_pile_up(release: threading.Event) -> None:
    rig = Rig(ScriptedStream(hang(release)))
    rig.capture.open(waits=False)
    rig.until(lambda: rig.capture.hung == MAX_HUNG)
    deadline = time.monotonic() + 3 * (STALE + INTERVAL)
    rig.until(lambda: time.monotonic() > deadline)
    assert rig.capture.hung == MAX_HUNG == rig.opened
    began = time.monotonic()
    assert not rig.capture.close(0.2)
    assert time.monotonic() - began < 1.0


def test_an_sdk_that_says_that_the_camera_is_gone_is_believed_at_once() -> None:
    gone = ScriptedStream(lambda stream: setattr(stream, "reason", "the camera was unplugged"))
    rig = Rig(gone, ScriptedStream())
    rig.capture.open(waits=False)
    rig.until(lambda: rig.capture.reason)
    assert rig.capture.reason == "the camera was unplugged" and gone.closed.wait(TIMEOUT)
    rig.until(lambda: rig.capture.reconnects)
    rig.capture.close(TIMEOUT)


@pytest.mark.parametrize("error", [CameraAbsent("no camera"), KprlError("wrong mode")])
def test_a_fault_at_the_start_is_raised(error: KprlError) -> None:
    with pytest.raises(type(error), match=str(error)):
        Rig(error).capture.open(waits=False)


def test_who_waits_gets_an_absent_camera_when_it_comes_but_not_a_wrong_mode() -> None:
    rig = Rig(CameraAbsent("no camera"), CameraAbsent("no camera"), ScriptedStream())
    assert rig.capture.open(waits=True) == "no camera; trying again every 0.1 s"
    rig.until(lambda: rig.capture.reconnects)
    rig.capture.close(TIMEOUT)
    with pytest.raises(KprlError, match="wrong mode"):
        Rig(KprlError("wrong mode")).capture.open(waits=True)


def test_an_opening_that_hangs_is_left(release: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kprl_camera.capture.OPEN_TIMEOUT", 0.2)

    def never(stop: threading.Event) -> ScriptedStream:
        release.wait()
        return ScriptedStream()

    with pytest.raises(KprlError, match="did not open within 0.2 s"):
        Rig(never).capture.open(waits=True)
    rig = Rig(CameraAbsent("no camera"), never, ScriptedStream())
    rig.capture.open(waits=True)
    rig.until(lambda: rig.capture.reconnects)
    assert rig.capture.last_error == "the camera did not open within 0.2 s"
    rig.capture.close(0.1)


def test_the_end_of_a_recording_is_no_loss() -> None:
    def end(stream: ScriptedStream) -> None:
        if stream.number == 3:
            raise EndOfRecording

    rig = Rig(ScriptedStream(end))
    rig.capture.open(waits=False)
    rig.until(lambda: rig.capture.is_finished)
    assert rig.said == [] and rig.capture.last_error == ""


def test_a_bug_is_not_mistaken_for_a_lost_camera() -> None:
    def stumble(stream: ScriptedStream) -> None:
        raise ZeroDivisionError

    rig = Rig(ScriptedStream(stumble))
    rig.capture.open(waits=False)
    with pytest.raises(ZeroDivisionError):
        rig.until(lambda: False)


def test_a_notice_of_the_device_is_the_last_error_and_no_loss() -> None:
    stream = ScriptedStream()
    stream.notice = "the camera reports: it is hot"
    rig = Rig(stream)
    rig.capture.open(waits=False)
    rig.until(lambda: rig.capture.last_error == stream.notice)
    assert rig.capture.reason == ""
    assert rig.capture.close(TIMEOUT) and stream.closed.is_set()
