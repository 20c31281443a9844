"""What only the newest matters of: within the broker's window, in order, and nothing of a former connection."""

import contextlib
import socket

import pytest

from gateway.mqtt import Broker
from gateway.mqtt.latest import JAM_S, Latest

PUBLISH, PUBACK = 3, 4


@pytest.fixture(params=[True, False], ids=["fast", "plain"])
def fast(request):
    return request.param


class Other:
    """The broker's end of a connection, by hand: MQTT 5 with a window, confirming only when told."""

    def __init__(self, listener, window):
        self._listener, self._window = listener, window
        self._peer, self._rest = None, b""
        self.got, self.unconfirmed = [], []

    def look(self):
        """Take what has come; returns everything published so far."""
        if self._peer is None:
            with contextlib.suppress(BlockingIOError):
                self._peer, _ = self._listener.accept()
                self._peer.setblocking(False)
                self._peer.sendall(b"\x20\x06\x00\x00\x03\x21" + self._window.to_bytes(2, "big"))
            return self.got
        with contextlib.suppress(BlockingIOError):
            self._rest += self._peer.recv(65_536)
        while len(self._rest) > 2 and len(self._rest) >= 2 + self._rest[1]:
            kind, body, self._rest = (
                self._rest[0] >> 4,
                self._rest[2 : 2 + self._rest[1]],
                self._rest[2 + self._rest[1] :],
            )
            if kind == PUBLISH:
                end = 2 + body[1]
                self.unconfirmed.append(body[end : end + 2])
                self.got.append((body[2:end].decode(), int(body[end + 3 :])))
        assert len(self.unconfirmed) <= self._window
        return self.got

    def confirm(self):
        assert self._peer is not None
        mids, self.unconfirmed = self.unconfirmed, []
        self._peer.sendall(b"".join(b"\x40\x02" + mid for mid in mids))

    def drop(self):
        assert self._peer is not None
        self._peer.close()
        self._peer, self._rest, self.unconfirmed = None, b"", []


@pytest.fixture
def pair(client, fast):
    """A connected session and its broker's end."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    others = []

    def connected(window):
        others.append(Other(listener, window))
        broker = Broker("127.0.0.1", listener.getsockname()[1], version=5)
        session = client(broker, wait=False, fast=fast)
        session.pump(lambda: others[0].look() or session.session.connected)
        return session, others[0]

    yield connected
    listener.close()
    for other in others:
        other.drop()


def settle(session, other, confirm=True):
    """Until nothing more comes, a few looks long."""
    for _ in range(60):
        session.session.poll(0.002)
        other.look()
        if confirm and other.unconfirmed:
            other.confirm()


def test_no_more_go_out_than_the_broker_allows_and_in_the_end_all(pair):
    session, other = pair(window=8)
    session.session.publish_latest([(f"t/{n}", b"%d" % n) for n in range(30)])
    settle(session, other, confirm=False)
    assert 4 <= len(other.got) <= 8
    settle(session, other)
    assert other.got == [(f"t/{n}", n) for n in range(30)]


def test_what_waits_gives_way_to_a_newer_message_of_its_topic(pair):
    session, other = pair(window=2)
    session.session.publish_latest([("a", b"1"), ("b", b"1"), ("c", b"1")])
    settle(session, other, confirm=False)
    for number in (2, 3, 4):
        session.session.publish_latest([("c", b"%d" % number), ("a", b"%d" % number)])
    settle(session, other)
    assert other.got == [("a", 1), ("b", 1), ("c", 4), ("a", 4)]


def test_nothing_that_waited_for_a_lost_connection_goes_out_on_the_next(pair):
    session, other = pair(window=2)
    session.session.publish_latest([("a", b"1"), ("b", b"1"), ("c", b"1")])
    settle(session, other, confirm=False)
    other.drop()
    other.got.clear()
    session.session.on_connect = lambda _present: session.session.publish_latest([("a", b"2"), ("b", b"2")])
    session.pump(lambda: other.look() and session.session.connected)
    settle(session, other)
    assert {topic for topic, _ in other.got} == {"a", "b"}
    assert dict(other.got) == {"a": 2, "b": 2}


def test_a_broker_that_owes_its_answers_for_ever_is_left_and_the_newest_goes_out_on_the_next_line(pair, monkeypatch):
    session, other = pair(window=2)
    session.session.publish_latest([("a", b"1"), ("b", b"1"), ("c", b"1")])
    settle(session, other, confirm=False)
    session.session.on_connect = lambda _present: session.session.publish_latest([("c", b"2")])
    monkeypatch.setattr("gateway.mqtt.latest.JAM_S", 0.02)
    session.pump(lambda: session.session.reconnects == 1)
    monkeypatch.undo()  # once is enough, however slow the next answers are
    other.drop()
    other.got.clear()
    session.pump(other.look)
    settle(session, other)
    assert dict(other.got)["c"] == 2


def test_a_slow_broker_that_answers_one_by_one_is_not_left():
    latest = Latest()
    latest.open(1)
    latest.add([("a", b"1"), ("b", b"1"), ("c", b"1")])
    for mid in (1, 2):
        next(latest.due())
        latest.sent(mid)
        assert not latest.jammed(mid * 100.0)
        assert not latest.jammed(mid * 100.0 + JAM_S)
        latest.confirmed(mid)
    next(latest.due())
    latest.sent(3)
    assert not latest.jammed(1_000.0)
    assert not latest.jammed(2_000.0)  # nothing waits any more


def test_what_is_published_one_by_one_keeps_to_the_window_too(pair, fast):
    session, other = pair(window=8)
    session.session.publish_latest([(f"t/{n}", b"%d" % n) for n in range(30)])
    for n in range(30 if fast else 0):  # paho alone minds no window
        assert session.session.publish(f"x/{n}", b"%d" % n) is not None
    settle(session, other, confirm=False)
    settle(session, other)
    assert len(other.got) == (60 if fast else 30)


@pytest.mark.broker
def test_many_reach_every_kind_of_broker(client, broker, fast, topic):
    receiver = client(broker, f"{topic}/#")
    talker = client(broker, keep=False, fast=fast)
    talker.session.publish_latest([(f"{topic}/{n}", b"old") for n in range(700)])
    talker.session.publish_latest([(f"{topic}/{n}", b"new") for n in range(700)])

    def all_new():
        talker.session.poll(0)
        receiver.acknowledge()
        last = {name: payload for name, payload, _ in receiver.got}
        return len(last) == 700 and set(last.values()) == {b"new"}

    receiver.pump(all_new)
