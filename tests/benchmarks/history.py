"""A year of one station with 30 resources, asked for as the pages and the analyst ask.

    python -m tests.benchmarks.history [DAYS]

Every resource changes 48 times a day; ten are chargers that tell their meter every ten minutes. The last line is JSON:
the middle of nine answers in ms, each with the file opened anew, and how large the roll-ups are.
"""

import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter
from zoneinfo import ZoneInfo

from api.charges import charges
from api.usage import usage
from gateway.base.local_time import DAY_MS, HOUR_MS
from gateway.model import Batch, Change, KindName, Millis, Resource, axes_of
from gateway.store.place import Asked, Place
from gateway.store.reader import SqliteReader
from gateway.store.rollup_reader import RollupReader
from gateway.store.rollups import Rollups
from gateway.store.sqlite import SqliteStore

START = 1_761_955_200_000  # 2025-11-01T00:00Z
CHANGES, READINGS = 48, 144  # of a resource, of a meter, a day
FREE = axes_of("active", "ok", "open", "free", "live")
STATES = [
    FREE,
    axes_of("active", "ok", "open", "occupied", "live"),
    FREE,
    axes_of("active", "ok", "open", "occupied", "stale"),
]
TIMES = 9


def place() -> Place:
    kinds: list[KindName] = ["seat"] * 20 + ["charger"] * 10
    every = [Resource("s", f"a{n // 10}", f"r{n:02}", kind, f"r{n:02}") for n, kind in enumerate(kinds)]
    return Place("s", ZoneInfo("Asia/Shanghai"), every)


def fill(store: SqliteStore, station: Place, days: int) -> None:
    rng = random.Random(1)
    counters = {resource.id: 0 for resource in station.resources if resource.kind == "charger"}
    for day in range(START, START + days * DAY_MS, DAY_MS):
        batch, changes = Batch(), []
        for resource in station.resources:
            moments = sorted(rng.sample(range(DAY_MS // 1000), CHANGES))
            changes += [
                Change(resource, day + at * 1000, STATES[0], STATES[place % len(STATES)], "benchmark")
                for place, at in enumerate(moments)
            ]
        for at in range(day, day + DAY_MS, DAY_MS // READINGS):
            for name in counters:
                counters[name] += rng.choice((0, 0, 0, 40))
                batch.append(f"yz/s/{name}/state".encode(), b'{"energy_wh":%d}' % counters[name], at, 0)
        store.commit(batch, changes, [], day + DAY_MS - 1)


def questions(folder: Path, station: Place, end: Millis) -> Iterator[tuple[str, Callable[[SqliteReader], object]]]:
    asked, month = Asked([station]), end - 30 * DAY_MS
    for by in ("day", "hour_of_week", "hour"):
        yield f"year_by_{by}_ms", lambda reader, by=by: usage(RollupReader(folder, reader), asked, START, end, by)  # type: ignore[misc]
    yield "month_of_intervals_ms", lambda reader: reader.history("s", "r05", month, end)
    charger = [resource for resource in station.resources if resource.id == "r25"]
    yield (
        "month_of_sessions_ms",
        lambda reader: charges(reader, RollupReader(folder, reader), charger, (month, end), end),
    )


def main(days: int) -> None:
    station, end = place(), START + days * DAY_MS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = SqliteStore(folder, START, profile="sd_card", ballast_mib=0)
        fill(store, station, days)
        reader = SqliteReader(folder)
        rollups = Rollups(folder, [station], reader, START, synchronous="OFF")
        begin = perf_counter()
        while rollups.tidy(end + HOUR_MS):
            pass
        told: dict[str, float] = {
            "days": days,
            "resources": len(station.resources),
            "roll_up_s": perf_counter() - begin,
        }
        for question, ask in questions(folder, station, end):
            told[question] = median(timed(folder, ask) for _ in range(TIMES))
        rollups.close()
        reader.close()
        store.close()
        told["rollups_mb"] = (folder / "rollups.db").stat().st_size / 1e6
        told["journal_mb"] = sum(path.stat().st_size for path in folder.glob("*.day.db")) / 1e6
    print(json.dumps({key: round(value, 1) for key, value in told.items()}))


def timed(folder: Path, ask: Callable[[SqliteReader], object]) -> float:
    reader = SqliteReader(folder)
    begin = perf_counter()
    ask(reader)
    taken = (perf_counter() - begin) * 1000
    reader.close()
    return taken


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 365)
