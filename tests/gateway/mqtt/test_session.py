"""What a session promises, over both receive paths and every kind of broker."""

import pytest

from gateway.model import AGAIN, RETAINED
from gateway.mqtt import Will
from gateway.mqtt.client import MAX_PACKET
from gateway.mqtt.fast import FastReader
from gateway.mqtt.oversized import KEPT, Oversized
from gateway.mqtt.plain import PlainReader

pytestmark = pytest.mark.broker


@pytest.fixture(params=[True, False], ids=["fast", "plain"])
def fast(request):
    return request.param


@pytest.fixture
def sender(client, broker):
    return client(broker, keep=False)


def send(sender, topic, payloads, **options):
    confirmed = []
    sender.session.on_published = confirmed.append
    for payload in payloads:
        assert sender.session.publish(topic, payload, **options) is not None
    sender.pump(lambda: len(confirmed) == len(payloads))


def test_the_path_asked_for_is_taken(client, broker, fast):
    reader = client(broker, fast=fast).session._reader
    assert isinstance(reader, FastReader if fast else PlainReader)


def test_messages_come_whole_and_in_order(client, broker, fast, sender, topic):
    receiver = client(broker, topic, fast=fast)
    sent = [b"%d" % n * (n % 50) for n in range(300)]
    send(sender, topic, sent[:80])
    receiver.pump(lambda: len(receiver.got) == 80)
    receiver.acknowledge()
    for start in range(80, 300, 55):
        send(sender, topic, sent[start : start + 55])
        receiver.pump(lambda start=start: len(receiver.got) == min(300, start + 55))
        receiver.acknowledge()
    assert receiver.payloads() == sent
    assert {frame[0] for frame in receiver.got} == {topic.encode()}


def test_a_large_message_comes_whole(client, broker, fast, sender, topic):
    receiver = client(broker, topic, fast=fast)
    send(sender, topic, [b"x" * 20_000, b"", b"y" * 127, b"z" * 128])
    receiver.pump(lambda: len(receiver.got) == 4)
    assert [len(payload) for payload in receiver.payloads()] == [20_000, 0, 127, 128]


def test_who_wants_little_at_a_time_gets_few_messages_and_in_the_end_all(client, broker, fast, sender, topic):
    receiver = client(broker, topic, fast=fast)
    sent = [b"x" * 20_000, *(b"%04d" % number * 250 for number in range(200))]
    send(sender, topic, sent)
    most = 0
    while len(receiver.got) < len(sent):
        arrivals = receiver.session.poll(0.05, little=True)
        receiver.take(arrivals)
        receiver.acknowledge()
        most = max(most, len(arrivals.frames) if arrivals else 0)
    assert receiver.payloads() == sent
    assert 0 < most <= 50


def test_what_was_not_acknowledged_comes_again_and_what_was_does_not(client, broker, fast, sender, topic):
    receiver = client(broker, topic, fast=fast)
    send(sender, topic, [b"1", b"2", b"3"])
    receiver.pump(lambda: len(receiver.got) == 3)
    mids = [mid for arrival in receiver.arrivals for mid in arrival.mids]
    receiver.session.ack(receiver.session.epoch, mids[:2])
    receiver.session.poll(0.05)
    receiver.arrivals.clear()
    receiver.drop()
    receiver.pump(lambda: len(receiver.got) == 4)
    assert receiver.got[-1][1] == b"3"
    assert receiver.got[-1][2] & AGAIN


def test_of_equal_messages_as_many_are_marked_as_had_come_before(client, broker, fast, sender, topic):
    """The embedded broker marks none, and no broker knows which of those that it sent have reached us."""
    receiver = client(broker, topic, fast=fast)
    send(sender, topic, [b"same"] * 5)
    receiver.pump(lambda: len(receiver.got) == 5)
    mids = [mid for arrival in receiver.arrivals for mid in arrival.mids]
    receiver.session.ack(receiver.session.epoch, mids[:2])
    receiver.session.poll(0.05)
    receiver.arrivals.clear()
    receiver.session.hold()
    receiver.pump(lambda: not receiver.session.connected)
    send(sender, topic, [b"same"] * 2)
    receiver.session.resume()
    receiver.pump(lambda: len(receiver.got) == 5 + 3 + 2)
    assert sorted(frame[2] & AGAIN for frame in receiver.got[5:]) == [0, 0, AGAIN, AGAIN, AGAIN]


def test_an_acknowledgement_for_an_older_connection_is_dropped(client, broker, fast, sender, topic):
    """Its id may by now belong to another message, which would then be lost."""
    receiver = client(broker, topic, fast=fast)
    send(sender, topic, [b"1"])
    receiver.pump(lambda: len(receiver.got) == 1)
    old = receiver.arrivals.pop()
    receiver.drop()
    receiver.session.ack(old.epoch, old.mids)
    receiver.pump(lambda: len(receiver.got) == 2)
    receiver.session.ack(old.epoch, old.mids)
    assert receiver.session.epoch == old.epoch + 1
    receiver.arrivals.clear()
    receiver.drop()
    receiver.pump(lambda: len(receiver.got) == 3)
    assert receiver.payloads() == [b"1", b"1", b"1"]


def test_what_was_sent_while_we_were_away_comes_when_we_are_back(client, broker, fast, sender, topic):
    receiver = client(broker, topic, fast=fast)
    receiver.session.hold()
    receiver.pump(lambda: not receiver.session.connected)
    send(sender, topic, [b"while away"])
    assert receiver.session.held
    assert receiver.session.poll(0.1) is None
    receiver.session.resume()
    receiver.pump(lambda: receiver.payloads() == [b"while away"])
    assert receiver.session.gaps == 0


def test_old_retained_messages_come_once_not_at_every_reconnect(client, broker, fast, sender, topic):
    send(sender, topic, [b"kept"], retain=True)
    receiver = client(broker, topic, fast=fast)
    receiver.pump(lambda: receiver.payloads() == [b"kept"])
    assert receiver.got[0][2] & RETAINED
    receiver.acknowledge()
    receiver.session.poll(0.05)
    receiver.drop()
    receiver.pump(lambda: receiver.session.connected and receiver.session.subscribed)
    send(sender, topic, [b"fresh"])
    receiver.pump(lambda: b"fresh" in receiver.payloads())
    assert receiver.payloads() == [b"kept", b"fresh"]


def test_many_retained_messages_go_out_as_one_write(client, broker, fast, sender, topic):
    receiver = client(broker, f"{topic}/#", fast=False)
    talker = client(broker, keep=False, fast=fast)
    talker.session.publish_many([(f"{topic}/{n}", b"x" * n) for n in range(200)])
    talker.session.publish_many([])
    talker.pump(lambda: not talker.session._client.want_write())
    receiver.pump(lambda: receiver.acknowledge() or len(receiver.got) == 200)
    assert [len(payload) for payload in receiver.payloads()] == list(range(200))


def test_the_will_is_published_when_we_vanish_and_not_when_we_leave(client, broker, fast, topic):
    receiver = client(broker, topic)
    leaving = client(broker, will=Will(topic, b"gone", retain=False), fast=fast)
    leaving.session.close()
    vanishing = client(broker, will=Will(topic, b"lost", retain=False), fast=fast)
    vanishing.drop()
    receiver.pump(lambda: len(receiver.got) == 1)
    assert receiver.payloads() == [b"lost"]


def test_topics_can_be_added_and_outlive_a_reconnect(client, broker, fast, sender, topic):
    receiver = client(broker, f"{topic}/a", fast=fast)
    receiver.session.subscribe([f"{topic}/b", f"{topic}/a"])
    receiver.pump(lambda: receiver.session.subscriptions.grants.complete)
    receiver.drop()
    receiver.pump(lambda: receiver.session.connected and receiver.session.subscribed)
    send(sender, f"{topic}/b", [b"1"])
    receiver.pump(lambda: receiver.payloads() == [b"1"])


def test_a_message_that_the_broker_would_refuse_is_not_sent(client, broker, fast):
    session = client(broker, fast=fast).session
    assert session.publish("t", b"x" * (2 << 20)) is None
    session.poll(0.02)
    assert session.connected


def test_two_with_one_name_are_noticed_and_it_is_over_when_one_leaves(client, broker, fast, topic, monkeypatch):
    ours = client(broker, fast=fast, name=topic.replace("/", "-"))
    rival = client(broker, wait=False, fast=fast, name=topic.replace("/", "-"))

    def both():
        rival.session.poll(0)
        return ours.session.takeover_suspected

    ours.pump(both)
    rival.session.close()
    ours.pump(lambda: ours.session.connected)
    monkeypatch.setattr("gateway.mqtt.session.STABLE_S", 0.1)
    ours.pump(lambda: not ours.session.takeover_suspected)


@pytest.mark.parametrize("name", ["yz-alert/+/x", "yz-alert/#", "a\0b", "half \ud800 a character", "x" * 65_536, ""])
def test_what_is_no_topic_is_left_out_and_counted(broker, client, topic, name):
    listener = client(broker, topic)
    speaker = client(broker)
    assert speaker.session.publish(name, b"no") is None
    for publish in (speaker.session.publish_many, speaker.session.publish_latest):
        publish([(name, b"no"), (topic, b"yes")])
    assert speaker.session.unsendable == 3
    speaker.pump(lambda: not speaker.session._client.want_write())
    listener.pump(lambda: listener.payloads() == [b"yes", b"yes"])


def test_what_is_larger_than_the_broker_takes_is_left_out_told_once_and_forgotten_when_it_fits(
    broker, client, topic, caplog
):
    listener = client(broker, topic)
    speaker = client(broker)
    large = b"x" * MAX_PACKET
    assert speaker.session.publish("yz-live/large", large) is None
    speaker.session.publish_latest([("yz-live/large", large + b"x"), (topic, b"yes")])
    assert speaker.session.oversized.count == 2
    (trouble,) = speaker.session.oversized.troubles()
    assert trouble.startswith(f"the message on yz-live/large has {MAX_PACKET + 30} bytes, more than the {MAX_PACKET} ")
    assert caplog.text.count("yz-live/large") == 1
    speaker.session.publish_latest([("yz-live/large", b"small")])
    assert speaker.session.oversized.troubles() == []
    speaker.pump(lambda: not speaker.session._client.want_write())
    listener.pump(lambda: listener.payloads() == [b"yes"])


def test_a_flood_of_large_messages_is_remembered_within_bounds(caplog):
    oversized = Oversized()
    for n in range(3 * KEPT):
        assert not oversized.takes(f"yz-live/s{n}", b"x" * 100, 50)
    assert oversized.count == 3 * KEPT
    assert len(oversized.sizes) == KEPT
    assert caplog.text.count("more than the 50 that go") == KEPT
