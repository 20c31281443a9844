"""Messages made durable a second, and what each costs, beside stock paho that only counts and a stripped prototype.

The subjects take turns, so that what else the machine does falls on all of them; medians of the rounds are compared.
"""

from collections import defaultdict
from collections.abc import Iterator
from statistics import median
from typing import Any

from tests.benchmarks.brokers import embedded
from tests.benchmarks.figures import Figure
from tests.benchmarks.runs import Load, run

WAYS: dict[str, dict[str, Any]] = {
    "live": {},
    "drain": {"drain": True},
    "window of 100": {"broker": embedded, "protocol": "3.1.1"},
}


def ingest(rounds: int, count: int) -> Iterator[Figure]:
    for way, how in WAYS.items():
        measured: dict[tuple[str, str], list[float]] = defaultdict(list)
        for _ in range(rounds):
            for subject in ("stock", "prototype", "gateway", "gateway, MQTT 3.1.1"):
                name, _, old = subject.partition(", MQTT ")
                if old and way != "drain":
                    continue
                told = run(name, Load(count), **{**how, "protocol": old or how.get("protocol", "auto")})
                for what in ("rate", "cpu_us", "rss_mib"):
                    measured[subject, what].append(told[what])
        yield from _told(way, {key: median(values) for key, values in measured.items()})


def cold(rounds: int) -> Iterator[Figure]:
    """Of each device the first message ever, as when a district comes back at once."""
    stations, seats = 1_000, 20
    load = Load(stations * seats, stations, seats)
    us = median(run("gateway", load)["cpu_us"] for _ in range(rounds))
    yield Figure(f"the first message of {stations * seats:,} devices, CPU", us, "µs/message", 80)


def _told(way: str, middle: dict[tuple[str, str], float]) -> Iterator[Figure]:
    stock = middle["stock", "rate"]
    # The embedded broker's window may cost half of what the gateway does without it, no more.
    least = 1.7 / 2 if way == "window of 100" else 1.7
    for subject in dict.fromkeys(subject for subject, _ in middle):
        rate = middle[subject, "rate"]
        promised = subject.startswith("gateway")
        most_us = 12 if promised and way != "window of 100" else None
        yield Figure(f"{way}: {subject}", rate, "messages/s")
        if subject != "stock":
            yield Figure(f"{way}: {subject}, beside stock", rate / stock, "×", least if promised else None, least=True)
        yield Figure(f"{way}: {subject}, CPU", middle[subject, "cpu_us"], "µs/message", most_us)
        yield Figure(f"{way}: {subject}, memory", middle[subject, "rss_mib"], "MiB")
