"""The SDK's side, through the SDK's own software device, recorder and playback: no call of it is replaced."""

from __future__ import annotations

import gc
import shutil
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import rclpy  # noqa: F401  before pyrealsense2
from software_camera import FPS, HEIGHT, SERIAL, WIDTH, Context, SoftwareCamera, number_of, pattern, record, rs

from kprl.errors import KprlError
from kprl_camera.capture import Capture
from kprl_camera.frame import CameraAbsent, EndOfRecording, Exposure, Frame, Mode, Stream
from kprl_camera.frame_clock import FrameClock
from kprl_camera.grey import to_grey
from kprl_camera.realsense import RealSense

TIMEOUT = 5.0  # [s] of every wait
DISCOVERY = 0.5  # [s]
NOW = 1_795_626_463_000_000_000  # [ns]


MODE, EXPOSURE = Mode(), Exposure()
_libraries: list[tuple[RealSense, Context]] = []


def make_library(context: Context | None = None, now: Callable[[], int] = lambda: NOW) -> RealSense:
    context = context or Context()
    _libraries.append((RealSense(now, context), context))
    return _libraries[-1][0]


@pytest.fixture(autouse=True)
def _close_libraries() -> Iterator[None]:
    """The SDK crashes at the end of a process in which a context is left."""
    yield
    while _libraries:
        library, context = _libraries.pop()
        library.close()
        context.unplug()


@pytest.fixture(scope="module", autouse=True)
def _forget_contexts() -> Iterator[None]:
    """Those that a caught exception holds too."""
    yield
    gc.collect()


def plugged(camera: SoftwareCamera) -> RealSense:
    context = Context()
    context.plug(camera)
    return make_library(context)


def open_camera(library: RealSense, serial: str = "", mode: Mode = MODE, exposure: Exposure = EXPOSURE) -> Stream:
    return library.open_camera(serial, mode, exposure, DISCOVERY, threading.Event())


def wait(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def next_frame(stream: Stream) -> Frame:
    frame = stream.next(TIMEOUT)
    assert frame is not None
    return frame


def play(stream: Stream, count: int) -> list[Frame]:
    frames: list[Frame] = []
    wait(lambda: len(frames) >= count or (frame := stream.next(0.05)) and frames.append(frame), f"{count} frames")
    return frames


def test_frames_come_equal_to_the_bit_with_their_number_and_time() -> None:
    camera = SoftwareCamera()
    stream = open_camera(plugged(camera))
    for number in (1, 2, 3):
        camera.put(number, timestamp=NOW / 1e6 - 12.5)
        frame = next_frame(stream)
        assert np.array_equal(frame.pixels, pattern(number)) and frame.number == number
        assert frame.arrival == NOW
        assert frame.sensor_time is not None and abs(frame.sensor_time - (NOW - 12_500_000)) < 1000
    stream.close()


def test_only_the_newest_frame_is_kept() -> None:
    camera = SoftwareCamera()
    stream = open_camera(plugged(camera))
    for number in range(1, 6):
        camera.put(number)
    assert number_of(next_frame(stream).pixels) == 5
    assert stream.next(0.05) is None
    stream.close()


@pytest.mark.parametrize("domain", [rs.timestamp_domain.hardware_clock, rs.timestamp_domain.system_time])
def test_a_clock_that_is_not_mapped_gives_no_sensor_time(domain: object) -> None:
    camera = SoftwareCamera()
    stream = open_camera(plugged(camera))
    camera.put(1, timestamp=NOW / 1e6, domain=domain)
    frame = next_frame(stream)
    assert frame.sensor_time is None
    assert FrameClock().stamp(frame.sensor_time, frame.arrival).time == NOW
    stream.close()


def test_colour_comes_as_rgb_and_turns_grey() -> None:
    camera = SoftwareCamera(stream="color")
    stream = open_camera(plugged(camera), mode=Mode("color"))
    camera.put(1)
    pixels = next_frame(stream).pixels
    assert np.array_equal(pixels, pattern(1, 3))
    assert to_grey(pixels).shape == (HEIGHT, WIDTH)
    stream.close()


def test_the_lens_is_the_sdks() -> None:
    stream = open_camera(plugged(SoftwareCamera(coefficients=(0.1, 0.0, 0.0, 0.0, 0.0))))
    lens = stream.lens
    assert (lens.fx, lens.fy, lens.cx, lens.cy, lens.width, lens.height) == (385.25, 385.25, 321.5, 238.75, 640, 480)
    assert lens.model == "brown_conrady" and lens.coefficients == pytest.approx((0.1, 0, 0, 0, 0))
    stream.close()


def test_infrared_has_no_dots_and_a_fixed_rate() -> None:
    camera = SoftwareCamera()
    open_camera(plugged(camera)).close()
    assert camera.option(rs.option.emitter_enabled) == 0
    assert camera.option(rs.option.enable_auto_exposure) == 1
    assert camera.option(rs.option.auto_exposure_priority) == 0
    assert camera.option(rs.option.global_time_enabled) == 1


def test_an_exposure_by_hand_is_set_and_one_out_of_range_is_refused() -> None:
    camera = SoftwareCamera()
    library = plugged(camera)
    open_camera(library, exposure=Exposure(auto=False, priority=True, time=1234, gain=77)).close()
    assert camera.option(rs.option.enable_auto_exposure) == 0
    assert camera.option(rs.option.auto_exposure_priority) == 1
    assert (camera.option(rs.option.exposure), camera.option(rs.option.gain)) == (1234, 77)
    with pytest.raises(KprlError, match="takes gain from 16 to 248, not 3"):
        open_camera(library, exposure=Exposure(auto=False, gain=3))


def test_a_wrong_serial_is_answered_with_those_there_are() -> None:
    library = plugged(SoftwareCamera())
    with pytest.raises(CameraAbsent, match=f"serial number 99 within 0.5 s; found: {SERIAL}"):
        open_camera(library, "99")
    with pytest.raises(CameraAbsent, match="no RealSense camera within 0.5 s; found: none"):
        open_camera(make_library())


def test_of_several_cameras_one_must_be_named() -> None:
    context = Context()
    cameras = [SoftwareCamera("1"), SoftwareCamera("2")]
    for camera in cameras:
        context.plug(camera)
    library = make_library(context)
    with pytest.raises(KprlError, match="set the parameter serial to one of 1, 2"):
        open_camera(library)
    stream = open_camera(library, "2")
    cameras[1].put(7)
    assert next_frame(stream).number == 7
    stream.close()


def test_a_camera_that_is_plugged_in_while_it_is_looked_for_is_found() -> None:
    context, camera = Context(), SoftwareCamera()
    library = make_library(context)
    threading.Timer(0.15, lambda: context.plug(camera)).start()
    open_camera(library, SERIAL).close()


def test_a_search_ends_when_it_is_told_to() -> None:
    stop = threading.Event()
    stop.set()
    began = time.monotonic()
    with pytest.raises(CameraAbsent):
        make_library().open_camera("", MODE, EXPOSURE, DISCOVERY, stop)
    assert time.monotonic() - began < DISCOVERY


@pytest.mark.parametrize("mode", [Mode(fps=90), Mode(width=1280, height=720), Mode("color")])
def test_a_mode_that_the_camera_lacks_is_answered_with_those_it_has(mode: Mode) -> None:
    has = "none of that name" if mode.stream == "color" else "640 x 480 at 30 Hz"
    with pytest.raises(KprlError, match=f"has no stream {mode.stream} of .*: it has {has}"):
        open_camera(plugged(SoftwareCamera()), mode=mode)


def test_a_camera_in_use_is_said_to_be() -> None:
    library = plugged(SoftwareCamera())
    stream = open_camera(library)
    with pytest.raises(KprlError, match=f"the camera {SERIAL} does not start; does another program use it"):
        open_camera(library)
    stream.close()


def test_frames_that_stop_are_stale_and_come_back_when_they_resume() -> None:
    camera = SoftwareCamera()
    library = plugged(camera)
    capture = Capture(lambda stop: library.open_camera("", MODE, EXPOSURE, DISCOVERY, stop), lambda: None, 0.4, 0.1)
    capture.open(waits=False)
    number = 0

    def feed() -> None:
        nonlocal number
        number += 1
        camera.put(number)
        capture.step()

    wait(lambda: feed() or capture.take(), "a frame")
    wait(lambda: capture.step().startswith("no frame for"), "silence")
    wait(lambda: feed() or capture.reconnects, "recovery")
    wait(lambda: feed() or capture.take(), "a frame after the recovery")
    assert capture.reason == "" and capture.close(TIMEOUT)


def test_sessions_leave_nothing_behind() -> None:
    camera = SoftwareCamera()
    library = plugged(camera)
    streams = []
    for _ in range(4):
        stream = open_camera(library)
        stream.close()
        streams.append(weakref.ref(stream))
        del stream
    assert [alive for alive in streams if alive() is not None][:-1] == []  # the library looks after the last one


def test_the_sdks_word_that_a_device_has_gone_is_heard(recording: Path) -> None:
    # The SDK raises the event for no software device, but for a recording that is taken out of its context.
    context = Context()
    library = make_library(context)
    device = context.load_device(str(recording))
    stream = open_camera(library, SERIAL)
    assert stream.trouble() == ""
    del device
    context.unload_device(str(recording))
    wait(stream.trouble, "the event")
    assert stream.trouble() == "the camera was unplugged"
    stream.close()


@pytest.mark.parametrize(
    ("category", "notice"),
    [
        (rs.notification_category.hardware_error, "the camera reports: MIPI error"),
        (rs.notification_category.hardware_event, ""),
    ],
)
def test_a_hardware_error_that_the_device_reports_is_a_notice(category: object, notice: str) -> None:
    # By hand: the wheel's `software_notification` keeps a pointer to a text that Python has freed.
    stream = open_camera(plugged(SoftwareCamera()))
    stream._on_notification(SimpleNamespace(get_category=lambda: category, get_description=lambda: "MIPI error"))
    assert stream.notice == notice and stream.trouble() == ""
    stream.close()


def test_a_recording_plays_equal_to_the_bit_at_its_own_speed_and_ends(recording: Path) -> None:
    stream = make_library(now=time.time_ns).open_recording(recording, "infra1", loops=False)
    frames: list[Frame] = []
    with pytest.raises(EndOfRecording):
        wait(lambda: (frame := stream.next(0.05)) and frames.append(frame), "the end")
    stream.close()
    numbers = [frame.number for frame in frames]
    assert numbers == sorted(set(numbers)) and len(numbers) >= 6  # a machine under load overtakes some
    assert all(np.array_equal(frame.pixels, pattern(frame.number)) for frame in frames)
    assert all(frame.sensor_time is None for frame in frames)
    played = (frames[-1].arrival - frames[0].arrival) * 1e-9
    assert played >= 0.5 * (numbers[-1] - numbers[0]) / FPS


def test_a_recording_that_loops_begins_again(recording: Path) -> None:
    library = make_library(now=time.time_ns)
    stream = library.open_recording(recording, "infra1", loops=True)
    numbers = [frame.number for frame in play(stream, 30)]
    assert sum(after < before for before, after in zip(numbers, numbers[1:], strict=False)) >= 2
    stream.close()
    library.open_recording(recording, "infra1", loops=True).close()  # and lets go of the file


def test_colour_recordings_play_too(tmp_path: Path) -> None:
    record(tmp_path / "colour.db3", 4, stream="color")
    stream = make_library(now=time.time_ns).open_recording(tmp_path / "colour.db3", "color", loops=False)
    frame = next_frame(stream)
    assert np.array_equal(frame.pixels, pattern(frame.number, 3))
    stream.close()


def test_recordings_that_cannot_be_played_are_named(recording: Path, tmp_path: Path) -> None:
    library = make_library(now=time.time_ns)
    whole = recording.read_bytes()
    (tmp_path / "cut.db3").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "nonsense.db3").write_bytes(b"nonsense" * 1000)
    (tmp_path / "nonsense.bag").write_bytes(b"nonsense" * 1000)
    (tmp_path / "empty.db3").touch()
    (tmp_path / "film.mp4").touch()
    for name, reason in {
        "none.db3": "there is no recording",
        "cut.db3": "cannot be read: .*malformed",
        "nonsense.db3": "cannot be read: .*not a database",
        "nonsense.bag": "cannot be read",
        "empty.db3": "cannot be read",
        "film.mp4": "expected .db3 or .bag",
    }.items():
        with pytest.raises(KprlError, match=reason) as caught:
            library.open_recording(tmp_path / name, "infra1", loops=True)
        assert name in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(KprlError, match="has no stream color: it has none of that name"):
        library.open_recording(recording, "color", loops=True)
    shutil.copy(recording, tmp_path / "copy.db3")
    library.open_recording(tmp_path / "copy.db3", "infra1", loops=True).close()
