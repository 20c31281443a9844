"""What a broker says of itself: each limit that loses messages or can't work is told, once and with its mend."""

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.mqtt import Broker
from gateway.mqtt.client import Terms
from gateway.mqtt.limits import BrokerLimits, limits_of

OURS = Terms("x", None, keep=True, expiry_s=600, keepalive_s=20, receive_maximum=5_000)


def granted(**values: int) -> Properties:
    properties = Properties(PacketTypes.CONNACK)
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


@pytest.mark.parametrize(
    ("values", "what", "mend"),
    [
        ({"MaximumQoS": 0}, "takes QoS 0 only", "allow QoS 1"),
        ({"RetainAvailable": 0}, "retains nothing", "allow retained messages"),
        ({"WildcardSubscriptionAvailable": 0}, "allows no wildcards", "allow them"),
        (
            {"SessionExpiryInterval": 60},
            "keeps our session for 60 s, and mqtt.session_expiry_s asks for 600 s",
            "raise",
        ),
        ({"ReceiveMaximum": 20}, "takes 20 unacknowledged", "max_inflight_messages"),
        ({"MaximumPacketSize": 2_000}, "takes 2000 bytes at most", "max_packet_size"),
    ],
)
def test_each_limit_that_loses_or_can_not_work_is_told_with_its_mend(
    values: dict[str, int], what: str, mend: str
) -> None:
    (told,) = limits_of(granted(**values), OURS)
    assert told.startswith(what)
    assert mend in told.rpartition("; ")[2]


def test_a_broker_that_grants_all_or_tells_nothing_has_none() -> None:
    plenty = granted(SessionExpiryInterval=900, ReceiveMaximum=1_000, MaximumPacketSize=1 << 20, MaximumQoS=1)
    assert list(limits_of(plenty, OURS)) == []
    assert list(limits_of(None, OURS)) == []


def test_a_session_that_nobody_keeps_may_end_soon() -> None:
    passing = Terms("x", None, keep=False, expiry_s=600, keepalive_s=20, receive_maximum=5_000)
    assert list(limits_of(granted(SessionExpiryInterval=0), passing)) == []


def test_a_limit_is_in_the_log_once_until_it_was_away(caplog: pytest.LogCaptureFixture) -> None:
    limits = BrokerLimits()
    for values in ({"ReceiveMaximum": 20}, {"ReceiveMaximum": 20}, {}, {"ReceiveMaximum": 20}):
        limits.note("one:1883", granted(**values), OURS)
    assert [record.message[:32] for record in caplog.records] == ["MQTT: one:1883 takes 20 unacknow"] * 2


def test_a_broker_of_defaults_is_told_of_as_we_connect(client, mosquitto_of, caplog):
    port = mosquitto_of("max_inflight_messages 20").port
    talker = client(Broker("127.0.0.1", port), "x")
    assert len(talker.session.limits.told) == 1
    assert "takes 20 unacknowledged" in caplog.text


@pytest.mark.parametrize("known", [True, False])
def test_a_session_of_an_earlier_process_that_is_gone_is_counted_and_told(client, mosquitto_of, caplog, known):
    talker = client(Broker("127.0.0.1", mosquitto_of().port), "x", wait=False)
    talker.session.expected = known
    talker.pump(lambda: talker.session.subscribed)
    assert talker.session.gaps == int(known)
    assert ("what came meanwhile may be lost" in caplog.text) == known


def test_a_session_of_an_earlier_process_that_is_there_is_no_gap(client, mosquitto_of):
    broker = Broker("127.0.0.1", mosquitto_of().port)
    first = client(broker, "x", name="keeper")
    first.session.close()
    again = client(broker, "x", name="keeper", wait=False)
    again.session.expected = True
    again.pump(lambda: again.session.subscribed)
    assert again.session.gaps == 0
