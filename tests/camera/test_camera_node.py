"""The camera node as a process: from the SDK's software device and recordings to messages over Fast DDS."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from camera_graph import SOFTWARE, TIMEOUT, CameraGraph, camera_graph, next_domain, run_to_the_end
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.qos import qos_profile_sensor_data
from software_camera import CENTRE, FOCAL, HEIGHT, SERIAL, WIDTH, number_of, pattern

from kprl_camera.grey import to_grey
from kprl_ros import camera_messages
from kprl_ros.stamps import NANOSECONDS, to_nanoseconds

pytestmark = pytest.mark.graph
SHUTDOWN = 2.0  # [s] that a node may take to end


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CameraGraph]:
    """The node with a software camera, 20 ms from exposure to delivery."""
    folder = tmp_path_factory.mktemp("camera")
    quick = {"stale_timeout": 0.5, "discovery_timeout": 0.3, "reconnect_interval": 0.3}
    with camera_graph(folder, SOFTWARE, serial=SERIAL, **quick) as graph:
        graph.wait(lambda: graph.images and graph.infos and graph.diagnostics, "image, camera_info, diagnostics")
        yield graph


def test_images_are_those_of_the_sensor_to_the_bit(camera: CameraGraph) -> None:
    for message in camera.more_images():
        image = camera_messages.image_array(message)
        assert message.encoding == "mono8" and image.shape == (HEIGHT, WIDTH)
        assert np.array_equal(image, pattern(number_of(image)))
        assert message.header.frame_id == "camera_infra1_optical_frame"


def test_stamps_are_of_the_exposure_and_grow(camera: CameraGraph) -> None:
    images = camera.more_images()
    stamps = [to_nanoseconds(image.header.stamp) for image in images]
    assert stamps == sorted(set(stamps))
    age = (time.time_ns() - stamps[-1]) / NANOSECONDS
    assert 0.02 <= age < 1.0


def test_camera_info_is_the_sdks_and_has_the_images_stamp(camera: CameraGraph) -> None:
    camera.more_images()
    camera.wait(lambda: camera.infos[-1].header.stamp in [image.header.stamp for image in camera.images], "a pair")
    info = camera.infos[-1]
    assert (info.width, info.height, info.header.frame_id) == (WIDTH, HEIGHT, "camera_infra1_optical_frame")
    assert info.distortion_model == "plumb_bob" and not any(info.d)
    assert list(info.k) == [FOCAL, 0, CENTRE[0], 0, FOCAL, CENTRE[1], 0, 0, 1]
    assert list(info.p) == [FOCAL, 0, CENTRE[0], 0, 0, FOCAL, CENTRE[1], 0, 0, 0, 1, 0]


def test_diagnostics_tell_rate_latency_and_drops(camera: CameraGraph) -> None:
    camera.wait(lambda: float(camera.status().get("rate [Hz]", 0)) > 5, "a rate")
    status = camera.status()
    assert status["camera"] == f"Intel RealSense D435 {SERIAL}, 640 x 480 at 30 Hz"
    assert status["stamp"] == "exposure"
    assert 20 <= float(status["latency mean [ms]"]) <= float(status["latency max [ms]"])
    assert int(status["images"]) > 0 and int(status["frames dropped"]) >= 0
    assert status["sessions hung in the SDK"] == "0"


def test_silence_is_a_fault_until_frames_come_again_and_each_is_said_once(camera: CameraGraph) -> None:
    camera.order("off")
    fault = camera.wait(
        lambda: (status := camera.diagnostics[-1].status[0]).level == DiagnosticStatus.ERROR and status, "the fault"
    )
    assert "no frame for" in fault.message
    camera.order("unplug")
    camera.wait(lambda: "no camera with the serial number" in camera.status()["last error"], "the absence")
    camera.order("plug")
    camera.order("on")
    camera.more_images()
    camera.wait(lambda: camera.diagnostics[-1].status[0].level == DiagnosticStatus.OK, "the all-clear")
    assert camera.status()["reconnects"] == "1"
    log = camera.process.log.read_text()
    assert log.count("trying again every 0.3 s") == 1 and log.count("the camera is back after") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_soon_and_well(number: int, recording: Path, tmp_path: Path) -> None:
    with camera_graph(tmp_path, source="file", file=recording) as camera:
        camera.wait(lambda: camera.images, "an image")
        began = time.monotonic()
        camera.process.popen.send_signal(number)
        assert camera.process.popen.wait(TIMEOUT) == 0
        assert time.monotonic() - began < SHUTDOWN
        assert "Traceback" not in camera.process.log.read_text()


def test_a_wait_in_the_sdk_that_never_returns_hangs_neither_the_node_nor_its_end(
    recording: Path, tmp_path: Path
) -> None:
    hang = "import threading, kprl_camera.realsense as r; r._SensorStream.next = lambda *_: threading.Event().wait(); "
    with camera_graph(tmp_path, before=hang, source="file", file=recording, stale_timeout=0.3) as camera:
        camera.wait(lambda: camera.status().get("sessions hung in the SDK") == "1", "the diagnostics")
        assert camera.diagnostics[-1].status[0].level == DiagnosticStatus.ERROR
        status, seconds = camera.process.stop(TIMEOUT)
    assert status == 0 and seconds < SHUTDOWN


def test_a_recording_loops_for_whoever_listens_by_best_effort(recording: Path, tmp_path: Path) -> None:
    parameters = {"source": "file", "file": recording, "qos": "SENSOR_DATA"}
    with camera_graph(tmp_path, heard_by=qos_profile_sensor_data, **parameters) as camera:
        images = camera.more_images(15)  # more than the recording has
        numbers = [number_of(camera_messages.image_array(image)) for image in images]
        assert any(after < before for before, after in zip(numbers, numbers[1:], strict=False))
        stamps = [to_nanoseconds(image.header.stamp) for image in images]
        assert stamps == sorted(set(stamps)) and time.time_ns() - stamps[-1] < NANOSECONDS  # of today
        camera.wait(lambda: camera.status().get("stamp") == "arrival", "the kind of stamp")


def test_colour_is_published_grey_in_the_colour_cameras_frame(tmp_path: Path) -> None:
    with camera_graph(tmp_path, SOFTWARE, ("stream:=color",), stream="color") as camera:
        message = camera.more_images(1)[0]
    grey = camera_messages.image_array(message)
    assert message.encoding == "mono8" and message.header.frame_id == "camera_color_optical_frame"
    assert any(np.array_equal(grey, to_grey(pattern(number, 3))) for number in range(1, 400))


def test_a_camera_that_is_waited_for_may_come_later(tmp_path: Path) -> None:
    flags = ("absent:=true",)
    parameters = {"wait_for_device": True, "discovery_timeout": 0.3, "reconnect_interval": 0.2}
    with camera_graph(tmp_path, SOFTWARE, flags, **parameters) as camera:
        camera.wait(lambda: "no RealSense camera" in camera.status().get("last error", ""), "the absence")
        camera.order("plug")
        camera.more_images(1)


def test_the_end_of_a_recording_is_the_end_of_the_node(recording: Path) -> None:
    ended = run_to_the_end(next_domain(), source="file", file=recording, loop=False)
    assert ended.returncode == 0 and "the recording has ended" in ended.stderr, ended.stderr


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"discovery_timeout": 0.5}, "no RealSense camera within 0.5 s; found: none"),
        ({"serial": 99, "discovery_timeout": 0.5}, "no camera with the serial number 99 within 0.5 s; found: none"),
        ({"source": "file", "file": "nowhere.db3"}, "there is no recording nowhere.db3"),
        ({"source": "file", "file": __file__}, "expected .db3 or .bag"),
    ],
    ids=["absent", "serial", "missing", "no recording"],
)
def test_what_a_user_can_mend_is_one_line_and_status_2(parameters: dict[str, object], reason: str) -> None:
    ended = run_to_the_end(next_domain(), **parameters)
    assert ended.returncode == 2
    assert re.fullmatch(rf"camera_node: [^\n]*{re.escape(reason)}[^\n]*\n", ended.stderr), ended.stderr


def test_a_damaged_recording_is_one_line_and_status_2(recording: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "cut.db3"
    damaged.write_bytes(recording.read_bytes()[:100_000])
    ended = run_to_the_end(next_domain(), source="file", file=damaged)
    assert ended.returncode == 2 and len(ended.stderr.splitlines()) == 1
    assert f"the recording {damaged} cannot be read" in ended.stderr


def test_a_bug_ends_it_with_its_traceback(recording: Path) -> None:
    ended = run_to_the_end(next_domain(), "node.to_grey = lambda pixels: 1 / 0; ", source="file", file=recording)
    assert ended.returncode == 1 and "ZeroDivisionError" in ended.stderr, ended.stderr


def test_a_missing_sdk_is_one_line_and_status_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyrealsense2.py").write_text("raise ImportError('libusb-1.0.so.0: cannot open shared object file')")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{':'.join(sys.path)}")
    ended = run_to_the_end(next_domain())
    assert ended.returncode == 2 and len(ended.stderr.splitlines()) == 1
    assert "pyrealsense2 cannot be imported (libusb-1.0.so.0" in ended.stderr
