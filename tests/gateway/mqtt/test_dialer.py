"""Reaching a broker: who waits is woken in time, and pauses grow."""

import threading
import time

import pytest

from gateway.mqtt.bell import Bell
from gateway.mqtt.dialer import Dialer


@pytest.fixture
def bell():
    bell = Bell()
    yield bell
    bell.close()


@pytest.mark.parametrize("trouble", [None, OSError("nobody there"), ValueError("no such host")])
def test_who_is_woken_finds_the_attempt_over(bell, trouble):
    """Though its thread still lives: whoever asked for the thread's end slept on, as nobody rang again."""
    lingering = threading.Event()

    def wake():
        bell.ring()
        lingering.wait(60)

    def connect():
        if trouble is not None:
            raise trouble

    dialer = Dialer("test", 1.0, wake)
    dialer.dial(connect)
    begin = time.monotonic()
    bell.wait(60)
    assert time.monotonic() - begin < 40
    assert not dialer.busy
    assert dialer.error == (None if trouble is None else str(trouble))
    lingering.set()
    dialer.join(60)


def test_a_ring_before_the_wait_ends_it_and_only_it(bell):
    bell.ring()
    bell.ring()
    begin = time.monotonic()
    bell.wait(60)
    assert time.monotonic() - begin < 40
    begin = time.monotonic()
    bell.wait(0.05)
    assert time.monotonic() - begin >= 0.04


def test_pauses_grow_up_to_the_longest_and_are_never_none(bell):
    dialer = Dialer("test", 8.0, bell.ring)
    assert dialer.pause_s == 0
    pauses = []
    for _ in range(30):
        dialer.failed()
        pauses.append(dialer.pause_s)
    assert all(0.04 < pause <= 8.0 for pause in pauses)
    assert max(pauses[:1]) <= 1.0
    assert max(pauses[5:]) > 2.0
