"""History out of the copy: the intervals that the journal has, by Flux."""

from typing import Any

import msgspec
import pytest

from config.schema import Settings
from gateway.influx.lines import FIELDS, Lines
from gateway.influx.reader import InfluxReader, query
from gateway.model import Message
from gateway.runtime.importer import Importer
from gateway.store.base import StoreError
from gateway.store.reader import SqliteReader
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.influx_server import influx_server
from tests.gateway.store.world import HOUR, NOON

MINUTE = 60_000
SAID: dict[str, tuple[str, str | None, list[dict[str, Any]]]] = {
    "seat-01": ("seat", None, [{"occupied": True}, {"occupied": False, "battery_pct": 71.5}, {"occupied": True}]),
    "pile-01": ("charger", "ev", [{"status": "Charging", "power_w": 6600.5}, {"status": "Faulted"}, {"status": "Odd"}]),
    "room-01": ("room", None, [{"people": 3}, {"people": 0}, {"people": 1, "fault": "E7"}]),
    "kettle": ("appliance", "water", [{"status": "idle"}, {"status": "running"}, {"status": "fault"}]),
    "box": ("locker", None, [{"free": 0, "total": 4}, {"free": 2}, {"free": 4}]),
    "aed": ("safety", "aed", [{"ready": True, "expires": "2026-05-29"}, {"ready": False}, {"cabinet_open": True}]),
    "gate": ("door", None, [{"open": True}, {"open": False, "locked": True}, {"open": False, "fault": ""}]),
}


@pytest.fixture
def server():
    with influx_server() as influx:
        yield influx


@pytest.fixture
def settings(server, tmp_path):
    token = tmp_path / "token"
    token.write_text("secret")
    resources = [
        {"id": name, "kind": kind, **({"type": type_} if type_ else {})} for name, (kind, type_, _) in SAID.items()
    ]
    return Settings.model_validate(
        {
            "mqtt": {"url": "mqtt://127.0.0.1:9"},
            "store": {
                "path": tmp_path / "data",
                "influx": {"url": server.url, "org": "o", "bucket": "b", "token_file": token},
            },
            "stations": [{"id": "yanshan", "hours": "08:00-22:00", "areas": [{"id": "a", "resources": resources}]}],
        }
    )


@pytest.fixture
def readers(settings, server):
    """The journal's and the copy's, after the same messages."""
    store = SqliteStore(settings.store.path, NOON, ballast_mib=0)
    lines = Lines(resources_of(settings))
    messages = []
    for name, (_, _, said) in SAID.items():
        for step, signals in enumerate(said):
            at = NOON + step * 20 * MINUTE
            payload = msgspec.json.encode({"ts": at, "boot": "b", "seq": 700_000 + step, **signals})
            topic = f"yz/yanshan/{name}/state".encode()
            messages.append(Message(topic, payload, at))
            server.take(lines.of(topic, payload, at, 0))
    Importer(settings, store, NOON).run(sorted(messages, key=lambda message: message.received_at))
    store.close()
    journal = SqliteReader(settings.store.path)
    yield journal, InfluxReader(settings, settings.store.influx)
    journal.close()


def resources_of(settings):
    from gateway.core.plan import resource_of

    return [resource_of(settings, *place) for place in settings.resources()]


@pytest.mark.parametrize("resource", SAID)
def test_the_copy_tells_the_same_intervals_as_the_journal(readers, resource):
    journal, copy = readers
    end = NOON + 40 * MINUTE + 5
    first = NOON + MINUTE
    assert copy.history("yanshan", resource, first, end) == journal.history("yanshan", resource, first, end)
    assert len(copy.history("yanshan", resource, first, end)) > 1


def test_what_was_said_before_the_window_still_holds_in_it(readers):
    _, copy = readers
    window = NOON + HOUR + 30 * MINUTE, NOON + 3 * HOUR  # the last word came before; the station closes in it
    intervals = copy.history("yanshan", "seat-01", *window)
    assert [(interval.start, interval.axes.access, interval.axes.evidence) for interval in intervals][:1] == [
        (window[0], "open", "stale")
    ]
    assert intervals[-1].axes.access == "closed"
    assert copy.history("yanshan", "seat-01", NOON - HOUR, NOON) == []
    assert copy.history("yanshan", "nobody", *window) == []


def test_readings_come_in_order_with_what_was_said(readers):
    _, copy = readers
    readings = list(copy.readings(NOON, NOON + 20 * MINUTE, "yanshan"))
    assert {reading.device: msgspec.json.decode(reading.payload) for reading in readings} == {
        name: {"ts": NOON, **said[0]} for name, (_, _, said) in SAID.items()
    }


def test_the_question_is_plain_flux(readers, server):
    _, copy = readers
    copy.history("yanshan", "seat-01", NOON + 24 * HOUR, NOON + 25 * HOUR)
    assert server.queries[-1] == (
        'from(bucket: "b")\n'
        "  |> range(start: 2026-05-29T12:00:00.000Z, stop: 2026-05-30T13:00:00.000Z)\n"
        f"  |> filter(fn: (r) => r._measurement =~ /^({'|'.join(FIELDS)})$/"
        ' and r.station == "yanshan" and r.resource == "seat-01")\n'
        '  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")\n'
        "  |> group()\n"
        '  |> sort(columns: ["_time"])'
    )


def test_no_name_breaks_out_of_the_question():
    assert r'r.station == "a\"b\\c\${d}"' in query("b", 0, 1, 'a"b\\c${d}', None)


def test_a_copy_that_is_away_is_told(settings, server):
    server.stop()
    reader = InfluxReader(settings, settings.store.influx)
    with pytest.raises(StoreError, match=r"check store\.influx\.url"):
        reader.history("yanshan", "seat-01", NOON, NOON + HOUR)
