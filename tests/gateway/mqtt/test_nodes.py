"""Several addresses of one broker: the next at once, a pause when all have failed, and each trouble once."""

import contextlib
import socket
import ssl
import threading
from datetime import UTC, datetime

import pytest

from config.load import load
from config.schema.base import HostPort
from gateway.mqtt import Broker
from gateway.mqtt.configured import broker_of
from tests.certificates import signed_by_itself
from tests.ports import free_port

LONG_S = 3_600.0
CONNACK = b"\x20\x02\x00\x00"


@pytest.fixture
def long_pauses(monkeypatch):
    """Whoever pauses is not back in this test."""
    monkeypatch.setattr("gateway.mqtt.dialer.random.uniform", lambda _least, _most: LONG_S)


@pytest.fixture
def talker():
    """A broker on loopback: `reply` of the bytes that came last gives its answer; None hangs up."""
    listeners, peers = [], []

    def serve(reply):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def run():
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                peers.append(peer)
                threading.Thread(target=talk, args=(peer,), daemon=True).start()

        def talk(peer):
            try:
                while came := peer.recv(4096):
                    answer = reply(came)
                    if answer is None:
                        peer.shutdown(socket.SHUT_RDWR)
                        return
                    peer.sendall(answer)
            except OSError:
                return

        threading.Thread(target=run, daemon=True).start()
        return HostPort("127.0.0.1", listener.getsockname()[1])

    yield serve
    for sock in (*listeners, *peers):
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()


def cluster(*ports, **options):
    first, *others = [HostPort("127.0.0.1", port) for port in ports]
    return Broker(*first, others=tuple(others), **options)


def test_nodes_that_are_away_cost_no_pause(client, mosquitto_of, long_pauses):
    alive = mosquitto_of().port
    connected = client(cluster(free_port(), free_port(), alive), "x")
    connected.pump(lambda: connected.session.connected)
    assert connected.session.address == f"127.0.0.1:{alive}"
    assert connected.session.node == 3


def test_a_node_that_dies_costs_no_pause_and_the_session_goes_on_by_the_next(client, mosquitto_of, long_pauses, caplog):
    first, second = mosquitto_of(), mosquitto_of()
    connected = client(cluster(first.port, second.port), "x")
    connected.pump(lambda: connected.session.node == 1)
    caplog.clear()
    first.kill()
    connected.pump(lambda: connected.session.node == 2 and connected.session.subscribed)
    told = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert any(f"; trying 127.0.0.1:{second.port}" in text for text in told)


def test_when_all_have_failed_comes_a_pause(client, long_pauses):
    connected = client(cluster(free_port(), free_port(), free_port()), wait=False)
    connected.pump(lambda: connected.session._dialer.failures)
    assert connected.session._dialer.failures == 1
    assert connected.session._dialer.pause_s > LONG_S / 2
    assert connected.session.node == 0
    assert connected.session.address is None


def test_a_node_that_takes_the_connection_and_says_nothing_gives_way_without_a_fall_back(
    client, mosquitto_of, talker, long_pauses, monkeypatch
):
    monkeypatch.setattr("gateway.mqtt.session.ANSWER_S", 0.2)
    mute = talker(lambda _: b"")
    connected = client(cluster(mute.port, mosquitto_of().port), "x")
    connected.pump(lambda: connected.session.node == 2)
    assert connected.session.protocol == "5"


def test_a_node_that_hangs_up_is_asked_in_the_older_version_and_then_it_is_the_next_ones_turn(
    client, mosquitto_of, talker, long_pauses, caplog
):
    caplog.set_level("INFO")
    asked = []

    def hang_up(came):
        asked.append(came[8])  # the version in a CONNECT of less than 128 bytes

    connected = client(cluster(talker(hang_up).port, mosquitto_of().port), "x")
    connected.pump(lambda: connected.session.node == 2)
    assert asked == [5, 4]
    assert connected.session.protocol == "5"
    older = [record for record in caplog.records if "trying MQTT 3.1.1" in record.message]
    assert [record.levelname for record in older] == ["INFO"]


def test_what_a_node_refuses_for_a_moment_is_asked_again(client, talker, monkeypatch):
    monkeypatch.setattr("gateway.mqtt.grants.FIRST_S", 0.01)
    answers = [b"\x80\x01", b"\x80\x80", b"\x01"]

    def reply(came):
        if came[0] == 0x10:
            return CONNACK
        if came[0] != 0x82:
            return b""
        grants = answers.pop(0)
        return bytes((0x90, 2 + len(grants))) + came[2:4] + grants

    node = talker(reply)
    connected = client(Broker(node.host, node.port, version=4), "a", "b", wait=False)
    connected.pump(lambda: connected.session.trouble is not None and "won't let us listen" in connected.session.trouble)
    assert not connected.session.subscribed
    answers[:] = [b"\x80", b"\x01"]  # only the refused one is asked
    connected.pump(lambda: connected.session.subscribed)
    assert connected.session.trouble is None


def test_a_session_says_that_it_waits_until_all_is_granted(client, talker):
    node = talker(lambda came: CONNACK if came[0] == 0x10 else b"")
    connected = client(Broker(node.host, node.port, version=4), "a", wait=False)
    connected.pump(lambda: connected.session.connected)
    assert "has not granted" in connected.session.trouble


def hangs_up_at_subscriptions_of(named, names):
    """A broker that lets everybody in, and hangs up when `named` asks for topics. `names`: of all that came in."""

    def reply(came):
        if came[0] == 0x10:
            names.append(came[14 : 14 + came[13]].decode())
            return CONNACK
        if came[0] != 0x82:
            return b""
        return None if names[-1] == named else bytes((0x90, 3)) + came[2:4] + b"\x01"

    return reply


def test_where_the_broker_hangs_up_at_our_topics_a_session_that_is_not_kept_comes_in_by_another_name(
    client, talker, caplog
):
    names = []
    node = talker(hangs_up_at_subscriptions_of("device", names))
    hidden = client(Broker(node.host, node.port, version=4), "a", name="device", keep=False, wait=False)
    hidden.pump(lambda: hidden.session.subscribed)
    assert names[:3] == ["device"] * 3
    assert names[3] == "device-2"
    assert len(names) == 4
    assert hidden.session.client_id == "device"
    assert "hangs up when device asks for its topics" in caplog.text


def test_a_broker_that_hangs_up_whatever_the_name_is_meets_few_names(client, talker):
    names = []

    def reply(came):
        if came[0] == 0x10:
            names.append(came[14 : 14 + came[13]].decode())
            return CONNACK
        return None if came[0] == 0x82 else b""

    node = talker(reply)
    device = client(Broker(node.host, node.port, version=4), "a", name="device", keep=False, wait=False)
    device.pump(lambda: len(names) > 13)
    assert names[:12] == ["device"] * 3 + ["device-2"] * 3 + ["device-3"] * 3 + ["device"] * 3


def test_a_kept_session_keeps_its_name_however_often_the_broker_hangs_up(client, talker):
    names = []
    node = talker(hangs_up_at_subscriptions_of("gateway", names))
    kept = client(Broker(node.host, node.port, version=4), "a", name="gateway", wait=False)
    kept.pump(lambda: len(names) > 6)
    assert set(names) == {"gateway"}


def test_what_was_to_be_sent_goes_under_the_other_name(client, talker):
    names, said = [], []
    reply = hangs_up_at_subscriptions_of("device", names)

    def listening(came):
        said.extend(names[-1:] * came.count(b"precious"))
        return reply(came)

    node = talker(listening)
    device = client(Broker(node.host, node.port, version=4), "a", name="device", keep=False, wait=False)
    device.pump(lambda: device.session.connected)
    assert device.session.publish("t", b"precious") is not None
    device.pump(lambda: any(name != "device" for name in said))


def test_clients_spread_over_the_nodes_and_each_keeps_them_all():
    broker = cluster(1, 2, 3)
    started = [broker.anywhere() for _ in range(300)]
    assert {beginning.port for beginning in started} == {1, 2, 3}
    assert all(sorted(node.port for node in beginning.nodes) == [1, 2, 3] for beginning in started)
    after_the_first = {beginning.next_node().port for beginning in started if beginning.port == 1}
    assert after_the_first == {2, 3}
    assert all([node.port for node in beginning.configured] == [1, 2, 3] for beginning in started)


# paho leaves the socket of a failed handshake to be collected.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_name_in_the_certificate_is_that_of_the_address_in_use(client, mosquitto_of, tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    signed_by_itself(cert, key, ends=datetime(2100, 1, 1, tzinfo=UTC))  # for 127.0.0.1 only
    port = mosquitto_of(f"certfile {cert}", f"keyfile {key}").port
    (tmp_path / "yizhan.yaml").write_text(
        f'mqtt: {{url: ["mqtts://localhost:{port}", "mqtts://127.0.0.1:{port}"], ca_file: {cert}}}\nstations: []\n'
    )
    broker = broker_of(load(tmp_path / "yizhan.yaml", {}))
    assert isinstance(broker.tls, ssl.SSLContext)
    while broker.host != "localhost":
        broker = broker.next_node()
    connected = client(broker, "x")
    connected.pump(lambda: connected.session.connected)
    assert connected.session.address == f"127.0.0.1:{port}"
    assert connected.session.node == 2
