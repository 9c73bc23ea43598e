"""What can go wrong with the camera, by name at its pendant port."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kprl_fake_hardware.fake_camera import FakeCamera


class CameraFaults:
    """Each lasts until it is taken back; `mend` takes all back."""

    def __init__(self, camera: FakeCamera) -> None:
        self._camera = camera

    def unplug(self) -> None:
        """Somebody pulls the cable."""
        self._camera.is_plugged = False

    def plug(self) -> None:
        """And puts it back."""
        self._camera.is_plugged = True

    def freeze(self) -> None:
        """The same image again and again, as of a stuck buffer; numbers and times go on."""
        self._camera.delivery.is_frozen = True

    def thaw(self) -> None:
        """Images go on."""
        self._camera.delivery.is_frozen = False

    def cover(self) -> None:
        """A cap on the lens: black, but for the noise."""
        self._camera.is_covered = True

    def uncover(self) -> None:
        """The cap is off."""
        self._camera.is_covered = False

    def go_silent(self) -> None:
        """No frame comes any more, from a camera that is plugged in."""
        self._camera.delivery.is_silent = True

    def speak(self) -> None:
        """Frames come again."""
        self._camera.delivery.is_silent = False

    def drop_frames(self, share: float) -> None:
        """Of the frames `share`, 0 to 1, get lost."""
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"share is {share:g}: expected 0 to 1")
        self._camera.delivery.extra_loss = share

    def delay_frames(self, seconds: float) -> None:
        """Every frame comes `seconds` later."""
        if not 0.0 <= seconds <= 1.0:
            raise ValueError(f"the delay is {seconds:g} s: expected 0 to 1")
        self._camera.delivery.extra_latency = seconds

    def change_size(self, size: str) -> None:
        """Come back with images of another size only, "424x240", as at a slower USB port."""
        width, by, height = size.partition("x")
        if not (by and width.isdecimal() and height.isdecimal() and int(width) > 0 and int(height) > 0):
            raise ValueError(f"'{size}' is no size: expected WIDTHxHEIGHT in pixels, as in 424x240")
        self._camera.size = int(width), int(height)

    def mend(self) -> None:
        """Everything is in order again."""
        self.plug()
        self.thaw()
        self.uncover()
        self.speak()
        self.drop_frames(0.0)
        self.delay_frames(0.0)
        self._camera.size = self._camera.own_size
