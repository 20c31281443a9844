"""Utilisation: every minute is one of five, roll-ups equal the journal, days are local days."""

import random
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model import AXES, Change, Millis, Resource, axes_of
from gateway.pipeline import Outcome
from gateway.store.base import Interval
from gateway.store.reader import SqliteReader
from gateway.store.rollups import Place, RollupReader, Rollups
from gateway.store.sqlite import SqliteStore
from gateway.utilization import HOUR_MS, Minutes, bucket_of, day_start, measure, next_day, part_of, pieces

DAY = 24 * HOUR_MS
START = 1_790_000_000_000 // DAY * DAY
FREE = axes_of("active", "ok", "open", "free", "live")
TAKEN = axes_of("active", "ok", "open", "occupied", "live")
STALE = axes_of("active", "ok", "open", "free", "stale")
SHUT = axes_of("active", "ok", "closed", "free", "live")
BROKEN = axes_of("active", "fault", "open", "unknown", "stale")
STATES = (FREE, TAKEN, STALE, SHUT, BROKEN)


def test_every_state_is_one_part_and_only_a_free_one_is_usable() -> None:
    for axes in AXES:
        part = part_of(axes)
        assert (part == "free") == (axes.usable == "yes")
        assert (part == "unknown") == (axes.usable == "unknown")


def test_unknown_counts_neither_as_used_nor_as_open_but_stands_beside() -> None:
    intervals = [Interval(0, 10, FREE), Interval(10, 40, TAKEN), Interval(40, 100, STALE), Interval(100, 200, SHUT)]
    found = measure(intervals, 0, 250)
    assert found == Minutes(occupied=30, free=10, closed=100, unknown=60 + 50, sessions=1)
    assert found.utilization == 0.75
    assert found.coverage == pytest.approx(40 / 150)


def test_coming_back_from_unknown_is_no_session() -> None:
    assert measure([Interval(0, 5, STALE), Interval(5, 9, TAKEN)], 0, 9).sessions == 0


def test_nothing_known_is_no_number() -> None:
    assert Minutes(closed=5).utilization is None
    assert Minutes(closed=5).coverage is None
    assert Minutes(unknown=5).coverage == 0


@given(
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
    st.integers(1_700_000_000_000, 1_800_000_000_000),
    st.integers(1, 10 * DAY),
    st.sampled_from(["hour", "day"]),
)
@settings(max_examples=150, deadline=None)
def test_pieces_cover_a_window_and_are_cut_at_local_boundaries(zone: str, start: int, length: int, by: str) -> None:
    place = ZoneInfo(zone)
    cuts = list(pieces(start, start + length, place, by))  # type: ignore[arg-type]
    assert [cuts[0][0], cuts[-1][1]] == [start, start + length]
    assert all(left[1] == right[0] for left, right in pairwise(cuts))
    if by == "day":
        assert all(day_start(begin, place) == begin for begin, _ in cuts[1:])
        assert all(until - begin <= 25 * HOUR_MS for begin, until in cuts)


def test_a_day_of_a_changed_clock_has_23_or_25_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    spring, autumn = 1_774_738_800_000, 1_792_879_200_000  # midnights before 29 March and 25 October 2026
    assert next_day(spring, berlin) - spring == 23 * HOUR_MS
    assert next_day(autumn, berlin) - autumn == 25 * HOUR_MS


class Filled:
    """A store with two resources that change at random for some days."""

    def __init__(self, folder: Path, zone: str, days: int) -> None:
        self.place = Place("s", ZoneInfo(zone), {"a": ["one"], "b": ["two"]})
        self.store = SqliteStore(folder, START, ballast_mib=0)
        self.end = START + days * DAY
        rng = random.Random(days)
        for at, changes in sorted(self._days(rng).items()):
            outcome = Outcome()
            self.store.commit(outcome.batch, sorted(changes, key=lambda one: one.at), (), at)
        self.reader = SqliteReader(folder)
        self.rollups = Rollups(folder, [self.place], self.reader, START, synchronous="OFF")

    def _days(self, rng: random.Random) -> dict[Millis, list[Change]]:
        days: dict[Millis, list[Change]] = {}
        for name in ("one", "two"):
            resource = Resource("s", "a", name, "seat", name)
            at = START
            while at < self.end:
                state = rng.choice(STATES)
                days.setdefault(at // DAY * DAY, []).append(Change(resource, at, FREE, state, "test"))
                at += rng.randint(60_000, 5 * HOUR_MS)
        return days

    def close(self) -> None:
        for one in (self.rollups, self.reader, self.store):
            one.close()

    def roll_up(self, now: Millis) -> None:
        while self.rollups.tidy(now):
            pass


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Berlin"])
def test_roll_ups_equal_measuring_the_journal(tmp_path: Path, zone: str) -> None:
    filled = Filled(tmp_path, zone, 40)
    windows = [
        (START + 5 * HOUR_MS + 1234, START + 33 * DAY + 777), (START + DAY, START + 3 * DAY), (START, START + 1000),
    ]  # fmt: skip
    for half in (START + 20 * DAY + 12_345, filled.end + DAY):
        filled.roll_up(half)
        for start, end in windows:
            for by in ("hour", "day", "hour_of_week"):
                for scope in ({}, {"area": "b"}, {"resource": "one"}):
                    found = RollupReader(tmp_path, filled.reader).minutes(filled.place, start, end, by, **scope)  # type: ignore[arg-type]
                    assert found == brute(filled, start, end, by, **scope)
    filled.close()


def brute(filled: Filled, start: Millis, end: Millis, by: str, **scope: str) -> dict[int, Minutes]:
    """The same from the journal alone, hour by hour."""
    zone = filled.place.zone
    out: dict[int, Minutes] = {}
    for resource in filled.place.resources(**scope):
        intervals = filled.reader.history("s", resource, start - 1, end)
        for begin, until in pieces(start, end, zone, "hour"):
            out.setdefault(bucket_of(begin, zone, by), Minutes()).add(measure(intervals, begin, until))  # type: ignore[arg-type]
    return out
