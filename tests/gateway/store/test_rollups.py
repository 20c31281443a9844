"""Roll-ups equal measuring the journal, however far they have come, in zones with and without summer time."""

import random
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.base.local_time import HOUR_MS, bucket_of, pieces
from gateway.core.outcome import Outcome
from gateway.history.utilization import Minutes, part_of
from gateway.model import Change, Millis, Resource, axes_of
from gateway.store.base import Reader
from gateway.store.place import Asked, Place
from gateway.store.reader import SqliteReader
from gateway.store.rollup_reader import RollupReader
from gateway.store.rollups import Rollups
from gateway.store.shards import Shards
from gateway.store.sqlite import SqliteStore

DAY = 24 * HOUR_MS
START = 1_790_000_000_000 // DAY * DAY  # 40 days from here hold the end of summer time in Berlin
FREE = axes_of("active", "ok", "open", "free", "live")
STATES = (
    FREE,
    axes_of("active", "ok", "open", "occupied", "live"),
    axes_of("active", "ok", "open", "free", "stale"),
    axes_of("active", "ok", "closed", "free", "live"),
    axes_of("active", "fault", "open", "unknown", "stale"),
)


class Filled:
    """A store of two stations whose resources change at random for some days."""

    def __init__(self, folder: Path, zone: str, days: int, stations: str = "st") -> None:
        things = (("a", "one", "seat"), ("b", "two", "charger"), ("b", "door", "door"), ("b", "room", "room"))
        self.places = [
            Place("s", ZoneInfo(zone), [Resource("s", area, name, kind, name) for area, name, kind in things]),
            Place("t", ZoneInfo(zone), [Resource("t", "c", "three", "seat", "three")]),
        ]
        self.places = [place for place in self.places if place.station in stations]
        self.store = SqliteStore(folder, START, ballast_mib=0)
        self.end = START + days * DAY
        rng = random.Random(days)
        for at, changes in sorted(self._days(rng).items()):
            outcome = Outcome()
            self.store.commit(outcome.batch, sorted(changes, key=lambda change: change.at), (), at)
        self.reader = SqliteReader(folder)
        self.rollups = Rollups(folder, self.places, self.reader, START, synchronous="OFF")

    def _days(self, rng: random.Random) -> dict[Millis, list[Change]]:
        days: dict[Millis, list[Change]] = {}
        for resource in [resource for place in self.places for resource in place.resources]:
            at = START
            while at < self.end:
                days.setdefault(at // DAY * DAY, []).append(Change(resource, at, FREE, rng.choice(STATES), "test"))
                at += rng.randint(60_000, 16 * HOUR_MS)
        return days

    def close(self) -> None:
        for part in (self.rollups, self.reader, self.store):
            part.close()

    def roll_up(self, now: Millis) -> None:
        while self.rollups.tidy(now):
            pass


@pytest.mark.parametrize("zone", [pytest.param("Asia/Shanghai", marks=pytest.mark.slow), "Europe/Berlin"])
def test_roll_ups_equal_measuring_the_journal(tmp_path: Path, zone: str) -> None:
    filled = Filled(tmp_path, zone, 40)
    only = filled.places[:1]
    strangers = [place.for_strangers() for place in filled.places]
    questions = [
        Asked(filled.places), Asked(strangers), Asked(only, area="b"), Asked(strangers[:1], area="b"),
        Asked(only, resource="one"), Asked(only, resource="door"), Asked(only, resource="room"),
    ]  # fmt: skip
    windows = [
        (START + 5 * HOUR_MS + 1234, START + 36 * DAY + 777), (START + DAY, START + 3 * DAY), (START, START + 1000),
    ]  # fmt: skip
    truth = [[brute(filled.reader, asked, *window) for asked in questions] for window in windows]
    for half in (START - DAY, START + 20 * DAY + 12_345, filled.end + DAY):
        filled.roll_up(half)
        for window, wanted in zip(windows, truth, strict=True):
            for asked, hours in zip(questions, wanted, strict=True):
                for by in ("hour", "day", "hour_of_week"):
                    rolled_up = RollupReader(tmp_path, filled.reader).minutes(asked, *window, by)
                    assert rolled_up == bucketed(hours, asked.zone, by)
    filled.close()


def test_a_door_stands_alone_and_thins_no_sum(tmp_path: Path) -> None:
    filled = Filled(tmp_path, "Asia/Shanghai", 3)
    filled.roll_up(filled.end + DAY)
    reader, place = RollupReader(tmp_path, filled.reader), filled.places[0]
    of = lambda **more: reader.minutes(Asked([place], **more), START, START + DAY, "hour_of_week")  # noqa: E731
    whole, parts = of(), [of(resource=name) for name in ("one", "two", "room")]
    for hour, minutes in whole.items():
        every = Minutes()
        for part in parts:
            every.add(part[hour])
        assert minutes == every
    assert of(resource="door")
    filled.close()


_SHARDS = (("1of2", 6, "st"), ("2of2", 9, "t"))


def test_shards_answer_together_and_a_station_that_moved_is_measured_anew(tmp_path: Path) -> None:
    shards = [Filled(tmp_path / name, "Europe/Berlin", days, who) for name, days, who in _SHARDS]
    for filled in shards:
        filled.roll_up(START + 5 * DAY)
    together = Shards([shard.reader for shard in shards])
    kept = RollupReader(tmp_path, together)
    for place in shards[0].places:
        asked = Asked([place])
        truth = brute(together, asked, START + DAY // 2, START + 8 * DAY)
        assert kept.minutes(asked, START + DAY // 2, START + 8 * DAY, "day") == bucketed(truth, asked.zone, "day")
    for shard in shards:
        shard.close()


Hours = list[tuple[Millis, Minutes]]


def brute(reader: Reader, asked: Asked, start: Millis, end: Millis) -> Hours:
    """What the journal alone says, hour by hour, each interval of each resource held against each hour."""
    hours: Hours = []
    for resource in asked.resources:
        intervals = reader.history(resource.station, resource.id, start - 1, end)
        for begin, until in pieces(start, end, asked.zone, "hour"):
            hours.append((begin, minutes := Minutes()))
            before = None
            for interval in intervals:
                part, length = part_of(interval.axes), min(interval.end, until) - max(interval.start, begin)
                if length > 0:
                    setattr(minutes, part, getattr(minutes, part) + length)
                    minutes.sessions += part == "occupied" and before == "free" and interval.start >= begin
                before = part
            minutes.unknown += (
                until - begin - sum((minutes.occupied, minutes.free, minutes.broken, minutes.closed, minutes.unknown))
            )
    return hours


def bucketed(hours: Hours, zone: ZoneInfo, by: str) -> dict[int, Minutes]:
    out: dict[int, Minutes] = {}
    for begin, minutes in hours:
        out.setdefault(bucket_of(begin, zone, by), Minutes()).add(minutes)  # type: ignore[arg-type]
    return out
