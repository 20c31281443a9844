"""What proves that a station is open over commits, restarts and stops, as the store has it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.model import OpeningChange
from gateway.runtime.memory import Memory
from gateway.runtime.restoring import restore
from gateway.store.jobs import ForgetOpenings, KeepOpenings
from gateway.store.openings import openings
from gateway.store.sqlite import SqliteStore
from tests.gateway.live.house import HOUR, MINUTE, START, House

SEAT = {"id": "seat-01", "kind": "seat", "ttl": 86_400}
DOOR = {"id": "door-main", "kind": "door", "ttl": 86_400}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with contextlib.closing(SqliteStore(tmp_path / "data", START, ballast_mib=0)) as made:
        yield made


class Kept(House):
    """A house whose outcomes are stored as the writer does."""

    store: SqliteStore
    number = 0

    def _take(self) -> None:
        outcome = self.pipeline.take()
        self.number = self.store.commit(outcome.batch, outcome.changes, outcome.rejected, self.now)
        if outcome.openings:
            self.store.write([KeepOpenings(outcome.openings)])

    def keep(self) -> None:
        memory = Memory(self.live)
        self.store.checkpoint_all(
            [(part, memory.dump(part, self.now)) for part in range(len(memory.parts))], self.number
        )


def house(store: SqliteStore, now: int = START, hours: str = "24/7") -> Kept:
    made = Kept([SEAT, DOOR], now=now, hours=hours)
    made.store = store
    return made


def again(store: SqliteStore, now: int, hours: str = "24/7") -> Kept:
    kept = house(store, now, hours)
    restore(kept.pipeline, store, now)
    kept._take()
    return kept


def states(store: SqliteStore) -> list[tuple[int, str]]:
    [changes] = openings([store.folder], ["yanshan"], START, START + 300 * HOUR).values()
    return [((change.at - START) // MINUTE, change.state) for change in changes]


def used(place: Kept) -> None:
    place.say("seat-01", occupied=False)
    place.wait(MINUTE)
    place.say("seat-01", occupied=True)


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "from the journal alone"])
def test_a_quick_restart_changes_nothing(store: SqliteStore, kept: bool) -> None:
    place = house(store)
    used(place)
    if kept:
        place.keep()
    place = again(store, START + 3 * MINUTE)
    assert place.document()["open"]["proof"] == "proved"
    place.wait(3 * HOUR)
    assert states(store) == [(0, "unproved"), (1, "proved"), (121, "unproved")]


def test_while_nobody_watched_only_what_the_hours_promised_is_known(store: SqliteStore) -> None:
    hours = "08:00-12:00, 14:00-20:00"  # it is ten
    place = house(store, hours=hours)
    used(place)
    place.keep()
    place = again(store, START + 5 * HOUR, hours=hours)
    unproved = {"proof": "unproved", "proved_at": None}
    assert place.document()["open"] == {"now": "yes", "until": "2026-06-01T12:00:00Z", **unproved}
    assert states(store) == [(0, "unproved"), (1, "unproved"), (120, "closed"), (240, "unproved")]


def test_what_was_proved_before_a_closing_is_over_after_it_though_nobody_saw_it_close(store: SqliteStore) -> None:
    hours = "08:00-10:03, 10:04-20:00"
    place = house(store, hours=hours)
    used(place)
    assert again(store, START + 5 * MINUTE, hours=hours).document()["open"]["proof"] == "unproved"


def test_doors_that_stay_shut_over_a_restart_need_no_new_patience(store: SqliteStore) -> None:
    place = house(store)
    place.say("door-main", open=False, locked=True)
    place.wait(14 * MINUTE)
    place.keep()
    place = again(store, START + 14 * MINUTE + 30_000)
    place.wait(30_000)
    assert place.document()["open"]["proof"] == "contradicted"
    assert states(store) == [(0, "unproved"), (15, "contradicted")]


def test_what_ran_out_while_nobody_watched_tells_nothing_of_that_time(store: SqliteStore) -> None:
    place = Kept([SEAT, DOOR | {"ttl": 3_600}], now=START)
    place.store = store
    place.say("door-main", open=False)
    used(place)
    place.keep()
    place = Kept([SEAT, DOOR | {"ttl": 3_600}], now=START + 90 * MINUTE)
    place.store = store
    restore(place.pipeline, store, place.now)
    place._take()
    assert states(store) == [(0, "unproved"), (1, "unproved"), (90, "proved")]


def test_what_came_after_the_state_was_kept_does_not_hold_through_a_stop(store: SqliteStore) -> None:
    place = house(store)
    place.keep()
    used(place)
    again(store, START + 100 * MINUTE)
    assert states(store) == [(0, "unproved"), (1, "unproved"), (100, "proved")]


def test_a_station_that_opened_after_its_state_was_kept_is_proved_by_the_journal(store: SqliteStore) -> None:
    hours = "10:02-20:00"
    place = house(store, hours=hours)
    place.keep()
    place.wait(2 * MINUTE)
    used(place)
    place = again(store, START + 4 * MINUTE, hours=hours)
    assert place.document()["open"]["proof"] == "proved"
    assert states(store) == [(0, "closed"), (2, "unproved"), (3, "proved")]


def test_old_ones_go_and_the_last_stays(store: SqliteStore) -> None:
    place = house(store)
    used(place)
    place.wait(3 * HOUR)
    store.write([ForgetOpenings(START + 200 * HOUR)])
    assert states(store) == [(121, "unproved")]
    assert store.openings() == {"yanshan": OpeningChange("yanshan", START + 121 * MINUTE, "unproved")}


def test_what_a_door_said_before_a_stop_accuses_nobody_until_it_speaks_again(store: SqliteStore) -> None:
    place = house(store)
    place.say("door-main", open=False, locked=True)
    place.keep()
    place = again(store, START + 2 * HOUR)
    place.wait(3 * HOUR)
    assert place.document()["open"]["proof"] == "unproved", "it may have been unlocked while nobody listened"
    place.keep()
    place = again(store, place.now)
    place.say("door-main", open=False, locked=True)
    place.wait(14 * MINUTE)
    assert place.document()["open"]["proof"] == "unproved"
    place.wait(MINUTE)
    assert place.document()["open"]["proof"] == "contradicted"
