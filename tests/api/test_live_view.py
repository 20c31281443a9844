"""The live view: two feeders, one face, its own clock."""

import asyncio
import json
import threading

from api.conditional import etag_of
from api.live_view import FEEDER_FIRST_MS, MARKED_AT_ONCE, Entry, LiveView
from gateway.base.clock import now_ms
from tests.api.conftest import MINUTE, NOON, Clock, settings_in
from tests.api.documents import document, line, resource
from tests.patience import PATIENCE_S


def view_at(tmp_path, clock) -> LiveView:
    return LiveView(settings_in(tmp_path).stations, clock)


def one_seat(until: int, now: int, use: str = "free"):
    return document("yanshan", [resource("seat-01", use=use, until=until)], [line("seat", 1, 1, 1)], now)


def shown(view: LiveView) -> str:
    entry = view.get("yanshan")
    assert entry is not None
    return str(json.loads(entry.body)["areas"][0]["resources"][0]["usable"])


def test_before_anyone_spoke_every_resource_is_there_and_unknown(tmp_path) -> None:
    entry = view_at(tmp_path, Clock()).get("yanshan")
    assert entry is not None
    body = json.loads(entry.body)
    assert [row["id"] for area in body["areas"] for row in area["resources"]] == ["seat-01", "seat-02", "pile-01"]
    assert {row["evidence"] for area in body["areas"] for row in area["resources"]} == {"never"}
    assert body["summary"] == [line("seat", 2, 0, 2), line("charger", 1, 0, 1, "ebike")]


def test_a_document_is_served_byte_for_byte(tmp_path) -> None:
    view = view_at(tmp_path, Clock())
    made = one_seat(NOON + MINUTE, NOON)
    view.put(made)
    entry = view.get("yanshan")
    assert entry is not None
    assert entry.body == made.body


def test_the_same_document_again_is_no_change(tmp_path) -> None:
    view = view_at(tmp_path, Clock())
    heard: list[Entry] = []
    view.listeners.append(heard.append)
    for _ in range(3):
        view.put(one_seat(NOON + MINUTE, NOON))
    assert len(heard) == 1


def test_with_a_dead_feeder_the_next_reader_gets_no_live_value_past_its_end(tmp_path) -> None:
    clock = Clock()
    view = view_at(tmp_path, clock)
    view.put(one_seat(NOON + MINUTE, NOON))
    clock.now += MINUTE - 1
    assert shown(view) == "yes"
    clock.now += 1
    assert shown(view) == "unknown"


def test_a_retained_document_from_long_ago_never_shows_as_live(tmp_path) -> None:
    view = view_at(tmp_path, Clock())
    view.put(one_seat(NOON - MINUTE, NOON - 2 * MINUTE))
    assert shown(view) == "unknown"


def test_a_stranger_changes_nothing(tmp_path) -> None:
    view = view_at(tmp_path, Clock())
    view.put(document("elsewhere", [], [], NOON))
    assert view.get("elsewhere") is None


def test_who_asks_changes_nothing_and_all_who_ask_get_the_same(tmp_path) -> None:
    clock = Clock()
    view = view_at(tmp_path, clock)
    view.put(one_seat(NOON + MINUTE, NOON))
    heard: list[Entry] = []
    view.listeners.append(heard.append)
    clock.now += MINUTE
    first, version = view.get("yanshan"), view.version
    clock.now += 1
    assert view.get("yanshan") is first
    assert (heard, view.version) == ([], version)
    clock.now -= 2  # the clock is set back: it holds again
    assert shown(view) == "yes"


def test_the_newer_document_counts_whatever_was_withdrawn(tmp_path) -> None:
    clock = Clock()
    view = view_at(tmp_path, clock)
    view.put(one_seat(NOON + MINUTE, NOON))
    clock.now += MINUTE
    assert shown(view) == "unknown"
    view.put(one_seat(NOON + 2 * MINUTE, NOON + MINUTE))
    assert shown(view) == "yes"
    clock.now += MINUTE
    assert shown(view) == "unknown"


def test_near_its_end_a_document_is_not_to_be_cached(tmp_path) -> None:
    view = view_at(tmp_path, Clock())
    view.put(one_seat(NOON + MINUTE, NOON))
    entry = view.get("yanshan")
    assert entry is not None
    assert (b"cache-control", b"public, max-age=5") in entry.headers_at(NOON)
    assert (b"cache-control", b"public, max-age=0") in entry.headers_at(NOON + MINUTE - 4_000)


def test_listeners_hear_of_the_end_when_the_feeder_is_silent(tmp_path) -> None:
    async def run() -> list[Entry]:
        view, both = view_at(tmp_path, now_ms), asyncio.Event()
        heard: list[Entry] = []

        def hear(entry: Entry) -> None:
            heard.append(entry)
            if len(heard) == 2:
                both.set()

        view.listeners.append(hear)
        view.attach(asyncio.get_running_loop())
        view.put(one_seat(now_ms() + 500, now_ms()))
        await asyncio.wait_for(both.wait(), PATIENCE_S)
        view.detach()
        return heard

    heard = asyncio.run(run())
    assert [json.loads(entry.body)["summary"][0]["usable_min"] for entry in heard] == [1, 0]


def test_a_renewed_document_ends_at_its_new_end_only(tmp_path) -> None:
    async def run() -> int:
        view = view_at(tmp_path, now_ms)
        heard: list[Entry] = []
        view.listeners.append(heard.append)
        view.attach(asyncio.get_running_loop())
        view.put(one_seat(now_ms() + 50, now_ms()))
        view.put(one_seat(now_ms() + 60_000, now_ms()))
        await asyncio.sleep((50 + FEEDER_FIRST_MS) / 1000 + 0.1)
        view.detach()
        return len(heard)

    assert asyncio.run(run()) == 2


def test_what_another_thread_feeds_before_the_loop_runs_is_not_lost(tmp_path) -> None:
    clock = Clock()
    view = view_at(tmp_path, clock)
    feeder = threading.Thread(target=view.feed_threadsafe, args=([one_seat(NOON + MINUTE, NOON)],))
    feeder.start()
    feeder.join()

    async def run() -> str:
        view.attach(asyncio.get_running_loop())
        answer = shown(view)
        view.feed_threadsafe([one_seat(NOON + MINUTE, NOON, use="occupied")])
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        view.detach()
        return answer + " then " + shown(view)

    assert asyncio.run(run()) == "yes then no"


def unwatched(view: LiveView, station: str = "yanshan") -> bool:
    entry = view.get(station)
    assert entry is not None
    assert entry.etag == etag_of(entry.body).encode()
    assert dict(entry.headers)[b"content-length"] == b"%d" % len(entry.body)
    told = json.loads(entry.body)
    assert told.get("watched") in (None, False)
    return "watched" in told


def tell_unwatched(view: LiveView, *stations: str) -> None:
    view.unwatched_threadsafe(frozenset(stations))
    view._take()


def test_a_station_whose_gateway_is_away_says_so_until_it_is_back(tmp_path) -> None:
    clock = Clock()
    view = view_at(tmp_path, clock)
    heard: list[Entry] = []
    view.listeners.append(heard.append)
    made = one_seat(NOON + MINUTE, NOON)
    view.put(made)
    tell_unwatched(view, "yanshan", "not-configured")
    assert unwatched(view)
    assert [b'"watched":false' in entry.body for entry in heard] == [False, True], "who listens hears of it"
    assert heard[1].version > heard[0].version
    assert shown(view) == "yes", "what is known holds until its own end"
    clock.now += MINUTE
    assert shown(view) == "unknown"
    assert unwatched(view)
    clock.now = NOON
    tell_unwatched(view)
    entry = view.get("yanshan")
    assert entry is not None
    assert entry.body == made.body, "to the byte"


def test_what_comes_of_a_station_whose_gateway_is_away_does_not_hide_that_it_is(tmp_path) -> None:
    view = view_at(tmp_path, Clock())
    tell_unwatched(view, "yanshan")
    view.put(one_seat(NOON + MINUTE, NOON))
    assert unwatched(view)
    assert shown(view) == "yes"


def test_many_stations_are_marked_in_turns_of_the_loop(tmp_path) -> None:
    station = settings_in(tmp_path).stations[0]
    stations = [station.model_copy(update={"id": f"s{number}"}) for number in range(2 * MARKED_AT_ONCE + 1)]
    names = frozenset(station.id for station in stations)
    view = LiveView(stations, Clock())

    async def marked() -> list[int]:
        view.attach(asyncio.get_running_loop())
        view.unwatched_threadsafe(names)
        counts = []
        for _ in range(4):
            await asyncio.sleep(0)
            counts.append(sum(unwatched(view, name) for name in names))
        view.detach()
        return counts

    counts = asyncio.run(marked())
    assert counts[0] <= MARKED_AT_ONCE
    assert counts[-1] == len(names)
