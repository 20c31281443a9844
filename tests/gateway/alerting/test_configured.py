from pathlib import Path
from typing import Any

import pytest

from config.schema import Settings
from gateway.alerting.configured import base_url, limits_of, outlets_of, policy_of, routes_of
from gateway.alerts.places import Places, in_language
from tests.gateway.alerting.house import STATION, T0

HOOK = {"id": "hook", "kind": "webhook", "url": "https://hook.example.org/x", "fallback": "robot", "lang": "en"}
ROBOT = {"id": "robot", "kind": "wecom", "url": "https://qyapi.example.org/x"}


def settings(alerts: dict[str, Any] | None = None, **more: Any) -> Settings:
    config = {"stations": [STATION], "alerts": alerts or {}} | more
    return Settings.model_validate(config, context={"base": Path(), "check_files": False})


def test_delays_and_limits_are_the_configurations() -> None:
    thresholds = {"site_offline_pct": 60, "battery_low_pct": 12, "door_held_s": 5}
    given = settings({"raise_delay_s": 1, "clear_delay_s": 2, "flap_hold_s": 3, "thresholds": thresholds})
    policy, limits = policy_of(given), limits_of(given)
    assert (policy.raise_delay_ms, policy.clear_delay_ms, policy.flap_hold_ms) == (1000, 2000, 3000)
    assert (policy.site_offline_pct, limits.battery_low_pct, limits.door_held_ms) == (60, 12, 5000)


def test_without_routes_every_channel_hears_everything() -> None:
    [route] = routes_of(settings({"channels": [HOOK, ROBOT]}))
    assert route.channels == ("hook", "robot")
    assert routes_of(settings()) == []


def test_a_route_keeps_its_hours_and_its_escalation() -> None:
    route = {
        "channels": ["hook"],
        "hours": "08:00-18:00",
        "escalate_after_min": 15,
        "escalate_to": ["robot"],
        "severity": "warning",
    }
    [made] = routes_of(settings({"channels": [HOOK, ROBOT], "routes": [route]}))
    assert made.open_at is not None
    # 20:00 and, twelve hours later, 08:00 in Shanghai
    assert (made.open_at(T0), made.open_at(T0 + 43_200_000)) == (False, True)
    assert (made.escalate_after_ms, made.escalate_to, made.severities) == (900_000, ("robot",), ("warning", "critical"))


def test_outlets_know_their_fallback_and_language() -> None:
    outlets = outlets_of(settings({"channels": [HOOK, ROBOT]}))
    assert (outlets["hook"].fallback, outlets["hook"].lang, outlets["robot"].lang) == ("robot", "en", "zh")


@pytest.mark.parametrize(
    ("api", "url"),
    [
        ({"public_url": "https://yz.example.org/"}, "https://yz.example.org"),
        ({"listen": "127.0.0.1:8123"}, "http://127.0.0.1:8123"),
        ({"listen": "[::1]:8123"}, "http://[::1]:8123"),
        ({"listen": "127.0.0.1:0"}, None),
    ],
)
def test_links_lead_to_where_our_pages_are(api: dict[str, str], url: str | None) -> None:
    assert base_url(settings(api=api)) == url


def test_places_are_read_off_the_configuration() -> None:
    places = Places.of(settings())
    assert places.kinds["yanshan", "aed"] == "safety"
    assert places.zones["yanshan"] == "Asia/Shanghai"
    assert in_language(places.stations["yanshan"], "en", "yanshan") == "雁山驿站"
    assert in_language({}, "en", "yanshan") == "yanshan"
