"""A rosbag2 folder with MCAP storage, written by a thread of its own: a slow disk does not hold up the messages.

The only file that imports rosbags.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rosbags.interfaces import Connection, Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import StoragePlugin, Writer, WriterError

from kprl.errors import KprlError
from kprl_inspection.definitions import definition

QUEUE_BYTES = 64 * 2**20  # that wait for the disk at most: some ten seconds of a camera's own images
LEAST_FREE = 100 * 2**20  # [bytes] of the disk at which a recording ends, while it can still be ended well
SPACE_PERIOD = 1.0  # [s] between two looks at the space left
CLOSE_TIMEOUT = 60.0  # [s] in which the disk must have taken what waits
VERSION: Final = 9  # of rosbag2's metadata: Jazzy and later
NEVER = QosTime(2**63 // 10**9, 2**63 % 10**9 - 1)  # how rosbag2 writes an endless duration


@dataclass(frozen=True)
class Channel:
    """A recorded topic: its absolute name, its type as in std_msgs/msg/Header, and how it is to be played back."""

    topic: str
    type: str
    latched: bool = False
    reliable: bool = True


class Bag:
    """Takes serialized messages until it is closed, or until `failure` says in one line why it cannot go on."""

    def __init__(self, folder: Path, queue_bytes: int = QUEUE_BYTES) -> None:
        """Errors: `KprlError` where the folder exists or cannot be made."""
        if folder.exists():
            raise KprlError(f"{folder} exists: a recording begins a folder of its own, choose another one")
        self.folder, self.failure = folder, ""
        self.counts: Counter[str] = Counter()  # messages written, by topic
        self._queue_bytes = queue_bytes
        self._waiting: deque[tuple[Channel, int, bytes]] = deque()
        self._waiting_bytes = 0
        self._closing = False
        self._changed = threading.Condition()
        self._connections: dict[str, Connection] = {}
        self._look_at = 0.0  # [s] steady, for the space left
        self._writer = Writer(folder, version=VERSION, storage_plugin=StoragePlugin.MCAP)
        try:
            self._writer.open()
        except OSError as error:
            raise KprlError(f"cannot record into {folder}: {error.strerror}; choose one that can be written") from None
        self._thread = threading.Thread(target=self._write_all, name="bag", daemon=True)
        self._thread.start()

    def put(self, channel: Channel, stamp: int, data: bytes) -> bool:
        """Record a message that came at `stamp` [ns]; False where so much waits for the disk that it is lost."""
        with self._changed:
            if self.failure or self._closing or self._waiting_bytes + len(data) > self._queue_bytes:
                return False
            self._waiting.append((channel, stamp, data))
            self._waiting_bytes += len(data)
            self._changed.notify()
        return True

    def close(self) -> None:
        """Write what waits, and the index. Errors: `KprlError` where the recording ended before, and why."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(CLOSE_TIMEOUT)
        if self._thread.is_alive():
            raise KprlError(f"{self.folder}: the disk has not taken the rest of the recording in {CLOSE_TIMEOUT:g} s")
        if self.failure:
            raise KprlError(self.failure)

    def _write_all(self) -> None:
        try:
            while batch := self._take():
                for channel, stamp, data in batch:
                    self._write(channel, stamp, data)
                if self._is_short_of_space():
                    break
            self._writer.close()
        except (OSError, WriterError, KprlError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            with suppress(OSError):
                self._writer.abort()
            self._fail(
                f"the recording in {self.folder} broke off: {reason}; its index is missing: see docs/inspection.md"
            )

    def _take(self) -> list[tuple[Channel, int, bytes]]:
        """What waits; nothing when the bag is to be closed and all is written."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            batch = list(self._waiting)
            self._waiting.clear()
            self._waiting_bytes = 0
        return batch

    def _write(self, channel: Channel, stamp: int, data: bytes) -> None:
        connection = self._connections.get(channel.topic)
        if connection is None:
            text, digest = definition(channel.type)
            connection = self._connections[channel.topic] = self._writer.add_connection(
                channel.topic, channel.type, msgdef=text, rihs01=digest, offered_qos_profiles=[_quality(channel)]
            )
        self._writer.write(connection, stamp, data)
        self.counts[channel.topic] += 1

    def _is_short_of_space(self) -> bool:
        now = time.monotonic()
        if now < self._look_at:
            return False
        self._look_at = now + SPACE_PERIOD
        free = shutil.disk_usage(self.folder).free
        if free < LEAST_FREE:
            self._fail(
                f"the recording in {self.folder} ended, whole so far: {free // 2**20} MiB of the disk are free, "
                f"it needs {LEAST_FREE // 2**20}; make room, or record elsewhere"
            )
        return bool(self.failure)

    def _fail(self, reason: str) -> None:
        with self._changed:
            self.failure = reason


def _quality(channel: Channel) -> Qos:
    return Qos(
        QosHistory.KEEP_LAST,
        1 if channel.latched else 10,
        QosReliability.RELIABLE if channel.reliable else QosReliability.BEST_EFFORT,
        QosDurability.TRANSIENT_LOCAL if channel.latched else QosDurability.VOLATILE,
        NEVER,
        NEVER,
        QosLiveliness.AUTOMATIC,
        NEVER,
        False,
    )
