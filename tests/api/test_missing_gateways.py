"""A shard that is not there is told with its stations."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from api.missing_gateways import AWAY_S, Away, MissingCollector, troubles, watched
from config.schema import Settings
from gateway.base.sharing import shard_of
from tests.api.conftest import settings_in

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


def four_in(folder: Path) -> Settings:
    settings = settings_in(folder)
    stations = [settings.stations[0].model_copy(update={"id": name}) for name in STATIONS]
    return settings.model_copy(update={"stations": stations})


def test_stations_are_unwatched_once_their_gateway_is_away_for_a_while(tmp_path: Path) -> None:
    told: list[frozenset[str]] = []
    away, settings = Away(told.append), four_in(tmp_path)
    name = settings.gateway.id
    up = {f"{name}-1of2": "online", f"{name}-2of2": "online"}
    down = up | {f"{name}-2of2": "offline"}
    away.look(settings, up, 0)
    away.look(settings, down, 1)
    away.look(settings, dict(down), AWAY_S + 0.5)
    assert told == [], "a gateway that starts anew is away for less"
    for now_s in (AWAY_S + 1, AWAY_S + 2):
        away.look(settings, down, now_s)
    assert told == [frozenset(SECOND)], "once"
    away.look(settings, up, AWAY_S + 3)
    assert told == [frozenset(SECOND), frozenset()]
    away.look(settings, down, AWAY_S + 4)
    assert len(told) == 2, "it is counted anew"


def test_a_station_that_is_configured_while_its_gateway_is_away_is_told_too(tmp_path: Path) -> None:
    told: list[frozenset[str]] = []
    away, settings = Away(told.append), four_in(tmp_path)
    down = {settings.gateway.id: "offline"}
    fewer = settings.model_copy(update={"stations": settings.stations[:1]})
    away.look(fewer, down, 0)
    away.look(fewer, down, AWAY_S)
    away.look(settings, down, AWAY_S + 1)
    assert told == [frozenset(STATIONS[:1]), frozenset(STATIONS)]
