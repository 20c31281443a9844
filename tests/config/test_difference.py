"""What differs between two configurations, and what of it waits for a restart."""

from typing import Any

import pytest

from config.difference import difference
from config.schema import Settings

STATIONS: list[dict[str, Any]] = [
    {"id": name, "areas": [{"id": "hall", "resources": [{"id": "seat-01", "kind": "seat"}]}]} for name in ("a", "b")
]


def settings(**sections: Any) -> Settings:
    return Settings.model_validate({"stations": STATIONS} | sections)


def test_a_configuration_does_not_differ_from_itself() -> None:
    assert not difference(settings(), settings())


def test_only_the_station_that_differs_is_changed() -> None:
    other = [STATIONS[0], STATIONS[1] | {"hours": "24/7"}]
    told = difference(settings(), settings(stations=other))
    assert ([station.id for station in told.changed], told.added, told.removed) == (["b"], (), ())
    assert told.settings.stations[1].hours == "24/7"


def test_new_and_removed_stations_are_told_apart() -> None:
    told = difference(settings(), settings(stations=[STATIONS[1], STATIONS[0] | {"id": "c"}]))
    assert ([station.id for station in told.added], told.removed, told.changed) == (["c"], ("a",), ())


@pytest.mark.parametrize(
    "section",
    [{"timezone": "Europe/Berlin"}, {"privacy": {"tick_s": 60}}, {"kinds": {"seat": {"ttl_s": 60}}}],
    ids=["timezone", "privacy", "kinds"],
)
def test_a_default_of_stations_changes_all_of_them(section: dict[str, Any]) -> None:
    told = difference(settings(), settings(**section))
    assert [station.id for station in told.changed] == ["a", "b"]
    assert not told.waiting


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ({"mqtt": {"url": "mqtt://broker:1883"}}, "mqtt.url"),
        ({"store": {"path": "elsewhere"}}, "store.path"),
        ({"store": {"retention": {"raw_days": 1}}}, "store.retention.raw_days"),
        ({"api": {"listen": "127.0.0.1:81"}}, "api.listen"),
        ({"gateway": {"metrics_listen": "127.0.0.1:82"}}, "gateway.metrics_listen"),
    ],
    ids=["broker", "store", "retention", "listen", "metrics"],
)
def test_what_waits_for_a_restart_is_named_and_stays_as_it_is(section: dict[str, Any], key: str) -> None:
    old = settings()
    told = difference(old, settings(**section))
    assert told.waiting == (key,)
    assert not told
    assert told.settings == old


def test_how_screens_look_changes_at_once_beside_an_address_that_waits() -> None:
    told = difference(settings(), settings(api={"listen": "127.0.0.1:81", "display": {"lang": "en"}}))
    assert told.waiting == ("api.listen",)
    assert told.sections == {"api"}
    assert told.settings.api.display.lang == "en"
    assert told.settings.api.listen.port == 8080


def test_another_order_of_stations_is_a_change() -> None:
    assert difference(settings(), settings(stations=STATIONS[::-1])).sections == {"order"}
