"""What the past of a station teaches, over HTTP and on paper: from a journal that was really written."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.lessons import Lessons
from api.pages.report.lessons import edge_words, full_rows
from api.pages.report.texts import LANGUAGES
from api.pages.report.words import Words
from gateway.base.local_time import DAY_MS, HOUR_MS
from gateway.history.saturation import WEEK_MS, Edges, Saturation
from gateway.history.utilization import Minutes
from gateway.model import Batch, Change, Resource, axes_of
from gateway.store.sqlite import SqliteStore
from tests.api.conftest import NOON, House, serving
from tests.api.documents import document, resource

MIDNIGHT = NOON - 20 * HOUR_MS  # of the station, and of this day
URL = "/api/v1/stations/yanshan/lessons"
NEVER = axes_of("active", "ok", "open", "unknown", "never")
FREE = axes_of("active", "ok", "open", "free", "live")
TAKEN = axes_of("active", "ok", "open", "occupied", "live")
SHUT = axes_of("active", "ok", "closed", "free", "live")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Yesterday both seats were shut until eight and from twenty on; both were taken from eight to nine."""
    begin = MIDNIGHT - DAY_MS
    store = SqliteStore(tmp_path, begin, ballast_mib=0)
    for name in ("seat-01", "seat-02"):
        seat = Resource("yanshan", "lounge", name, "seat", name)
        course = [(0, NEVER, SHUT), (8, SHUT, TAKEN), (9, TAKEN, FREE), (20, FREE, SHUT)]
        for hour, before, after in course:
            at = begin + hour * HOUR_MS
            store.commit(Batch(), [Change(seat, at, before, after, "state")], [], at)
    store.close()
    yield from serving(tmp_path)


def test_when_nothing_was_free_and_what_the_edges_saw(house: House) -> None:
    key = house.app.context.keyring.create("v", "viewer", NOON, stations=["yanshan"])
    told = house.get(f"{URL}?weeks=1", headers={"authorization": f"Bearer {key}"}).json()
    assert (told["to"], told["weeks"]) == ("2026-11-20T16:00:00Z", 1)
    seat, pile = told["kinds"]
    assert (seat["kind"], seat["total"], seat["full_minutes"], seat["known_minutes"]) == ("seat", 2, 60, 720)
    assert seat["full_minutes_per_week"] == round(60 / 720 * (720 + 6 * 1440), 1), "six days are not known"
    assert (pile["kind"], pile["type"], pile["full_minutes_per_week"], pile["coverage"]) == (
        "charger",
        "ebike",
        None,
        0,
    )
    assert told["opening"]["openings"] == 0, "a pile that nobody ever heard may have been open all night"


def test_what_is_usual_at_this_hour_stands_beside_what_is_so_now(house: House) -> None:
    key = house.app.context.keyring.create("v", "viewer", NOON, stations=["yanshan"])
    free, taken = resource("seat-01", until=NOON + HOUR_MS), resource("seat-02", use="occupied", until=NOON + HOUR_MS)
    house.view.put(document("yanshan", [free, taken, resource("pile-01", "charger", evidence="never")], [], NOON))
    told = house.get(f"{URL}?weeks=1", headers={"authorization": f"Bearer {key}"}).json()["usual"]
    assert told == {
        "hour_of_week": 5 * 24 + 20, "utilization": None, "coverage": None, "weeks": 1, "of_weeks": 6, "now": 0.5,
    }, "of one week nothing is usual yet"  # fmt: skip


def test_only_staff_of_the_station_learn_it(house: House) -> None:
    key = house.app.context.keyring.create("v", "viewer", NOON, stations=["shaping"])
    assert house.get(URL).status_code == 401
    assert house.get(URL, headers={"authorization": f"Bearer {key}"}).status_code == 404


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_paper_says_it_in_every_language(lang: str) -> None:
    first, last = Minutes(occupied=HOUR_MS, free=3 * HOUR_MS), Minutes(free=4 * HOUR_MS, unknown=HOUR_MS)
    kinds = {
        ("seat", None): (8, Saturation(HOUR_MS, 10 * HOUR_MS, 0, 0.5)),
        ("charger", "ebike"): (2, Saturation(5 * HOUR_MS, 10 * HOUR_MS, 10 * HOUR_MS, 1.0)),
        ("room", None): (1, Saturation()),
    }
    told, say = Lessons(0, WEEK_MS, kinds, Edges(5, first, last)), Words(lang)
    rows = full_rows(told, say)
    assert [row[1:] for row in rows] == [
        ("2", "5,040", "5.0", "50%"), ("8", "504", "1.0", "100%"), ("1", say("unknown"), "0.0", say("none")),
    ]  # fmt: skip
    words = edge_words(told, say)
    assert ("25%" in words, "80%" in words, "0%" in words, "{" in words) == (True, True, True, False)
    assert edge_words(Lessons(0, WEEK_MS, kinds, Edges()), say) == ""
