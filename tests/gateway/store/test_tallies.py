"""Energy and visits equal counting every stored message anew, however the journal was followed."""

import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from gateway.base.local_time import HOUR_MS, bucket_of, hour_start
from gateway.history.tally import Meter, MeterMark, MeterSaid, Tally
from gateway.model import Batch, Millis, Reading, Resource
from gateway.store import tallies
from gateway.store.place import Asked, Place
from gateway.store.reader import SqliteReader
from gateway.store.rollup_reader import RollupReader
from gateway.store.rollups import Rollups
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.kept import Kept
from tests.gateway.store.world import DAY

CROWD = 5
GAP_MS = 3_600_000


MINUTE = 60_000
START = 1_792_800_000_000 // DAY * DAY  # two days before the end of summer time in Berlin
RESOURCES = [
    Resource("s", "yard", "pile-1", "charger", "pile-1"),
    Resource("s", "yard", "pile-2", "charger", "other-id"),
    Resource("s", "hall", "plug-a", "charger", "strip"),
    Resource("s", "hall", "plug-b", "charger", "strip"),  # nobody knows whose the strip's counter is
    Resource("s", "hall", "door", "door", "door"),
]
Message = tuple[bytes, bytes, Millis, int]


def messages(seed: int, days: int) -> Iterator[Message]:
    """Meters that rise, rest, fall and restart, cards, and what comes late, retained or with a wrong clock."""
    rng = random.Random(seed)
    counters, boots, seqs = defaultdict(float), defaultdict(int), defaultdict(int)
    at, held = START, []
    while at < START + days * DAY:
        at += rng.choice((5_000, 60_000, 60_000, 400_000, rng.randint(1, 5 * HOUR_MS)))
        device = rng.choice(("pile-1", "other-id", "strip", "door", "seat"))
        fields: dict[str, object] = {"ts": at - rng.randint(0, 3000)} if rng.random() < 0.8 else {}
        if rng.random() < 0.01:
            boots[device], seqs[device] = boots[device] + 1, 0
        if device == "other-id" or rng.random() < 0.9:
            seqs[device] += 1
            fields |= {"boot": f"b{boots[device]}", "seq": seqs[device]}
        if device in ("door", "seat"):
            fields |= {"type": rng.choice(("card", "door_held")), "direction": rng.choice(("in", "out"))}
            topic = f"yz/s/{device}/event"
        else:
            counters[device] = 0.0 if rng.random() < 0.02 else counters[device] + rng.choice((0, 0.5, 3, 40.125))
            fields |= {"energy_wh": counters[device]} if rng.random() < 0.9 else {}
            fields |= {"status": rng.choice(("Available", "Charging"))} if rng.random() < 0.5 else {}
            topic = f"yz/s/{device}/state"
        message = topic.encode(), json.dumps(fields).encode(), rng.choice((0, 0, 0, 0, 0, 0, 1, 2))
        if rng.random() < 0.05:
            held.append(message)
            continue
        yield message[0], message[1], at, message[2]
        if held and rng.random() < 0.1:
            topic_, payload, flags = held.pop()
            yield topic_, payload, at, flags


def brute(readings: Iterator[Reading], zone: ZoneInfo) -> dict[str, dict[Millis, Tally]]:
    """Resource → hour → tally, by a rule of its own: all at once, with every reading in hand."""
    owners = {"pile-1": "pile-1", "other-id": "pile-2", "door": "door"}
    out: dict[str, dict[Millis, Tally]] = defaultdict(lambda: defaultdict(Tally))
    newest: dict[str, tuple[str | None, int, Millis]] = {}
    gone: dict[str, str | None] = {}
    before: dict[str, tuple[Millis, int]] = {}
    for reading in readings:
        said, name = json.loads(reading.payload), owners.get(reading.device)
        if name is None or reading.retained:
            continue
        at = reading.received_at if reading.ts is None or reading.ts_suspect else min(reading.ts, reading.received_at)
        hour = out[name][hour_start(at, zone)]
        if reading.topic == "event":
            hour.passages += said["type"] == "card" and said["direction"] == "in"
            continue
        boot, seq, when = newest.get(name, (None, -1, 0))
        if reading.boot is None or reading.seq is None:
            late = at < when
        else:
            late = reading.seq <= seq if reading.boot == boot else reading.boot == gone.get(name)
        if late:
            continue
        if reading.boot is not None and reading.seq is not None:
            if reading.boot != boot:
                gone[name] = boot
            boot, seq = reading.boot, reading.seq
        newest[name] = boot, seq, at
        if "energy_wh" in said:
            counter = round(said["energy_wh"] * 1000)
            since, last = before.get(name, (at, counter))
            hour.readings += 1
            hour.resets += counter < last
            if counter > last and at - since > GAP_MS:
                hour.gap_mwh += counter - last
            elif counter > last:
                hour.energy_mwh += counter - last
            before[name] = at, counter
    return {name: {at: tally for at, tally in hours.items() if tally != Tally()} for name, hours in out.items()}


@pytest.mark.parametrize(
    ("zone", "seed"),
    [
        ("Europe/Berlin", 2),
        pytest.param("Europe/Berlin", 3, marks=pytest.mark.slow),
        pytest.param("Asia/Shanghai", 1, marks=pytest.mark.slow),
    ],
)
def test_tallies_equal_counting_all_messages_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str, seed: int
) -> None:
    place, rng = Place("s", ZoneInfo(zone), RESOURCES), random.Random(seed)
    monkeypatch.setattr(tallies, "AT_ONCE", 7)
    store, reader = SqliteStore(tmp_path, START, ballast_mib=0), SqliteReader(tmp_path)
    rollups = Rollups(tmp_path, [place], reader, START, synchronous="OFF")
    batch, now = Batch(), START
    for message in messages(seed, 12):
        batch.append(*message)
        now = message[2]
        if rng.random() < 0.3:
            store.commit(batch, [], [], now)
            batch = Batch()
        if rng.random() < 0.02:
            rollups.tidy(now)
        if rng.random() < 0.005:  # a restart: what was counted and the cursor are as they were kept
            rollups.close()
            rollups = Rollups(tmp_path, [place], reader, START, synchronous="OFF")
        if rng.random() < 0.01:
            store.checkpoint(0, store.last_id, b"")
            store.tidy(now)
    store.commit(batch, [], [], now)
    while rollups.tidy(now + DAY):
        pass
    kept = RollupReader(tmp_path, reader)
    check(kept, place, brute(reader.readings(), place.zone))
    for device, name in (("pile-1", "pile-1"), ("other-id", "pile-2")):
        assert kept.marks("s", name, 0, now + DAY) == marks(reader.readings(), device)
    for part in (rollups, reader, store):
        part.close()


def marks(readings: Iterator[Reading], device: str) -> dict[Millis, MeterMark]:
    """Where uses began and ended, by one meter that hears everything in one go."""
    meter, marks_by_time = Meter(), {}
    for reading in readings:
        if reading.device == device and reading.topic == "state" and not reading.retained:
            at = (
                reading.received_at
                if reading.ts is None or reading.ts_suspect
                else min(reading.ts, reading.received_at)
            )
            told = meter.hear(msgspec.json.decode(reading.payload, type=MeterSaid), at, reading.received_at)
            marks_by_time |= {mark[0]: mark for mark in told[1]} if told else {}
    assert marks_by_time
    return marks_by_time


def check(kept: RollupReader, place: Place, expected: dict[str, dict[Millis, Tally]]) -> None:
    end = START + 20 * DAY
    for by in ("hour", "day", "hour_of_week"):
        for name, hours in expected.items():
            tallied = kept.tallies(Asked([place], resource=name), 0, end, by)
            assert tallied == _by(hours, place.zone, by)
    yard = kept.tallies(Asked([place], area="yard"), 0, end, "hour")
    both: dict[Millis, Tally] = {}
    for name in ("pile-1", "pile-2"):
        for at, tally in expected[name].items():
            both.setdefault(at, Tally()).add(tally)
    assert yard == both
    assert kept.tallies(Asked([place], resource="plug-a"), 0, end, "day") == {}


def _by(hours: dict[Millis, Tally], zone: ZoneInfo, by: str) -> dict[int, Tally]:
    out: dict[int, Tally] = {}
    for at, tally in hours.items():
        out.setdefault(bucket_of(at, zone, by), Tally()).add(tally)  # type: ignore[arg-type]
    return out


def test_visits_are_told_by_whole_days_and_never_exactly(tmp_path: Path) -> None:
    with Kept(tmp_path, Place("s", ZoneInfo("Asia/Shanghai"), RESOURCES)) as kept:
        for day, cards in enumerate((3, 12)):
            said = [{"type": "card", "seq": number} for number in range(cards)]
            kept.tell(
                "door", "event", [(MIDNIGHT + day * DAY + number, message) for number, message in enumerate(said)]
            )
        bands = kept.bands(MIDNIGHT + 1, MIDNIGHT + 3 * DAY)
        assert bands == {MIDNIGHT + DAY: [(5, None)], MIDNIGHT + 2 * DAY: [(0, None)]}, "nobody watched the door itself"
        assert MIDNIGHT + DAY not in kept.bands(MIDNIGHT, MIDNIGHT + DAY + 12 * HOUR_MS)
        assert all(band.low % CROWD == 0 for day in bands.values() for band in day)


MIDNIGHT = START + 16 * HOUR_MS  # in Shanghai
GATE = Resource("s", "hall", "gate", "counter", "gate", ttl_ms=HOUR_MS)


def test_a_counter_of_totals_bounds_its_days_from_both_sides_over_a_restart_of_ours(tmp_path: Path) -> None:
    with Kept(tmp_path, Place("s", ZoneInfo("Asia/Shanghai"), [GATE])) as kept:
        minutes = [(MIDNIGHT + (minute - 60) * MINUTE, minute) for minute in range(3 * 1440)]
        told = [(at, {"in": 1_000 + min(minute, 660), "boot": "b", "seq": minute}) for at, minute in minutes]
        kept.tell("gate", "state", told[:700])
        kept.starts_again()
        kept.tell("gate", "state", told[700:])
        days = kept.days(MIDNIGHT, MIDNIGHT + 2 * DAY)
    (first,), (second,) = days[MIDNIGHT], days[MIDNIGHT + DAY]
    assert (first.bounds.low, first.bounds.high) == pytest.approx((600, 600), rel=0.09)
    assert first.bounds.low < 600 < (first.bounds.high or 0)
    assert first.bounds.coverage == 1.0
    assert second.band == (0, 4)
    assert days.keys() == {MIDNIGHT, MIDNIGHT + DAY}


def test_a_counter_that_was_silent_or_never_heard_bounds_nothing(tmp_path: Path) -> None:
    other = Resource("s", "yard", "other", "counter", "other")
    with Kept(tmp_path, Place("s", ZoneInfo("Asia/Shanghai"), [GATE, other])) as kept:
        kept.tell("gate", "state", [(MIDNIGHT + DAY // 2 + hour * HOUR_MS, {"in": hour}) for hour in range(24)])
        day = kept.days(MIDNIGHT, MIDNIGHT + DAY)[MIDNIGHT]
    assert [sensor.bounds.high for sensor in day] == [None, None]
    assert [sensor.bounds.coverage for sensor in day] == [0.5, 0.0]


def test_a_counter_and_a_reader_that_do_not_meet_at_one_entrance_are_told_apart(tmp_path: Path) -> None:
    door = replace(RESOURCES[-1], area="yard", features=("reader",))
    for name, entrance, agree in (("one", "main", [False]), ("two", None, [True, True])):
        (folder := tmp_path / name).mkdir()
        pair = [replace(GATE, entrance=entrance), replace(door, entrance=entrance)]
        with Kept(folder, Place("s", ZoneInfo("Asia/Shanghai"), pair)) as kept:
            minutes = range(1441)
            kept.tell("gate", "state", [(MIDNIGHT + minute * MINUTE, {"in": minute // 60}) for minute in minutes])
            cards = [{"type": "card", "seq": number} for number in range(60)]
            kept.tell(
                "door", "event", [(MIDNIGHT + DAY + HOUR_MS + number, message) for number, message in enumerate(cards)]
            )
            cards = [{"type": "card", "seq": 100 + number} for number in range(60)]
            kept.tell(
                "door", "event", [(MIDNIGHT + 2 * HOUR_MS + number, message) for number, message in enumerate(cards)]
            )
            assert [day.agree for day in kept.days(MIDNIGHT, MIDNIGHT + DAY)[MIDNIGHT]] == agree


def test_a_counter_of_passages_counts_them_and_a_door_that_opens_half_of_them(tmp_path: Path) -> None:
    door = replace(RESOURCES[-1], entrance="side")
    with Kept(tmp_path, Place("s", ZoneInfo("Asia/Shanghai"), [GATE, door])) as kept:
        passages = [{"type": "passage", "direction": way, "n": 2} for way in ("in", "in", "out") * 20]
        kept.tell("gate", "event", [(MIDNIGHT + number * MINUTE, message) for number, message in enumerate(passages)])
        turns = [(MIDNIGHT + number * MINUTE, {"open": number % 2 == 1}) for number in range(80)]
        kept.tell("door", "state", turns)
        gate, side = kept.days(MIDNIGHT, MIDNIGHT + DAY)[MIDNIGHT]
    assert 65 < gate.bounds.low <= 80
    assert gate.bounds.high is None
    assert 10 <= side.bounds.low <= 20
