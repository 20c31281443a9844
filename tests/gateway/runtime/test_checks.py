"""What people said of checks over commits, kills and restarts: none lost, none twice."""

import contextlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from gateway.core.outcome import Outcome
from gateway.evidence.checks import CheckReport
from gateway.runtime.memory import Memory
from gateway.runtime.restoring import restore
from gateway.store.jobs import ForgetReports, KeepReports
from gateway.store.reader import SqliteReader
from gateway.store.reports import ReportBooks
from gateway.store.sqlite import SqliteStore
from tests.gateway.live.house import HOUR, MINUTE, START
from tests.gateway.live.test_checks import Venue


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with contextlib.closing(SqliteStore(tmp_path / "data", START, ballast_mib=0)) as made:
        yield made


class Killed(BaseException):
    """As by kill -9: nothing after it is done."""


class Kept(Venue):
    """A venue whose outcomes are stored in the steps of the writer; after `steps_left` of them it is killed."""

    store: SqliteStore
    steps_left = 1_000

    def _take(self) -> None:
        super()._take()
        outcome: Outcome = self.outcome
        number = self.store.last_id

        def commit() -> None:
            nonlocal number
            number = self.store.commit(outcome.batch, outcome.changes, outcome.rejected, self.now)

        steps = [commit]
        if outcome.reports:
            steps.append(lambda: self.store.write([KeepReports(outcome.reports)]))
        steps.append(lambda: self.keep(number))
        for step in steps:
            if self.steps_left == 0:
                raise Killed
            self.steps_left -= 1
            step()

    def keep(self, number: int) -> None:
        memory = Memory(self.live)
        parts = [(part, memory.dump(part, self.now)) for part in range(len(memory.parts))]
        self.store.checkpoint_all(parts, number)

    def ids(self) -> list[str]:
        return [stored.report.id[-4:] for stored in ReportBooks(self.store.folder).page("yanshan", None, 5_000)]


def started(store: SqliteStore, now: int = START) -> Kept:
    place = Kept(now=now)
    place.store = store
    restore(place.pipeline, store, now)
    place._take()
    return place


class People(Kept):
    """Nothing in it has a device."""

    resources = ()
    checks = ({"id": "tidy", "every": "day"},)


def people(store: SqliteStore, now: int = START) -> People:
    place = People(now=now)
    place.store = store
    restore(place.pipeline, store, now)
    place._take()
    return place


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
@pytest.mark.parametrize("speaks", [False, True], ids=["no sensor", "a sensor"])
def test_a_kill_at_any_step_loses_nothing_and_the_phone_may_send_it_again(
    store: SqliteStore, steps: int, speaks: bool
) -> None:
    place = started(store)
    if speaks:
        place.say("aed", ready=True)
    place.steps_left = steps
    with contextlib.suppress(Killed):
        place.report("oven", "problem", number=1)
    durable = steps >= 1
    place = started(store, START + MINUTE)
    assert place.ids() == ["0001"] * durable
    assert place.answer("microwave")[0] == ("no" if durable else "unknown")
    place.report("oven", "problem", number=1, ago=MINUTE)
    assert place.ids() == ["0001"]
    assert place.answer("microwave")[0] == "no"
    [reading] = [reading for reading in SqliteReader(store.folder).readings() if reading.topic == "check"]
    assert (reading.device, reading.ts) == ("oven", START)


def test_a_restart_keeps_what_was_said_and_until_when_it_holds(store: SqliteStore) -> None:
    started(store).report("oven")
    place = started(store, START + HOUR)
    assert place.answer("microwave") == ("yes", "live", "person", ())
    place.wait(35 * HOUR)
    assert place.answer("microwave")[0] == "unknown"


def test_a_start_without_any_device_replays_only_what_came_since(store: SqliteStore) -> None:
    place = people(store)
    for number in range(1, 6):
        place.report("tidy", number=number)
        place.now += MINUTE
    place.keep(store.last_id)
    place.steps_left = 1  # the last one is in the journal, and nowhere else
    with contextlib.suppress(Killed):
        place.report("tidy", number=6)
    again = People(now=place.now)
    again.store = store
    assert restore(again.pipeline, store, place.now) == 1
    again._take()
    assert len(again.ids()) == 6


def test_a_station_that_lives_by_people_is_proved_open_after_a_restart_as_before(store: SqliteStore) -> None:
    place = people(store)
    place.report("tidy")
    assert place.document()["open"]["proof"] == "proved"
    place.now += 3 * MINUTE
    place.keep(store.last_id)
    again = people(store, place.now + MINUTE)
    assert again.document()["open"]["proof"] == "proved"


def test_a_check_never_made_is_missed_from_when_it_was_first_asked_for_whatever_restarts(store: SqliteStore) -> None:
    started(store)
    place = started(store, START + 35 * HOUR)
    assert not place.live.stations["yanshan"].checks["oven"].missed(place.now)
    place.wait(HOUR)
    assert place.live.stations["yanshan"].checks["oven"].missed(place.now)


def test_a_door_found_shut_stays_found_over_a_restart(store: SqliteStore) -> None:
    started(store).report("front-door", "problem")
    place = started(store, START + HOUR)
    place.wait(16 * MINUTE)  # after a stop patience begins anew
    assert place.document()["open"]["proof"] == "contradicted"


def test_the_verified_order_ends_a_problem_and_a_restart_knows(store: SqliteStore) -> None:
    place = started(store)
    place.report("oven", "problem")
    place.now += HOUR
    place.pipeline.commands.reports.verified("yanshan", "oven", "wang", "ab" * 16, place.now)
    place._take()
    assert place.answer("microwave")[0] == "yes"
    place = started(store, START + 2 * HOUR)
    assert place.answer("microwave")[0] == "yes"
    assert len(place.ids()) == 1  # what verified it is no check


def test_old_reports_go_but_the_last_of_each_check_stays(store: SqliteStore) -> None:
    place = started(store)
    for number in (1, 2):
        place.report("oven", number=number)
        place.now += HOUR
    store.write([ForgetReports(place.now)])
    assert place.ids() == ["0002"]


def test_pages_of_reports_meet_without_a_gap(store: SqliteStore) -> None:
    place = started(store)
    for number in range(1, 8):
        place.report("oven", number=number, ago=0)  # all of one moment
    books, ids, before = ReportBooks(store.folder), list[str](), None
    page = partial(books.page, "yanshan")
    while told := page(before, 3):
        ids += [stored.report.id for stored in told]
        before = told[-1].report.ts, told[-1].report.id
    assert len(ids) == len(set(ids)) == 7


def test_what_is_recorded_is_taken_again_under_its_own_topic(store: SqliteStore) -> None:
    place = started(store)
    place.report("oven", "problem")
    again = Venue()
    again.pipeline.from_recording()
    again.send("yz/yanshan/oven/check", place.outcome.batch.payloads[0].decode())
    assert again.answer("microwave")[0] == "no"
    assert again.outcome.batch.payloads == place.outcome.batch.payloads
    report: CheckReport = again.outcome.reports[0].report
    assert report.result == "problem"
