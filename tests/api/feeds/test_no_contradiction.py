"""No feed says more than the documents do: over generated documents, all feeds at once."""

import csv
import io
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.json import encode

from api.feeds import feeds
from api.feeds.base import Feed, FeedRequest, FeedStation
from api.feeds.shared.compared import Contradiction, contradictions, ocpi_contradictions
from api.ocpi.locations import ChargingStation, location
from config.schema import Settings
from gateway.base.times import from_rfc3339, rfc3339
from gateway.live.station_document import StationDocument, summed, withdrawn
from gateway.policy.hours.configured import Openings
from tests.api.conftest import NOON
from tests.api.documents import document, resource

SETTINGS = Settings.model_validate(
    {
        "ocpi": {"country_code": "CN", "party_id": "YZN"},
        "stations": [
            {"id": "yanshan", "hours": "24/7", "location": {"lat": 22.765, "lon": 112.964}, "areas": [{"id": "a"}]}
        ],
    }
)
KINDS = (("seat", None), ("charger", "ebike"), ("charger", "ev"), ("safety", "aed"), ("room", None))
AXES: dict[str, tuple[str, ...]] = {
    "use": ("free", "away", "occupied", "reserved", "blocked", "unknown"),
    "evidence": ("live", "stale", "offline", "never", "suspect"),
    "health": ("ok", "degraded", "fault", "maintenance"),
    "access": ("open", "closed", "staff_only", "unknown"),
}
DOORS: dict[str, tuple[str | None, ...]] = {
    "now": ("yes", "no", "unknown"),
    "until": (None, rfc3339(NOON + 30_000), rfc3339(NOON - 30_000)),
    "proof": ("proved", "unproved", "contradicted"),
}
RESOURCES = st.builds(
    lambda number, kind, use, evidence, health, access, until: (
        resource(f"r{number}", kind[0], use=use, evidence=evidence, health=health, access=access, until=until)
        | {"type": kind[1]}
    ),
    st.integers(0, 9_999),
    st.sampled_from(KINDS),
    *(st.sampled_from(words) for words in AXES.values()),
    st.integers(NOON - 60_000, NOON + 60_000),
)
OPEN = st.fixed_dictionaries({name: st.sampled_from(words) for name, words in DOORS.items()})


def station_shown(resources: list[dict[str, Any]], open_now: dict[str, Any]) -> StationDocument:
    made = document("yanshan", resources, [], NOON, open=open_now).shown
    words = {name: getattr(made, name) for name in made.__struct_fields__}
    return withdrawn(StationDocument(**words | {"summary": summed(made.resources())}), NOON)


HOURS = Openings(SETTINGS)


CALENDARS: dict[tuple[str, bytes], tuple[bytes, list[Contradiction]]] = {}
"""By path and doors, what it says and what our reader finds wrong in it: they know of nothing else (held below)."""


def said_of(shown: StationDocument) -> dict[str, bytes]:
    """The answer of every feed, by its path."""
    return {feed.path: said_and_read(feed, shown)[0] for feed in feeds()}


def said_and_read(feed: Feed, shown: StationDocument) -> tuple[bytes, list[Contradiction]]:
    """What the feed says, and what our nightly reader finds wrong in it. A calendar of the same doors is made once."""
    if not feed.path.endswith(".ics"):
        return written_and_read(feed, shown)
    key = (feed.path, encode(shown.open))
    if key not in CALENDARS:
        CALENDARS[key] = written_and_read(feed, shown)
    return CALENDARS[key]


def written_and_read(feed: Feed, shown: StationDocument) -> tuple[bytes, list[Contradiction]]:
    body = rendered(feed, shown)
    return body, contradictions(feed.path, body, {"yanshan": shown}, NOON)


def rendered(feed: Feed, shown: StationDocument) -> bytes:
    asked = FeedRequest({"station": "yanshan", "area": "a"}, "https://x", NOON, HOURS, None)
    return feed.render([FeedStation(SETTINGS.stations[0], shown, "Asia/Shanghai", NOON)], asked)


def points_of(shown: StationDocument) -> list[dict[str, Any]]:
    opening = HOURS(SETTINGS.stations[0], None)
    of = ChargingStation(SETTINGS.stations[0], shown, "Asia/Shanghai", opening, lambda _key, _facts: NOON)
    assert SETTINGS.ocpi is not None
    charging = location(of, SETTINGS.ocpi, NOON)
    return [] if charging is None else [charging]


def contradicting(resources: list[dict[str, Any]], open_now: dict[str, Any]) -> list[object]:
    """What our own nightly reader finds wrong in any feed."""
    shown = station_shown(resources, open_now)
    contradicted: list[object] = [contradiction for feed in feeds() for contradiction in said_and_read(feed, shown)[1]]
    return [*contradicted, *ocpi_contradictions(points_of(shown), {"yanshan": shown})]


def test_a_calendar_knows_of_the_doors_and_of_no_resource() -> None:
    chance = random.Random(20)
    for _ in range(12):
        resources, open_now = drawn(chance)
        full, bare = station_shown(resources, open_now), station_shown([], open_now)
        for feed in feeds():
            if feed.path.endswith(".ics"):
                assert written_and_read(feed, full) == written_and_read(feed, bare), (feed.path, resources, open_now)


@settings(max_examples=300, deadline=None)
@given(st.lists(RESOURCES, max_size=6, unique_by=lambda place: place["id"]), OPEN)
def test_our_own_reader_finds_no_contradiction(resources: list[dict[str, Any]], open_now: dict[str, Any]) -> None:
    assert contradicting(resources, open_now) == []


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_no_feed_contradicts_any_of_a_hundred_thousand_states() -> None:
    chance = random.Random(20)
    for number in range(100_000):
        resources, open_now = drawn(chance)
        assert contradicting(resources, open_now) == [], (number, resources, open_now)


def drawn(chance: random.Random) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """One state, as RESOURCES and OPEN have them."""
    resources = []
    for number in range(chance.randrange(7)):
        kind, sort = chance.choice(KINDS)
        axes = {name: chance.choice(words) for name, words in AXES.items()}
        until = NOON + chance.randint(-60_000, 60_000)
        resources.append(resource(f"r{number}", kind, until=until, **axes) | {"type": sort})
    return resources, {name: chance.choice(words) for name, words in DOORS.items()}


def test_our_own_reader_sees_what_is_wrong() -> None:
    """Each answer, held against a document that says otherwise."""
    ready = resource("aed", "safety", until=NOON + 60_000) | {"type": "aed"}
    pile = resource("pile", "charger", until=NOON + 60_000) | {"type": "ev"}
    open_now = {"now": "yes", "until": None, "proof": "proved"}
    said, points = said_of(station_shown([ready, pile], open_now)), points_of(station_shown([ready, pile], open_now))
    shut = {"yanshan": station_shown([ready | {"use": "occupied"}], {"now": "no", "until": None, "proof": "unproved"})}
    for path, body in said.items():
        assert contradictions(path, body, shut, NOON), path
        assert contradictions(path, b"\xff{]", shut, NOON), "what can't be read"
    assert ocpi_contradictions(points, shut) == [("yanshan", "pile is AVAILABLE")]
    assert contradictions("stations.geojson", b'{"features": []}', shut, NOON) == [("yanshan", "is not in it")]


@settings(max_examples=300, deadline=None)
@given(st.lists(RESOURCES, max_size=6), OPEN)
def test_all_feeds_say_what_the_document_says(resources: list[dict[str, Any]], open_now: dict[str, Any]) -> None:
    shown = station_shown(resources, open_now)
    said = said_of(shown)

    counts = {(row.kind, row.type): (row.usable_min, row.usable_max) for row in shown.summary}
    certain = sum(1 for place in shown.resources() if place.usable == "yes")
    assert sum(least for least, _ in counts.values()) == certain
    row = json.loads(said["stations.geojson"])["features"][0]["properties"]
    told = {tuple(line["facility"].split(":")): (line["usable_min"], line["usable_max"]) for line in row["counts"]}
    assert told == {(kind,) if sort is None else (kind, sort): count for (kind, sort), count in counts.items()}
    assert row["open"] == shown.open.now
    assert (row["aed"] == "ready") == any(place.usable == "yes" and place.type == "aed" for place in shown.resources())
    (line,) = csv.DictReader(io.StringIO(said["stations.csv"].decode("utf-8-sig")))
    assert (line["open"], line["aed"]) == (row["open"], row["aed"])
    assert line["counts"] == ";".join(
        "{facility}={usable_min}..{usable_max}/{total}".format(**row_count) for row_count in row["counts"]
    )
    state = json.loads(said["spaceapi/{station}.json"])["state"]
    assert state.get("open") in (None, shown.open.now == "yes")
    assert ("open" in state) == (shown.open.now != "unknown" and shown.open.proof != "contradicted")
    if shown.open.now != "yes":
        begins = [text for text in said["{station}.ics"].decode().splitlines() if text.startswith("STATUS:CONFIRMED")]
        assert len(begins) == 13 + (shown.open.now == "no" and shown.open.until is not None and opens_today(shown))


def opens_today(shown: StationDocument) -> bool:
    assert shown.open.until is not None
    return from_rfc3339(shown.open.until) < NOON + 4 * 3_600_000  # local midnight
