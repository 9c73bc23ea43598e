"""Messages between the node and the arm process."""

from __future__ import annotations

import pytest

from kprl_driver.wire import Channel, Closed, GoHome, Halt, Quit, Release, Report, Stage, Twist, decode, encode, pair

REPORT = Report(1.0, [0.0] * 6, [0.1] * 3, [0.0, 0.0, 0.0, 1.0], [0.0] * 3, 0, "", 1, "", 0, "", 0.01)


@pytest.mark.parametrize(
    "message",
    [Twist([0.1, 0.2, 0.3], 4.0), Halt("a reason"), Release(), GoHome([1.0] * 6, 2), Quit(), Stage("x"), REPORT],
)
def test_a_message_comes_as_it_was_sent(message):
    assert decode(encode(message)) == message


def test_messages_keep_their_order_and_the_end_is_heard_after_the_last():
    a, b = (Channel(end) for end in pair())
    for number in range(3):
        a.send(Stage(str(number)))
    a.close()
    assert b.wait(1.0)
    assert [message.text for message in b.receive()] == ["0", "1", "2"]
    with pytest.raises(Closed):
        b.receive()
    with pytest.raises(Closed):
        b.send(Quit())


def test_nobody_waits_for_an_end_that_does_not_read():
    a, b = (Channel(end) for end in pair())
    sent = 0
    while a.send(REPORT):
        sent += 1
        assert sent < 10_000
    assert len(b.receive()) == sent and a.send(REPORT)
