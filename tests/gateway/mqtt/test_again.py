"""Of equal messages after a broken connection: which came before, and which are news."""

import pytest

from gateway.model import DUP, QOS1
from gateway.mqtt import Arrivals
from gateway.mqtt.again import Again

SAME = b"t", b"same"


def come(again, *flags, message=SAME):
    """These arrive in one look; the DUP flags that they are given."""
    arrivals = Arrivals([(*message, flag) for flag in flags], [n for n, flag in enumerate(flags) if flag & QOS1])
    again.mark(arrivals)
    return [bool(frame[2] & DUP) for frame in arrivals.frames]


@pytest.fixture
def again():
    return Again()


def test_on_the_first_connection_the_brokers_word_stands(again):
    assert come(again, QOS1 | DUP, QOS1) == [True, False]


@pytest.mark.parametrize("mark", [0, DUP], ids=["unmarked", "marked"])
@pytest.mark.parametrize("acknowledged", range(5))
def test_what_was_not_acknowledged_came_before_and_what_the_broker_only_sent_did_not(again, mark, acknowledged):
    come(again, QOS1, QOS1)
    come(again, 0, QOS1, QOS1)
    again.acknowledged(acknowledged)
    again.reconnected(kept=True)
    assert come(again, *[QOS1 | mark] * 6) == [True] * (4 - acknowledged) + [False] * (2 + acknowledged)


def test_it_holds_over_one_loss_after_another(again):
    come(again, *[QOS1] * 3)
    again.reconnected(kept=True)
    assert come(again, QOS1 | DUP) == [True]
    again.reconnected(kept=True)
    assert come(again, *[QOS1 | DUP] * 4) == [True, True, True, False]
    again.acknowledged(4)
    again.reconnected(kept=True)
    assert come(again, QOS1 | DUP) == [False]


def test_other_messages_between_them_change_nothing(again):
    come(again, QOS1)
    again.reconnected(kept=True)
    assert come(again, QOS1, message=(b"t", b"other")) == [False]
    assert come(again, QOS1) == [True]
    assert come(again, QOS1) == [False]


def test_a_broker_that_forgot_the_session_sends_nothing_again(again):
    come(again, QOS1)
    again.reconnected(kept=False)
    assert come(again, QOS1) == [False]
