"""The fake camera's thread: from where everything is in the workcell to frames in the SDK's software device."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import cv2
import numpy as np

from kprl_fake_hardware.delivery import Delivery
from kprl_fake_hardware.eye import DRAWN_HEIGHT, DRAWN_WIDTH, FOCAL, HEIGHT, WIDTH, Eye
from kprl_fake_hardware.scene import Domain, Poses
from kprl_fake_hardware.software_camera import Bus, SoftwareCamera
from kprl_fake_hardware.world_link import WorldLink

RETRY = 0.3  # [s] between two looks for a workcell or an open stream
STOP_TIMEOUT = 3.0  # [s]
WINDOW = 5.0  # [s] that its pace is looked at over
MOST_MISSED = 0.1  # share of a window's frames that are not drawn in time, beyond which it says so
log = logging.getLogger(__name__)


class FakeCamera:
    """Plugged into `bus` while there is a workcell at `address`; `start` and `stop`."""

    def __init__(self, bus: Bus, address: tuple[str, int]) -> None:
        self._bus, self._address = bus, address
        self.delivery = Delivery()
        self.is_plugged, self.is_covered = True, False
        self.own_size = self.size = (WIDTH, HEIGHT)
        self.found = threading.Event()  # a workcell, for the first time
        self.drawn = self.missed = 0  # frames; the latter for want of a processor
        self.draw_time = 0.0  # [s] that the last one took
        self._stop = threading.Event()
        self._rng = np.random.default_rng(0)  # of what gets lost on the way
        self._window = (0.0, 0, 0)  # [s], drawn and missed when it last looked at its pace
        self._thread = threading.Thread(target=self._run, name="fake camera", daemon=True)

    def start(self) -> None:
        """Look for the workcell."""
        self._thread.start()

    def stop(self) -> None:
        """End; the camera is gone."""
        self._stop.set()
        self._thread.join(STOP_TIMEOUT)

    def state(self) -> dict[str, Any]:
        """For the pendant."""
        return {
            "plugged": self.is_plugged,
            "size": f"{self.size[0]}x{self.size[1]}",
            "drawn": self.drawn,
            "missed": self.missed,
            "draw_ms": round(1000 * self.draw_time, 1),
        }

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                link = WorldLink(self._address)
            except OSError:
                self._stop.wait(RETRY)
                continue
            try:
                self._serve(link)
            except (OSError, ValueError) as error:
                log.warning("the workcell is gone (%s): so is the camera", error)
            finally:
                self._bus.unplug()
                link.close()

    def _serve(self, link: WorldLink) -> None:
        """While there is a workcell."""
        eye = Eye(Domain(**link.ask("domain")))
        try:
            eye.develop(eye.look(Poses.from_json(link.ask("poses"))))  # the first one takes a second
            while not self._stop.is_set():
                if self.is_plugged:
                    self._stay_plugged(link, eye)
                link.ask("domain")  # or nobody would notice that it is gone
                self._stop.wait(RETRY)
        finally:
            eye.close()

    def _stay_plugged(self, link: WorldLink, eye: Eye) -> None:
        """While the cable is in and the camera has one size."""
        size = self.size
        camera = SoftwareCamera(*size, FOCAL * size[0] / WIDTH)
        self._bus.plug(camera)
        self.found.set()
        try:
            while self.is_plugged and self.size == size and not self._stop.is_set():
                rate = camera.rate()
                if rate:
                    self._stream(link, eye, camera, rate)
                else:
                    link.ask("domain")
                    self._stop.wait(RETRY)
        finally:
            self._bus.unplug()

    def _stream(self, link: WorldLink, eye: Eye, camera: SoftwareCamera, rate: int) -> None:
        """While somebody has the stream open."""
        period, size = 1.0 / rate, self.size
        due = time.monotonic()
        while camera.rate() == rate and self.is_plugged and self.size == size and not self._stop.is_set():
            self._take(link, eye, camera)
            due += period
            behind = int((time.monotonic() - due) / period)
            if behind > 0:
                self.delivery.skip(behind)
                self.missed, due = self.missed + behind, due + behind * period
            self._look_at_pace(rate)
            self._hand_over(camera, due)

    def _take(self, link: WorldLink, eye: Eye, camera: SoftwareCamera) -> None:
        poses = Poses.from_json(link.ask("poses"))
        began = time.monotonic()
        light = eye.look(poses)
        if self.is_covered:
            light = np.zeros((DRAWN_HEIGHT, DRAWN_WIDTH), np.uint8)
        image = eye.develop(light)
        if self.size != self.own_size:
            image = np.asarray(cv2.resize(image, self.size, interpolation=cv2.INTER_AREA), np.uint8)
        self.draw_time = time.monotonic() - began
        self.drawn += 1
        self.delivery.expose(image, poses.time * 1e-9, self._rng, eye.dropped_share, eye.late_share)

    def _hand_over(self, camera: SoftwareCamera, until: float) -> None:
        """Deliver what arrives until the next exposure, `until` [s] on the steady clock."""
        while not self._stop.is_set():
            for frame in self.delivery.take_due(time.time()):
                if frame.image.shape == (camera.height, camera.width):  # else taken before the size changed
                    camera.put(frame.image, frame.number, frame.time)
            left = until - time.monotonic()
            if left <= 0.0:
                return
            arrives = self.delivery.next_due()
            self._stop.wait(left if arrives is None else min(left, max(arrives - time.time(), 0.0)))

    def _look_at_pace(self, rate: int) -> None:
        now = time.monotonic()
        began, drawn, missed = self._window
        if now - began < WINDOW:
            return
        self._window = now, self.drawn, self.missed
        drawn, missed = self.drawn - drawn, self.missed - missed
        if began and missed > MOST_MISSED * (drawn + missed):
            log.warning(
                "the fake camera cannot keep %d Hz: of the last %d frames %d were not drawn in time, the last one took "
                "%.0f ms; ask for fewer (parameter fps) or free a processor",
                *(rate, drawn + missed, missed, 1000 * self.draw_time),
            )
