"""Which stations nobody watches now: the gateway that has them is not there. Told, since their values only run out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.base.sharing import shard_of, shard_suffix, shards_by_name

if TYPE_CHECKING:
    from config.schema import Settings

NAMED_MOST = 5
AWAY_S = 10.0  # a gateway that is started anew is away for less, and no wall needs to tell of it
ONLINE = "online"


def watched(states: Mapping[str, str], gateway: str, stations: Sequence[str]) -> dict[str, tuple[bool, list[str]]]:
    """Gateway → whether it is there, and its stations. `states`: what each gateway that was heard of says of itself.

    How many shards there should be is known from the names of those that are there, else of those that were.
    """
    numbers = shards_by_name(states, gateway)
    there = {number for name, number in numbers.items() if states[name] == ONLINE}
    if not numbers:
        return {}
    shards = max(there or set(numbers.values()))
    told: dict[str, tuple[bool, list[str]]] = {}
    for shard in range(1, shards + 1) if shards else (0,):
        name = gateway + shard_suffix(shard, shards)
        theirs = [station for station in stations if shard_of(station, shards) == shard]
        told[name] = states.get(name) == ONLINE, theirs
    return told


def troubles(told: Mapping[str, tuple[bool, list[str]]]) -> list[str]:
    """In words, one for each gateway that is missing where stations wait for it."""
    return [
        f"nobody watches {_named(stations)}: {name} is not there, and what is shown of them runs out"
        for name, (there, stations) in told.items()
        if stations and not there
    ]


def _named(stations: Sequence[str]) -> str:
    more = len(stations) - NAMED_MOST
    named = ", ".join(stations[:NAMED_MOST])
    return f"{named} and {more} more stations" if more > 0 else named


class Away:
    """Tells which stations nobody watches, whenever that changes: those whose gateway is away for `AWAY_S` by now."""

    def __init__(self, tell: Callable[[frozenset[str]], None]) -> None:
        self._tell = tell
        self._settings: Settings | None = None
        self._states: Mapping[str, str] = {}
        self._missing: dict[str, list[str]] = {}
        self._since_s: dict[str, float] = {}
        self._told: frozenset[str] = frozenset()

    def look(self, settings: "Settings", states: Mapping[str, str], now_s: float) -> None:
        """`now_s` of a clock that only goes on. Costs something only after a change."""
        if settings is not self._settings or states != self._states:
            self._settings, self._states = settings, states
            told = watched(states, settings.gateway.id, [station.id for station in settings.stations])
            self._missing = {name: stations for name, (there, stations) in told.items() if not there}
        self._since_s = {name: self._since_s.get(name, now_s) for name in self._missing}
        away = [name for name, since_s in self._since_s.items() if now_s - since_s >= AWAY_S]
        unwatched = frozenset(station for name in away for station in self._missing[name])
        if unwatched != self._told:
            self._told = unwatched
            self._tell(unwatched)


class MissingCollector(Collector):
    """For an API in a process of its own."""

    def __init__(self, told: Callable[[], Mapping[str, tuple[bool, list[str]]]]) -> None:
        self._told = told

    def collect(self) -> Iterator[Metric]:
        missing = GaugeMetricFamily(
            "yizhan_stations_without_gateway", "stations whose gateway is not there", labels=["gateway"]
        )
        for name, (there, stations) in self._told().items():
            missing.add_metric([name], 0 if there else len(stations))
        yield missing
