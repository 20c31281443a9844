"""A shard that is not there is told with its stations."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from api.missing_gateways import MissingCollector, troubles, watched
from gateway.base.sharing import shard_of

STATIONS = ("north", "south", "east", "west")
SECOND = [station for station in STATIONS if shard_of(station, 2) == 2]
UP = {"gateway-1of2": "online", "gateway-2of2": "online"}


def test_while_all_are_there_nothing_is_told() -> None:
    assert troubles(watched(UP, "gateway", STATIONS)) == []
    assert troubles(watched({}, "gateway", STATIONS)) == [], "nothing was heard yet"
    assert troubles(watched({"gateway": "online"}, "gateway", STATIONS)) == []


@pytest.mark.parametrize(
    "states", [UP | {"gateway-2of2": "offline"}, UP | {"gateway-2of2": "stopped"}, {"gateway-1of2": "online"}]
)
def test_one_that_went_or_never_came_is_told_with_its_stations(states: dict[str, str]) -> None:
    [told] = troubles(watched(states, "gateway", STATIONS))
    assert told == f"nobody watches {', '.join(SECOND)}: gateway-2of2 is not there, and what is shown of them runs out"


def test_where_all_are_gone_all_stations_are_told() -> None:
    told = troubles(watched(dict.fromkeys(UP, "offline"), "gateway", STATIONS))
    assert [station for station in STATIONS if any(station in names for names in told)] == list(STATIONS)
    assert "gateway is not there" in troubles(watched({"gateway": "offline"}, "gateway", STATIONS))[0]


def test_those_of_a_number_of_before_and_of_others_count_for_nothing() -> None:
    states = UP | {"gateway-3of4": "stopped", "other-1of9": "online", "gateway": "stopped"}
    assert troubles(watched(states, "gateway", STATIONS)) == []


def test_of_many_stations_five_are_named() -> None:
    many = [f"station-{number}" for number in range(8)]
    [told] = troubles(watched({"gateway": "offline"}, "gateway", many))
    assert "station-4 and 3 more stations" in told


def test_the_metric_counts_them_for_each_gateway() -> None:
    registry = CollectorRegistry()
    registry.register(MissingCollector(lambda: watched({"gateway-1of2": "online"}, "gateway", STATIONS)))
    text = generate_latest(registry).decode()
    assert 'yizhan_stations_without_gateway{gateway="gateway-1of2"} 0.0' in text
    assert f'yizhan_stations_without_gateway{{gateway="gateway-2of2"}} {float(len(SECOND))}' in text
