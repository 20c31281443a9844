"""No feed says more than the documents do: over generated documents, all feeds at once."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.feeds import feeds
from api.feeds.base import FeedRequest, FeedStation
from api.feeds.shared.compared import contradictions, ocpi_contradictions
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
RESOURCES = st.builds(
    lambda number, kind, use, evidence, health, access, until: (
        resource(f"r{number}", kind[0], use=use, evidence=evidence, health=health, access=access, until=until)
        | {"type": kind[1]}
    ),
    st.integers(0, 9_999),
    st.sampled_from(KINDS),
    st.sampled_from(("free", "away", "occupied", "reserved", "blocked", "unknown")),
    st.sampled_from(("live", "stale", "offline", "never", "suspect")),
    st.sampled_from(("ok", "degraded", "fault", "maintenance")),
    st.sampled_from(("open", "closed", "staff_only", "unknown")),
    st.integers(NOON - 60_000, NOON + 60_000),
)
OPEN = st.fixed_dictionaries(
    {
        "now": st.sampled_from(("yes", "no", "unknown")),
        "until": st.sampled_from((None, rfc3339(NOON + 30_000), rfc3339(NOON - 30_000))),
        "proof": st.sampled_from(("proved", "unproved", "contradicted")),
    }
)


def station_shown(resources: list[dict[str, Any]], open_now: dict[str, Any]) -> StationDocument:
    made = document("yanshan", resources, [], NOON, open=open_now).shown
    words = {name: getattr(made, name) for name in made.__struct_fields__}
    return withdrawn(StationDocument(**words | {"summary": summed(made.resources())}), NOON)


HOURS = Openings(SETTINGS)


def said_of(shown: StationDocument) -> dict[str, bytes]:
    """The answer of every feed, by its path."""
    asked = FeedRequest({"station": "yanshan", "area": "a"}, "https://x", NOON, HOURS, None)
    station = FeedStation(SETTINGS.stations[0], shown, "Asia/Shanghai", NOON)
    return {feed.path: feed.render([station], asked) for feed in feeds()}


def points_of(shown: StationDocument) -> list[dict[str, Any]]:
    opening = HOURS(SETTINGS.stations[0], None)
    of = ChargingStation(SETTINGS.stations[0], shown, "Asia/Shanghai", opening, lambda _key, _facts: NOON)
    assert SETTINGS.ocpi is not None
    found = location(of, SETTINGS.ocpi, NOON)
    return [] if found is None else [found]


def contradicting(resources: list[dict[str, Any]], open_now: dict[str, Any]) -> list[object]:
    """What our own nightly reader finds wrong in any feed."""
    shown = station_shown(resources, open_now)
    documents, said = {"yanshan": shown}, said_of(shown)
    found: list[object] = [each for path, body in said.items() for each in contradictions(path, body, documents, NOON)]
    return [*found, *ocpi_contradictions(points_of(shown), documents)]


@settings(max_examples=300, deadline=None)
@given(st.lists(RESOURCES, max_size=6, unique_by=lambda each: each["id"]), OPEN)
def test_our_own_reader_finds_no_contradiction(resources: list[dict[str, Any]], open_now: dict[str, Any]) -> None:
    assert contradicting(resources, open_now) == []


@pytest.mark.soak
@settings(max_examples=100_000, deadline=None, derandomize=False)
@given(st.lists(RESOURCES, max_size=6, unique_by=lambda each: each["id"]), OPEN)
def test_no_feed_contradicts_any_of_a_hundred_thousand_states(
    resources: list[dict[str, Any]], open_now: dict[str, Any]
) -> None:
    assert contradicting(resources, open_now) == []


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
    certain = sum(1 for each in shown.resources() if each.usable == "yes")
    assert sum(least for least, _ in counts.values()) == certain
    row = json.loads(said["stations.geojson"])["features"][0]["properties"]
    told = {tuple(line["facility"].split(":")): (line["usable_min"], line["usable_max"]) for line in row["counts"]}
    assert told == {(kind,) if sort is None else (kind, sort): count for (kind, sort), count in counts.items()}
    assert row["open"] == shown.open.now
    assert (row["aed"] == "ready") == any(each.usable == "yes" and each.type == "aed" for each in shown.resources())
    (line,) = csv.DictReader(io.StringIO(said["stations.csv"].decode("utf-8-sig")))
    assert (line["open"], line["aed"]) == (row["open"], row["aed"])
    assert line["counts"] == ";".join(
        "{facility}={usable_min}..{usable_max}/{total}".format(**each) for each in row["counts"]
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
