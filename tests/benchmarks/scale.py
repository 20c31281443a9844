"""What size costs: a message, memory and a start, from one station to 20,000.

One message in 50 changes a value, as in a simulated day of stations, where 1.7 in 100 do. Every device is heard once
before the cost of a message is measured.
"""

from collections.abc import Iterator
from statistics import median

from tests.benchmarks.figures import Figure
from tests.benchmarks.runs import Load, run

SEATS = 5
FLIP_EVERY = 50
SMALL, BIG = 100, 20_000
LAPS = 6  # of all devices at BIG; as many messages at SMALL


def scale(rounds: int) -> Iterator[Figure]:
    costs: dict[int, list[float]] = {SMALL: [], BIG: []}
    for _ in range(rounds):
        for stations in costs:
            devices = stations * SEATS
            count = devices + LAPS * BIG * SEATS
            load = Load(count, stations, SEATS, FLIP_EVERY, warm=devices)
            costs[stations].append(run("gateway", load)["cpu_us"])
    small, big = (median(costs[stations]) for stations in (SMALL, BIG))
    yield Figure(f"a message at {SMALL} × {SEATS}", small, "µs CPU")
    yield Figure(f"a message at {BIG:,} × {SEATS}", big, "µs CPU")
    yield Figure("a message, big beside small", big / small, "×", 1.35)
    base = 0.0
    for stations in (1, 1_000, BIG):
        devices = stations * SEATS
        told = run("gateway", Load(devices, stations, SEATS, FLIP_EVERY), again=True)
        base = base or told["rss_mib"]
        yield Figure(f"{stations:,} stations: first start", told["start_s"], "s", 10)
        yield Figure(f"{stations:,} stations: start with everything to restore", told["again_start_s"], "s", 10)
        yield Figure(f"{stations:,} stations: CPU of that start", told["again_start_cpu_s"], "s")
        yield Figure(f"{stations:,} stations: memory when all were heard", told["rss_mib"], "MiB")
        yield Figure(f"{stations:,} stations: memory after a restart", told["again_idle_mib"], "MiB")
        if stations == BIG:
            yield Figure("memory a resource above the base", (told["rss_mib"] - base) * 1024 / devices, "KiB", 6)
