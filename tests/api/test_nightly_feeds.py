"""Our own reader of our feeds: quiet where all is well, and heard as a fault of ours where one says another thing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.derived import Derived
from api.feeds import feeds, stations_csv
from api.feeds.shared.configured import Configured
from api.nightly_feeds import FeedContradictionError, NightlyFeeds, wait_ms
from api.ocpi.sender import Locations
from gateway.base.local_time import HOUR_MS
from gateway.base.mishaps import Mishaps
from tests.api.conftest import MINUTE, NOON, House, serving
from tests.api.documents import document, line, resource


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    yield from serving(tmp_path)


def reader(house: House, mishaps: Mishaps) -> NightlyFeeds:
    context = house.app.context
    return NightlyFeeds(
        context, house.app._front._app, Locations(Derived(context.running.settings, Configured)), mishaps
    )


def show(house: House) -> None:
    seat = resource("seat-01", until=NOON + 5 * MINUTE)
    house.view.put(document("yanshan", [seat], [line("seat", 1, 1, 1)], NOON))


def test_every_feed_is_read_and_none_contradicts(house: House) -> None:
    show(house)
    mishaps = Mishaps()
    night = reader(house, mishaps)
    paths = [path for path, _ in night._paths()]
    assert {"stations.csv", "stations.geojson", "spaceapi/yanshan.json", "yanshan.ics", "yanshan/lounge.ics"} <= set(
        paths
    )
    assert len(paths) == 2 + 2 * 3 + 3, "every station and area, by every feed"
    assert asyncio.run(night.read_all()) == 0
    assert mishaps.count == 0


def test_a_feed_that_says_another_thing_is_a_fault_of_ours(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    show(house)
    mishaps = Mishaps()
    monkeypatch.setattr(stations_csv, "_counts", lambda _row: "seat=8..8/8")
    assert asyncio.run(reader(house, mishaps).read_all()) == 3, "of each station's row"
    assert mishaps.take()[0] == ("yanshan", FeedContradictionError.__name__)
    assert "the feed stations.csv contradicts the document" in caplog.text


def test_it_reads_at_three_of_the_house(house: House) -> None:
    """Noon of UTC is eight in the evening in Shanghai."""
    assert wait_ms(house.app.context) == 7 * HOUR_MS
    house.clock.now = NOON + 6 * HOUR_MS + 30 * MINUTE
    assert wait_ms(house.app.context) == 30 * MINUTE
    house.clock.now = NOON + 7 * HOUR_MS
    assert wait_ms(house.app.context) == 24 * HOUR_MS
    assert len(feeds()) == 5
