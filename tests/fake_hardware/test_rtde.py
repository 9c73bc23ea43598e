"""The wire format: what is built can be parsed, and garbage is refused by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kprl_fake_hardware import rtde
from kprl_fake_hardware.robot import Robot
from kprl_fake_hardware.rtde import Kind, Layout, MalformedPackage, Package
from kprl_fake_hardware.rtde_session import RtdeSession

packages = st.builds(Package, st.sampled_from(Kind), st.binary(max_size=200))
names = st.lists(st.sampled_from(["timestamp", "actual_q", "runtime_state", "output_int_register_0"]), min_size=1)
numbers = {
    "BOOL": st.booleans(),
    "UINT8": st.integers(0, 2**8 - 1),
    "UINT32": st.integers(0, 2**32 - 1),
    "UINT64": st.integers(0, 2**64 - 1),
    "INT32": st.integers(-(2**31), 2**31 - 1),
    "DOUBLE": st.floats(allow_nan=False),
}
numbers |= {
    "VECTOR3D": st.tuples(*[numbers["DOUBLE"]] * 3),
    "VECTOR6D": st.tuples(*[numbers["DOUBLE"]] * 6),
    "VECTOR6INT32": st.tuples(*[numbers["INT32"]] * 6),
    "VECTOR6UINT32": st.tuples(*[numbers["UINT32"]] * 6),
}


@given(st.lists(packages, max_size=5), st.data())
def test_split_finds_what_was_built_however_the_stream_is_cut(sent, data):
    stream = b"".join(rtde.build(package.kind, package.payload) for package in sent)
    cut = data.draw(st.integers(0, len(stream)))
    first, rest = rtde.split(stream[:cut])
    second, left = rtde.split(rest + stream[cut:])
    assert first + second == sent and left == b""


@given(st.lists(st.sampled_from(list(rtde.TYPES)), max_size=12), st.integers(0, 255), st.data())
def test_layout_round_trip(types, recipe, data):
    values = [data.draw(numbers[name]) for name in types]
    layout = Layout(types)
    (package,), _ = rtde.split(layout.build(recipe, values))
    assert layout.parse(package.payload) == (recipe, values)


@given(st.floats(0.001, 1000.0), names)
def test_setup_round_trips(frequency, wanted):
    (outputs, inputs), _ = rtde.split(rtde.build_output_setup(frequency, wanted) + rtde.build_input_setup(wanted))
    assert rtde.parse_output_setup(outputs.payload) == (frequency, wanted)
    assert rtde.parse_names(inputs.payload) == wanted
    assert rtde.parse_names(inputs.payload + b",") == wanted  # as ur_rtde ends it


def test_versions_and_replies_round_trip():
    (version, protocol, reply), _ = rtde.split(
        rtde.build_controller_version((5, 11, 1, 108318))
        + rtde.build_protocol_version(2)
        + rtde.build_setup_reply(Kind.SETUP_INPUTS, 3, ["INT32", "IN_USE"])
    )
    assert rtde.parse_controller_version(version.payload) == (5, 11, 1, 108318)
    assert rtde.parse_protocol_version(protocol.payload) == 2
    assert rtde.parse_setup_reply(reply.payload) == (3, ["INT32", "IN_USE"])


@given(st.binary(max_size=400))
def test_garbage_raises_a_named_error_or_nothing(garbage):
    for parse in (
        rtde.split,
        rtde.parse_names,
        rtde.parse_output_setup,
        rtde.parse_protocol_version,
        rtde.parse_controller_version,
        rtde.parse_setup_reply,
        Layout(["DOUBLE", "INT32"]).parse,
    ):
        try:
            parse(garbage)
        except MalformedPackage:
            pass


@given(st.lists(st.one_of(st.binary(max_size=50), packages.map(lambda p: rtde.build(p.kind, p.payload))), max_size=6))
def test_a_session_survives_garbage_or_names_it(chunks):
    robot = Robot()
    session = RtdeSession(robot)
    try:
        for chunk in chunks:
            session.receive(chunk)
            robot.tick()
            session.on_tick()
    except MalformedPackage:
        pass
    session.close()


@pytest.mark.parametrize("types", [["NOSUCH"], ["DOUBLE", "IN_USE"]])
def test_unknown_types_are_named(types):
    with pytest.raises(MalformedPackage, match=types[-1]):
        Layout(types)
