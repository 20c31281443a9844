"""Looking for devices while the gateway works: bounded, and over when nobody asks any more."""

import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from api.setup import listening
from api.setup.listening import BURST, LOOKS_A_SECOND, SAME_TOPIC_S, DeviceWatch, Pace
from config.schema import Settings
from gateway.mqtt import Arrivals
from tests.patience import until

SETTINGS = Settings.model_validate(
    {
        "stations": [
            {
                "id": "yanshan",
                "areas": [
                    {
                        "id": "hall",
                        "resources": [
                            {"id": "seat-01", "kind": "seat"},
                            {
                                "id": "door",
                                "kind": "door",
                                "source": {"dialect": "zigbee2mqtt", "topic": "zigbee2mqtt/door"},
                            },
                        ],
                    }
                ],
            }
        ]
    }
)


@dataclass
class Broker:
    """A session whose messages the test gives it."""

    trouble: str | None = None
    subscribed: bool = True
    acked: list[int] = field(default_factory=list)
    closed: bool = False
    waiting: list[list[tuple[bytes, bytes, int]]] = field(default_factory=list)
    fails: Exception | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def poll(self, timeout_s: float) -> Arrivals | None:
        if self.fails is not None:
            raise self.fails
        if not self.waiting:
            threading.Event().wait(min(timeout_s, 0.01))
            return None
        frames = self.waiting.pop(0)
        return Arrivals(frames, list(range(len(frames))), 1)

    def ack(self, _epoch: int, mids: list[int]) -> None:
        self.acked += mids

    def close(self) -> None:
        self.closed = True


def watch(broker: Broker) -> DeviceWatch:
    return DeviceWatch(lambda: SETTINGS, lambda: 7, lambda _settings: broker, broker.ended.is_set)


def topics(looker: DeviceWatch) -> list[str]:
    return [finding.topic for finding in looker.ask()[0].findings]


def test_what_speaks_is_heard_and_what_is_configured_of_ours_is_not_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "RETELL_S", 0.0)
    seat, door, mine, other = (
        (b"zigbee2mqtt/seat", b'{"occupancy":true}', 0),
        (b"zigbee2mqtt/door", b'{"contact":true}', 0),
        (b"yz/yanshan/seat-01/state", b'{"occupied":true}', 0),
        (b"yz/yanshan/seat-02/state", b'{"occupied":true}', 0),
    )
    broker = Broker(waiting=[[seat, mine, other], [door, (b"yz-live/yanshan", b"{}", 0)]])
    looker = watch(broker)
    heard, began = looker.ask()
    assert (heard.findings, began, heard.trouble) == ((), True, "connecting")
    until(lambda: topics(looker) == ["yz/yanshan/seat-02/state", "zigbee2mqtt/door", "zigbee2mqtt/seat"])
    assert broker.acked == [0, 1, 2, 0, 1]
    assert looker.ask()[1] is False
    broker.ended.set()
    until(lambda: broker.closed)


def test_it_ends_when_nobody_has_asked_for_a_while_and_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "ASKED_S", 0.05)
    broker = Broker()
    looker = watch(broker)
    looker.ask()
    until(lambda: broker.closed)
    assert looker.ask()[1] is True
    broker.ended.set()


def test_a_broker_that_is_away_is_told_and_so_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker(trouble="connection refused", subscribed=False)
    looker = watch(broker)
    until(lambda: looker.ask()[0].trouble == "connection refused")
    broker.fails = RuntimeError("secret words")
    until(lambda: looker._thread is None)
    assert looker._trouble == "RuntimeError"
    broker.ended.set()


def test_a_flood_is_taken_from_the_broker_and_mostly_not_looked_at() -> None:
    pace = Pace(0.0)
    looked = sum(pace.admits(b"t/%d" % n, 0.0) for n in range(BURST * 2))
    assert looked == BURST
    assert sum(pace.admits(b"u/%d" % n, 1.0) for n in range(BURST)) == LOOKS_A_SECOND


def test_one_topic_that_floods_leaves_room_for_the_others() -> None:
    pace = Pace(0.0)
    assert [pace.admits(b"loud", n / 1000) for n in range(100)].count(True) == 1
    assert pace.admits(b"loud", SAME_TOPIC_S + 0.001)
    assert pace.admits(b"quiet", 0.1)


def test_the_topics_that_it_remembers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "TOPICS", 10)
    pace: Any = Pace(0.0)
    for n in range(100):
        pace.admits(b"%d" % n, float(n))
    assert len(pace._seen) <= 10


def test_many_configured_devices_of_other_makes_are_not_looked_for_either() -> None:
    known = listening._known(SETTINGS)
    assert known == {"yz/yanshan/seat-01/state", "yz/yanshan/door/state"}
