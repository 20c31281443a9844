"""The second feeder, over a real broker."""

import json
import subprocess
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from api import live_feed
from api.live_feed import GATEWAYS_MOST, LiveFeed, documents, gateways
from api.live_view import LiveView
from api.longest import Longest, LongestOf
from api.wire_documents import received
from config.schema import Settings
from gateway.base.mishaps import Mishaps
from gateway.commands import CommandKey, made_key
from gateway.live.station_document import Document
from gateway.mqtt import Broker
from tests.api.conftest import MINUTE, NOON, Clock, settings_in
from tests.api.documents import document, line, resource
from tests.conftest import Mosquitto
from tests.patience import until


def hours(station: str) -> Longest | None:
    """Every value of every station may hold for an hour."""
    return defaultdict(lambda: 60 * MINUTE)


def publish(broker: Mosquitto, topic: str, payload: bytes) -> None:
    words = ["mosquitto_pub", "-p", str(broker.port), "-q", "1", "-r", "-t", topic, "-s"]
    subprocess.run(words, input=payload, check=True)


@pytest.mark.broker
def test_what_the_broker_retains_is_shown_while_it_holds(
    mosquitto_of: Callable[..., Mosquitto], tmp_path: Path
) -> None:
    mosquitto = mosquitto_of()
    made = document("yanshan", [resource("seat-01", until=NOON + MINUTE)], [line("seat", 1, 1, 1)], NOON)
    publish(mosquitto, "yz-live/yanshan", made.body)
    publish(mosquitto, "yz-live/shaping", b"\xff{")
    publish(mosquitto, "yz-sys/box", b'{"state":"offline"}')
    clock = Clock()
    view = LiveView(settings_in(tmp_path).stations, clock)
    feed = LiveFeed(Broker("127.0.0.1", mosquitto.port), "test-api", view, CommandKey(tmp_path / "command.key"), hours)
    made_key(tmp_path / "command.key")
    assert feed.troubles[0].endswith(": not connected yet")
    feed.start()
    try:
        until(lambda: feed.troubles == ["gateway box is offline"])
        until(lambda: view._inbox.get("yanshan"))
        view._take()
        entry = view.get("yanshan")
        assert entry is not None
        assert json.loads(entry.body)["summary"] == [line("seat", 1, 1, 1)]
        clock.now += MINUTE
        entry = view.get("yanshan")
        assert entry is not None
        assert json.loads(entry.body)["summary"] == [line("seat", 1, 0, 1)]
        publish(mosquitto, "yz-sys/box", b'{"state":"online"}')
        until(lambda: feed.troubles == [])
    finally:
        feed.end()
        feed.join(60)
    assert not feed.is_alive()


def test_a_report_of_a_gateway_is_believed_in_known_words_only() -> None:
    said = [
        (b"yz-sys/box", b'{"state":"online","more":"x"}', 1),
        (b"yz-sys/box-2", b'{"state":"<img src=x>"}', 1),
        (b"yz-sys/" + b"x" * 300, b'{"state":"offline"}', 1),
        (b"yz-sys/a<b", b'{"state":"offline"}', 1),
    ]
    assert gateways(said) == {"box": "online"}


def test_an_emptied_or_foreign_topic_is_no_document() -> None:
    frames = [(b"yz-live/a", b"", 1), (b"yz-sys/b", b"{}", 1), (b"yz-live/\xff", b"{}", 0)]
    assert [station for station, _ in documents(frames)] == ["\ufffd"]


@pytest.mark.parametrize("payload", [b" ", b"\xff", b"[]", b'{"state":3}', b"[" * 100_000, b'{"state":"\xff"}'])
def test_a_report_that_cannot_be_read_says_nothing(payload: bytes) -> None:
    assert gateways([(b"yz-sys/box", payload, 1)]) == {}


def test_what_no_gateway_of_ours_made_is_refused_counted_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    view = LiveView(settings_in(tmp_path).stations, Clock())
    feed = LiveFeed(Broker("127.0.0.1", 1), "test-api", view, CommandKey(tmp_path / "command.key"), hours)
    good = document("yanshan", [], [], NOON).body
    frames = [(b"yz-live/yanshan", body, 1) for body in (b'{"station":"yanshan"}', b"\xff", good)]
    feed.session.close()
    assert [taken.body for taken in feed._documents(frames)] == [good]
    assert feed.refused == 2
    assert caplog.text.count("station yanshan is refused") == 1


def test_whether_its_gateway_is_there_is_not_for_a_document_to_say(tmp_path: Path) -> None:
    good = document("yanshan", [], [], NOON)
    taken = received("yanshan", good.body[:-1] + b',"watched":false}', NOON, defaultdict(lambda: 60 * MINUTE))
    assert (taken.shown, taken.body) == (good.shown, good.body)


def test_a_document_that_we_ourselves_fail_over_costs_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    view, mishaps = LiveView(settings_in(tmp_path).stations, Clock()), Mishaps()
    feed = LiveFeed(Broker("127.0.0.1", 1), "test-api", view, CommandKey(tmp_path / "command.key"), hours, mishaps)
    good = document("yanshan", [], [], NOON).body
    real = received

    def breaks(station: str, payload: bytes, now: int, longest: Longest) -> Document:
        if payload == b"{}":
            raise KeyError("a fault of ours")
        return real(station, payload, now, longest)

    monkeypatch.setattr(live_feed, "received", breaks)
    feed.session.close()
    assert [taken.body for taken in feed._documents([(b"yz-live/yanshan", body, 1) for body in (b"{}", good)])] == [
        good
    ]
    assert mishaps.take() == [("yanshan", "KeyError")]


def test_gateways_that_report_are_so_many_and_a_report_taken_away_ends_one(tmp_path: Path) -> None:
    view = LiveView(settings_in(tmp_path).stations, Clock())
    made_key(tmp_path / "command.key")
    feed = LiveFeed(Broker("127.0.0.1", 1), "test-api", view, CommandKey(tmp_path / "command.key"), hours)
    feed.session.close()
    forged = [(b"yz-sys/g%d" % n, b'{"state":"offline"}', 1) for n in range(20_000)]
    feed._hear_of(gateways(forged))
    assert len(feed._gateways) == GATEWAYS_MOST
    told = feed.troubles
    assert len(told) < 30
    assert "more gateways are down" in told[-2]
    assert "others may write there" in told[-1]
    feed._hear_of(gateways([(topic, b"", 1) for topic, _, _ in forged]))
    assert feed._gateways == {}


def test_a_station_that_is_not_configured_costs_no_reading(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    view, key = LiveView(settings.stations, Clock()), CommandKey(tmp_path / "command.key")
    feed = LiveFeed(Broker("127.0.0.1", 1), "test-api", view, key, LongestOf(settings))
    feed.session.close()
    assert feed._documents([(b"yz-live/elsewhere", b"{", 1)]) == []
    assert feed.refused == 0


def test_how_long_a_value_may_hold_is_its_ttl(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    longest = LongestOf(settings)
    assert longest("yanshan") == {"seat-01": 180_000, "seat-02": 180_000, "pile-01": 180_000}
    assert longest("nowhere") == {}
    assert longest("elsewhere") is None


def test_what_people_check_holds_as_long_as_the_check_may() -> None:
    seat = {"id": "seat-01", "kind": "seat", "ttl": 60}
    checks = [{"id": "tidy", "of": ["seat-01"], "every": "day"}]
    station = {"id": "yanshan", "areas": [{"id": "hall", "resources": [seat]}], "checks": checks}
    longest = LongestOf(Settings.model_validate({"stations": [station]}))
    assert longest("yanshan") == {"seat-01": 36 * 3_600_000 * 7}
