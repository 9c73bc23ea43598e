"""A bag is whole or says why not, and its definitions are those of the messages."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from kprl_interfaces.msg import KeypointArray, RobotStatus
from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from kprl.errors import KprlError
from kprl_inspection import bag as bag_module
from kprl_inspection.bag import Bag, Channel
from kprl_inspection.definitions import definition, type_name
from kprl_inspection.listening import LATCHED, Quality, fitting
from kprl_inspection.record_node import RECORDED
from kprl_ros import launch_extras

STRING = Channel("/words", "std_msgs/msg/String")
HELLO = b"\x00\x01\x00\x00\x06\x00\x00\x00hello\x00"
RELIABLE, BEST_EFFORT = QoSReliabilityPolicy.RELIABLE, QoSReliabilityPolicy.BEST_EFFORT
VOLATILE, TRANSIENT = QoSDurabilityPolicy.VOLATILE, QoSDurabilityPolicy.TRANSIENT_LOCAL


def offer(reliability: QoSReliabilityPolicy, durability: QoSDurabilityPolicy) -> QoSProfile:
    return QoSProfile(depth=1, reliability=reliability, durability=durability)


def read(folder: Path) -> list[tuple[str, int, bytes]]:
    with AnyReader([folder]) as reader:
        return [(connection.topic, stamp, bytes(data)) for connection, stamp, data in reader.messages()]


def test_what_is_put_in_comes_out_in_order_with_its_stamps(tmp_path: Path) -> None:
    bag = Bag(tmp_path / "bag")
    others = [Channel(f"/words/{i}", STRING.type, latched=i % 2 == 0, reliable=i % 3 == 0) for i in range(4)]
    sent = [(others[i % 4], 10**18 + i, HELLO + bytes(i)) for i in range(200)]
    assert all(bag.put(*message) for message in sent)
    bag.close()
    assert not bag.put(STRING, 0, HELLO)
    assert read(tmp_path / "bag") == [(channel.topic, stamp, data) for channel, stamp, data in sent]
    with AnyReader([tmp_path / "bag"]) as reader:
        for connection, channel in zip(reader.connections, others, strict=True):
            quality = connection.ext.offered_qos_profiles[0]
            assert (quality.durability.name == "TRANSIENT_LOCAL") == channel.latched
            assert (quality.reliability.name == "RELIABLE") == channel.reliable


def test_an_empty_recording_is_whole_too(tmp_path: Path) -> None:
    Bag(tmp_path / "bag").close()
    assert read(tmp_path / "bag") == []


def test_a_folder_that_exists_or_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KprlError, match="exists: a recording begins a folder of its own"):
        Bag(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(KprlError, match="cannot record into .*: Not a directory; choose one that can be written"):
        Bag(tmp_path / "file" / "bag")


def test_a_disk_that_is_nearly_full_ends_a_whole_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bag_module.shutil, "disk_usage", lambda folder: SimpleNamespace(free=7 * 2**20))
    bag = Bag(tmp_path / "bag")
    bag.put(STRING, 1, HELLO)
    bag._thread.join(5.0)
    assert not bag.put(STRING, 2, HELLO)
    with pytest.raises(KprlError, match="ended, whole so far: 7 MiB of the disk are free, it needs 100; make room"):
        bag.close()
    assert read(tmp_path / "bag") == [(STRING.topic, 1, HELLO)]


def test_a_disk_error_is_said_in_words(tmp_path: Path) -> None:
    bag = Bag(tmp_path / "bag")

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    bag._writer.write = full  # type: ignore[method-assign]
    bag.put(STRING, 1, HELLO)
    bag._thread.join(5.0)
    with pytest.raises(KprlError, match="broke off: No space left on device; its index is missing"):
        bag.close()


def test_a_slow_disk_loses_messages_and_not_the_graph(tmp_path: Path) -> None:
    bag = Bag(tmp_path / "bag", queue_bytes=3 * len(HELLO))
    with bag._changed:  # the writer cannot take any meanwhile
        taken = [bag.put(STRING, stamp, HELLO) for stamp in range(5)]
    assert taken == [True, True, True, False, False]
    bag.close()
    assert len(read(tmp_path / "bag")) == 3


@pytest.mark.parametrize("kind", sorted(RECORDED.values(), key=type_name))
def test_definitions_are_read_as_the_type_that_they_are(kind: type) -> None:
    """By rosbags, which computes the type's hash anew from the text."""
    name = type_name(kind)
    text, digest = definition(name)
    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_msg(text, name))
    assert store.hash_rihs01(name) == digest


def test_a_missing_definition_is_named() -> None:
    with pytest.raises((KprlError, ImportError), match="nothing_msgs"):
        definition("nothing_msgs/msg/Nothing")


def test_units_stay_in_the_definition() -> None:
    assert "[px]" in definition(type_name(KeypointArray))[0]
    assert "MSG: kprl_interfaces/Keypoint\n" in definition(type_name(KeypointArray))[0]
    assert "MODE_FAULT=3" in definition(type_name(RobotStatus))[0]


def test_both_recorders_record_the_same() -> None:
    assert set(RECORDED) == set(launch_extras.RECORDED) and set(LATCHED) <= set(RECORDED)


def test_a_subscription_asks_for_no_more_than_all_publishers_offer() -> None:
    assert fitting(Quality(), []) == Quality(reliable=True)
    assert fitting(Quality(), [offer(RELIABLE, VOLATILE), offer(RELIABLE, TRANSIENT)]) == Quality()
    assert fitting(Quality(), [offer(RELIABLE, VOLATILE), offer(BEST_EFFORT, VOLATILE)]) == Quality(reliable=False)
    latched = Quality(latched=True)
    assert fitting(latched, []) == fitting(latched, [offer(RELIABLE, TRANSIENT)]) == latched
    assert fitting(latched, [offer(RELIABLE, TRANSIENT), offer(RELIABLE, VOLATILE)]) == Quality()
