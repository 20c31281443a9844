"""Brokers that freeze, forget, refuse or talk nonsense."""

import signal
import socket
import struct
import threading
import time

import pytest

from config.schema.base import HostPort
from gateway.mqtt import Broker, Session
from tests.patience import promptly

FRAMES = [
    b"\x30\x07\x00\x04left12"[:9],
    b"\x32\x0a\x00\x04left\x00\x07ab",
    b"\x33\x0a\x00\x04left\x00\x08cd",
    b"\x3a\xc8\x01\x00\x04left\x00\x09" + b"x" * 192,
]
EXPECTED = [(b"left", b"1", 0), (b"left", b"ab", 2), (b"left", b"cd", 3), (b"left", b"x" * 192, 10)]
CONNACK = b"\x20\x02\x00\x00"


@pytest.fixture(params=[True, False], ids=["fast", "plain"])
def fast(request):
    return request.param


@pytest.fixture
def scripted():
    """A broker on loopback that answers each connection with the bytes given, then keeps quiet."""
    listener = socket.create_server(("127.0.0.1", 0))
    accepted = []

    def serve(*pieces, pause_s=0.0):
        def run():
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                accepted.append(peer)
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                peer.recv(1024)
                for piece in pieces:
                    try:
                        peer.sendall(piece)
                    except OSError:
                        break
                    time.sleep(pause_s)

        threading.Thread(target=run, daemon=True).start()
        return Broker("127.0.0.1", listener.getsockname()[1], version=4)

    yield serve
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for peer in accepted:
        peer.close()


def test_frames_split_byte_by_byte_come_whole(client, scripted, fast):
    stream = CONNACK + b"".join(FRAMES)
    receiver = client(scripted(*[stream[n : n + 1] for n in range(len(stream))], pause_s=0.0005), fast=fast)
    receiver.pump(lambda: len(receiver.got) == 4)
    assert receiver.got == EXPECTED
    assert [mid for arrival in receiver.arrivals for mid in arrival.mids] == [7, 8, 9]


def test_frames_merged_with_the_greeting_come_whole(client, scripted, fast):
    receiver = client(scripted(CONNACK + b"".join(FRAMES)), fast=fast)
    receiver.pump(lambda: len(receiver.got) == 4)
    assert receiver.got == EXPECTED
    assert {arrival.epoch for arrival in receiver.arrivals} == {1}


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x30\xff\xff\xff\xff\x7f",
        b"\x30\x03\x00\x09ab",
        b"\x32\x03\x00\x01a",
        b"\x36\x05\x00\x01a\x00\x01",
        b"\x10\x00",
        b"\xd0\x05hello",
        b"\x20\x01\x00",
        b"\x90\x01\x00",
        b"GET / HTTP/1.1\r\nHost: somebody else's port entirely\r\nAccept: everything\r\n\r\n",
        struct.pack(">B", 0x31) + b"\x80\x80\x80\x80\x01",
    ],
)
def test_a_stream_that_is_no_mqtt_ends_the_connection_not_the_process(client, scripted, fast, nonsense):
    receiver = client(scripted(CONNACK, nonsense), fast=fast, wait=False)
    receiver.pump(lambda: receiver.session.reconnects >= 2)
    assert receiver.got == []


def test_a_frozen_broker_is_found_within_two_keep_alives(client, mosquitto_of):
    mosquitto = mosquitto_of()
    broker = Broker("127.0.0.1", mosquitto.port)
    both = [client(broker, "x", keepalive_s=1, fast=fast) for fast in (True, False)]
    mosquitto.signal(signal.SIGSTOP)
    frozen_at = time.monotonic()
    both[0].pump(lambda: both[1].session.poll(0) or not any(frozen.session.connected for frozen in both))
    assert promptly(frozen_at, 2 * 1)
    mosquitto.signal(signal.SIGCONT)
    for thawed in both:
        thawed.pump(lambda thawed=thawed: thawed.session.connected)
        assert thawed.session.protocol == "5"  # the freeze is no reason to fall back


def test_a_broker_that_forgot_us_is_counted_and_told(client, mosquitto_of, caplog):
    mosquitto = mosquitto_of()
    receiver = client(Broker("127.0.0.1", mosquitto.port), "x")
    mosquitto.kill()
    mosquitto.start()
    receiver.pump(lambda: receiver.session.connected and receiver.session.epoch == 2)
    assert receiver.session.gaps == 1
    assert "has forgotten our session client-" in caplog.text
    receiver.pump(lambda: receiver.session.subscribed)


def test_a_refused_login_is_told(client, mosquitto_of, caplog):
    mosquitto = mosquitto_of("allow_anonymous false")
    receiver = client(Broker("127.0.0.1", mosquitto.port), wait=False)
    receiver.pump(lambda: caplog.records)
    assert "refused us: Not authorized" in receiver.session.trouble
    receiver.pump(lambda: receiver.session._dialer.failures > 2)
    assert len(caplog.records) == 1  # each trouble once


def test_nobody_there_is_told_and_waits_without_hurry(free_port, caplog):
    session = Session(Broker("127.0.0.1", free_port), "lonely")
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        session.poll(0.05)
    assert session.trouble is not None
    assert "refused" in session.trouble
    assert session._dialer.failures <= 5
    session.close()


def test_a_node_that_cannot_be_reached_gives_way_to_the_next_and_each_trouble_is_told_once(
    client, mosquitto_of, free_port, caplog
):
    mosquitto = mosquitto_of()
    broker = Broker("127.0.0.1", free_port, others=(HostPort("127.0.0.1", mosquitto.port),))
    receiver = client(broker, "test/#")
    assert receiver.session.broker == Broker("127.0.0.1", mosquitto.port, others=(HostPort("127.0.0.1", free_port),))
    caplog.clear()
    mosquitto.kill()
    receiver.pump(lambda: receiver.session._dialer.failures >= 6)
    told = [record.message for record in caplog.records if "trying again" in record.message]
    assert len(told) == len(set(told))
    mosquitto.start()
    receiver.pump(lambda: receiver.session.connected)
    assert receiver.session.broker.port == mosquitto.port


def test_who_holds_while_a_connection_is_being_made_gets_none(client, scripted, fast):
    receiver = client(scripted(CONNACK + FRAMES[0]), fast=fast, wait=False)
    receiver.session.poll(0)
    receiver.session.hold()
    for _ in range(20):
        receiver.take(receiver.session.poll(0.01))
    assert not receiver.session.connected
    receiver.got.clear()
    receiver.session.resume()
    receiver.pump(lambda: receiver.session.connected and receiver.got)


def test_a_wake_from_another_thread_ends_the_wait(client, mosquitto_of):
    session = client(Broker("127.0.0.1", mosquitto_of().port)).session
    threading.Timer(0.05, session.wake).start()
    begin = time.monotonic()
    session.poll(60)
    assert time.monotonic() - begin < 40
