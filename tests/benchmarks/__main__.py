"""`make bench`: every promised figure, measured here and now, as a table and as JSON.

    python -m tests.benchmarks [--only ingest,scale] [--rounds 5] [--count 100000] [--days 1]

The JSON goes to tests/benchmarks/results/. docs/performance.md says how each figure is measured.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import strftime
from typing import Any

from tests.benchmarks.catch_up import catch_up
from tests.benchmarks.demo import demo_s
from tests.benchmarks.downward import downward, waits
from tests.benchmarks.figures import Figure, machine, table, write
from tests.benchmarks.foreign import foreign
from tests.benchmarks.ingest import cold, ingest
from tests.benchmarks.latency import measure
from tests.benchmarks.piles import many, relayed
from tests.benchmarks.replica import replicated
from tests.benchmarks.scale import scale

RESULTS = Path(__file__).parent / "results"


def latency() -> Iterator[Figure]:
    for rate, most_ms in ((500, 10), (5_000, 20)):
        told = measure(rate=rate)
        for way, name in (("yz_live", "publish → yz-live"), ("listener", "publish → listener")):
            yield Figure(f"{name} at {rate} msg/s, p50", told[f"{way}_p50_ms"], "ms")
            yield Figure(f"{name} at {rate} msg/s, p99", told[f"{way}_p99_ms"], "ms", most_ms)


def demo() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        live_s, past_s = demo_s(Path(folder))
        yield Figure("demo: first live value", live_s, "s", 10)
        yield Figure("demo: the week before is whole", past_s, "s", 60)


def deadlines() -> Iterator[Figure]:
    told = alone("deadlines")
    yield Figure("tick with 100,000 resources, p99", told["p99_ms"], "ms CPU", 5)
    yield Figure("tick with 100,000 resources, worst", told["worst_ms"], "ms CPU")


def week(days: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        told = alone("week", 20, days, folder)
    with tempfile.TemporaryDirectory() as folder:
        month = alone("week", 1, 31, folder) if days > 1 else None
    yield Figure("readings of 20 stations", told["readings"], f"in {days} days")
    yield Figure("readings that change a state", told["change_share"] * 100, "%")
    yield Figure("disk a reading", told["bytes_a_reading"], "bytes", 12)
    yield Figure("export equals what came", float(told["exact"]), "1 = yes", 1, least=True)
    yield Figure("a resource's day", told["day_open_ms"], "ms", 5)
    yield Figure("a resource's day, file not yet open", told["day_fresh_ms"], "ms", 5)
    if month is not None:
        yield Figure("a resource's month", month["all_open_ms"], "ms", 50)
        yield Figure("a resource's month, files not yet open", month["all_fresh_ms"], "ms", 50)


def history() -> Iterator[Figure]:
    told = alone("history")
    yield Figure("a year of 30 resources by day", told["year_by_day_ms"], "ms", 50)
    yield Figure("a year of 30 resources by hour of the week", told["year_by_hour_of_week_ms"], "ms", 50)
    yield Figure("a month of one resource's intervals", told["month_of_intervals_ms"], "ms", 50)
    yield Figure("a month of one charger's sessions", told["month_of_sessions_ms"], "ms")
    yield Figure("roll-ups of the year", told["rollups_mb"], "MB")


def copied() -> Iterator[Figure]:
    told = alone("copy", 1_000_000)
    yield Figure("rows a second into the copy, catching up", told["rows_per_s"], "rows/s", 50_000, least=True)
    yield Figure("rows in the copy, of a million", told["rows_in_copy"], "rows", told["rows"], least=True)


def forecast() -> Iterator[Figure]:
    told = alone("forecast")
    yield Figure("80 % interval covers, of sessions held back", told["covered"] * 100, "%", 75, least=True)
    yield Figure("error of the point forecast", told["error_min_forecast"], "min", told["error_min_naive_mean"])
    yield Figure("error of the naive median", told["error_min_naive_median"], "min")


def piles() -> Iterator[Figure]:
    for tls in (False, True):
        told, over = many(2_000, 60, tls=tls), "wss://" if tls else "ws://"
        yield Figure(f"2,000 piles over {over}: a core", told["cpu_percent"], "%", None if tls else 15)
        yield Figure(f"2,000 piles over {over}: memory", told["memory_mib"], "MiB", None if tls else 150)
        yield Figure(f"2,000 piles over {over}: a connection", told["connection_kib"], "KiB", 40)
    told = relayed(50, 20)
    yield Figure("relay to an operator: added to an answer, p99", told["added_p99_ms"], "ms", 20)
    yield Figure("relay to an operator: added to a start or end, p99", told["added_steps_p99_ms"], "ms", 20)


def costly() -> Iterator[Figure]:
    for name, value in alone("costly").items():
        yield Figure(f"45 askers of a year by hour: {name.removesuffix('_ms')}", value, "ms")


def uplink() -> Iterator[Figure]:
    yield from downward()
    yield from waits()
    yield from catch_up()


def alone(module: str, *arguments: object) -> dict[str, Any]:
    """What a chapter tells that runs in a process of its own."""
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *map(str, arguments)]
    return dict(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--only",
        default="demo,ingest,cold,scale,latency,deadlines,week,history,foreign,copy,forecast",
        help="chapters, with commas",
    )
    parser.add_argument("--rounds", type=int, default=5, help="runs of each subject (5)")
    parser.add_argument("--count", type=int, default=100_000, help="messages of an ingest run (100000)")
    parser.add_argument("--days", type=int, default=1, help="days of 20 stations; 7 is promised and takes 10 min (1)")
    args = parser.parse_args()
    chapters: dict[str, Callable[[], Iterator[Figure]]] = {
        "ingest": lambda: ingest(args.rounds, args.count),
        "cold": lambda: cold(args.rounds),
        "scale": lambda: scale(args.rounds),
        "demo": demo,
        "latency": latency,
        "deadlines": deadlines,
        "week": lambda: week(args.days),
        "history": history,
        "foreign": lambda: foreign(args.rounds, args.count),
        "copy": copied,
        "forecast": forecast,
        "costly": costly,
        "piles": piles,
        "uplink": uplink,
        "replica": lambda: replicated(args.rounds, args.count),
    }
    about, figures = machine(), []
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    for name in args.only.split(","):
        told = list(chapters[name]())
        print(f"\n{name}\n{table(told)}", flush=True)
        figures += told
    path = RESULTS / f"{strftime('%Y%m%dT%H%M%S')}.json"
    write(path, figures, about)
    print(f"\n{path}")


if __name__ == "__main__":
    main()
