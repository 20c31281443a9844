"""Every route × who asks × own or another's station. A new route must join: the test walks the routes of the app."""

import re
from collections.abc import Iterator

import pytest

from api import pile_line
from api.auth import ROLES
from api.commands import discover
from tests.api.conftest import NOON, House

WHO = ("none", "bad", "viewer", "operator", "admin", "viewer elsewhere", "operator elsewhere", "admin elsewhere")
# One status for each of WHO. The store is there, and empty; without an alert side and a broker, changes hear 503.
ROWS: dict[tuple[str, str], str] = {
    ("GET", "/"): "200 200 200 200 200 200 200 200",
    ("GET", "/a/{token}"): "410 410 410 410 410 410 410 410",
    ("GET", "/api/v1/alerts"): "401 401 200 200 200 200 200 200",
    ("GET", "/api/v1/alerts/{alert}"): "401 401 404 404 404 404 404 404",
    ("GET", "/api/v1/audit"): "401 401 403 403 200 403 403 200",
    ("GET", "/api/v1/boxes"): "401 401 200 200 200 200 200 200",
    ("GET", "/boxes"): "401 401 200 200 200 200 200 200",
    ("GET", "/api/v1/config"): "401 401 403 403 503 403 403 503",
    ("GET", "/api/v1/config/schema"): "401 401 403 403 200 403 403 200",
    ("GET", "/api/v1/config/versions"): "401 401 403 403 503 403 403 503",
    ("GET", "/api/v1/deliveries"): "401 401 200 200 200 200 200 200",
    ("GET", "/api/v1/discover"): "401 401 403 403 403 403 403 403",
    ("GET", "/api/v1/orders"): "401 401 200 200 200 200 200 200",
    ("GET", "/api/v1/promises"): "401 401 200 200 200 200 200 200",
    ("GET", "/api/v1/session"): "401 401 200 200 200 200 200 200",
    ("GET", "/api/v1/sessions"): "401 401 200 200 200 200 200 200",
    ("DELETE", "/api/v1/sessions"): "401 401 200 200 200 200 200 200",
    ("DELETE", "/api/v1/sessions/{session}"): "401 401 404 404 404 404 404 404",
    ("GET", "/account"): "401 401 200 200 200 200 200 200",
    ("POST", "/account/passkeys"): "401 401 403 403 403 403 403 403",
    ("POST", "/account/passkeys/options"): "401 401 403 403 403 403 403 403",
    ("POST", "/login/passkey"): "401 401 401 401 401 401 401 401",
    ("POST", "/login/passkey/options"): "409 409 409 409 409 409 409 409",
    ("POST", "/account"): "401 401 422 422 422 422 422 422",
    ("GET", "/api/v1/staff"): "401 401 200 200 200 200 200 200",
    ("GET", "/api/v1/stations"): "200 200 200 200 200 200 200 200",
    ("GET", "/api/v1/stations/{station}"): "200 200 200 200 200 200 200 200",
    ("GET", "/api/v1/stations/{station}/checks"): "401 401 200 200 200 404 404 404",
    ("GET", "/api/v1/stations/{station}/checks/{id}/photo"): "401 401 422 422 422 422 422 422",
    ("GET", "/api/v1/stations/{station}/history"): "422 422 422 422 422 422 422 422",
    ("GET", "/api/v1/stations/{station}/lessons"): "401 401 200 200 200 404 404 404",
    ("GET", "/api/v1/stations/{station}/left-out"): "401 401 200 200 200 403 403 403",
    ("GET", "/api/v1/stations/{station}/override"): "401 401 200 200 200 404 404 404",
    ("GET", "/api/v1/stations/{station}/piles"): "401 401 503 503 503 404 404 404",
    ("GET", "/api/v1/stations/{station}/sessions"): "200 200 200 200 200 200 200 200",
    ("GET", "/api/v1/stations/{station}/tally"): "200 200 200 200 200 200 200 200",
    ("GET", "/api/v1/stations/{station}/utilization"): "200 200 200 200 200 200 200 200",
    ("GET", "/api/v1/stream"): "200 200 200 200 200 200 200 200",
    ("GET", "/api/v1/utilization"): "200 200 200 200 200 200 200 200",
    ("GET", "/api/v1/visits"): "200 200 200 200 200 200 200 200",
    ("GET", "/api/v1/stations/{station}/wishes"): "200 200 200 200 200 200 200 200",
    ("GET", "/api/v1/wishes"): "401 401 200 200 200 200 200 200",
    ("GET", "/m/{station}/wish"): "200 200 200 200 200 200 200 200",
    ("GET", "/wishes"): "401 401 200 200 200 200 200 200",
    ("POST", "/api/v1/stations/{station}/wishes"): "201 201 201 201 201 201 201 201",
    ("POST", "/api/v1/stations/{station}/wishes/{wish}/{deed}"): "401 401 403 422 422 403 422 422",
    ("POST", "/m/{station}/wish"): "422 422 422 422 422 422 422 422",
    ("POST", "/wishes"): "401 401 403 422 422 403 422 422",
    ("GET", "/c/{token}"): "404 404 404 404 404 404 404 404",
    ("GET", "/api/v1/subscriptions"): "401 401 200 200 200 200 200 200",
    ("POST", "/api/v1/subscriptions"): "401 401 422 422 422 422 422 422",
    ("DELETE", "/api/v1/subscriptions/{subscription}"): "401 401 404 404 404 404 404 404",
    ("POST", "/api/v1/subscriptions/{subscription}/rotate"): "401 401 404 404 404 404 404 404",
    ("GET", "/build"): "200 200 200 200 200 200 200 200",
    ("GET", "/discover"): "200 200 200 200 200 200 200 200",
    ("GET", "/docs"): "200 200 200 200 200 200 200 200",
    ("GET", "/docs.css"): "200 200 200 200 200 200 200 200",
    ("GET", "/feeds/spaceapi/{station}.json"): "200 200 200 200 200 200 200 200",
    ("GET", "/feeds/stations.csv"): "200 200 200 200 200 200 200 200",
    ("GET", "/feeds/stations.geojson"): "200 200 200 200 200 200 200 200",
    ("GET", "/feeds/{station}.ics"): "200 200 200 200 200 200 200 200",
    ("GET", "/feeds/{station}/{area}.ics"): "404 404 404 404 404 404 404 404",
    ("GET", "/healthz"): "200 200 200 200 200 200 200 200",
    ("GET", "/login"): "200 200 200 200 200 200 200 200",
    ("GET", "/login/{provider}"): "404 404 404 404 404 404 404 404",
    ("GET", "/login/{provider}/back"): "404 404 404 404 404 404 404 404",
    ("GET", "/m/{station}"): "200 200 200 200 200 200 200 200",
    ("GET", "/m/{station}/busy"): "200 200 200 200 200 200 200 200",
    ("GET", "/m"): "200 200 200 200 200 200 200 200",
    ("GET", "/m/app.webmanifest"): "200 200 200 200 200 200 200 200",
    ("GET", "/m/{station}/app.webmanifest"): "200 200 200 200 200 200 200 200",
    ("GET", "/metrics"): "200 200 200 200 200 200 200 200",
    ("DELETE", "/ocpi/2.2.1/credentials"): "404 404 404 404 404 404 404 404",
    ("GET", "/ocpi/2.2.1"): "404 404 404 404 404 404 404 404",
    ("GET", "/ocpi/2.2.1/credentials"): "404 404 404 404 404 404 404 404",
    ("GET", "/ocpi/2.2.1/locations"): "404 404 404 404 404 404 404 404",
    ("GET", "/ocpi/2.2.1/locations/{station}"): "404 404 404 404 404 404 404 404",
    ("GET", "/ocpi/2.2.1/locations/{station}/{evse}"): "404 404 404 404 404 404 404 404",
    ("GET", "/ocpi/2.2.1/locations/{station}/{evse}/{connector}"): "404 404 404 404 404 404 404 404",
    ("GET", "/ocpi/versions"): "404 404 404 404 404 404 404 404",
    ("POST", "/ocpi/2.2.1/credentials"): "404 404 404 404 404 404 404 404",
    ("PUT", "/ocpi/2.2.1/credentials"): "404 404 404 404 404 404 404 404",
    ("GET", "/openapi.json"): "200 200 200 200 200 200 200 200",
    ("GET", "/p/{token}"): "200 200 200 200 200 200 200 200",
    ("GET", "/compare"): "401 401 200 200 200 200 200 200",
    ("GET", "/promises"): "401 401 200 200 200 200 200 200",
    ("GET", "/readyz"): "200 200 200 200 200 200 200 200",
    ("GET", "/api/v1/rooms"): "200 200 200 200 200 200 200 200",
    ("GET", "/rooms"): "200 200 200 200 200 200 200 200",
    ("GET", "/screen/{station}"): "200 200 200 200 200 200 200 200",
    ("GET", "/screen/{station}/code.svg"): "200 200 200 200 200 200 200 200",
    ("GET", "/screen/{station}/plan.svg"): "404 404 404 404 404 404 404 404",
    ("GET", "/static/{build}/{name:path}"): "404 404 404 404 404 404 404 404",
    ("GET", "/stations/{station}"): "200 200 200 200 200 200 200 200",
    ("GET", "/stations/{station}/report"): "401 401 200 200 200 401 401 401",
    ("GET", "/api/v1/setup/devices"): "401 401 403 403 403 403 403 403",
    ("GET", "/api/v1/setup/hours"): "401 401 403 403 422 403 403 422",
    ("GET", "/api/v1/setup/keys"): "401 401 403 403 403 403 403 403",
    ("GET", "/api/v1/setup/place"): "401 401 403 403 422 403 403 422",
    ("GET", "/setup"): "200 200 200 200 200 200 200 200",
    ("GET", "/setup/channels"): "200 200 200 200 200 200 200 200",
    ("GET", "/setup/devices"): "200 200 200 200 200 200 200 200",
    ("GET", "/setup/door"): "200 200 200 200 200 200 200 200",
    ("GET", "/setup/people"): "200 200 200 200 200 200 200 200",
    ("GET", "/setup/stations/{station}"): "200 200 200 200 200 200 200 200",
    ("GET", "/setup/stations/{station}/sheet"): "401 401 403 403 200 403 403 404",
    ("GET", "/setup/versions"): "200 200 200 200 200 200 200 200",
    ("GET", "/sw.js"): "200 200 200 200 200 200 200 200",
    ("POST", "/a/{token}"): "410 410 410 410 410 410 410 410",
    ("POST", "/api/v1/alerts/{alert}/acknowledge"): "401 401 403 404 404 403 404 404",
    ("POST", "/api/v1/alerts/{alert}/close"): "401 401 403 404 404 403 404 404",
    ("POST", "/api/v1/alerts/{alert}/comment"): "401 401 403 404 404 403 404 404",
    ("POST", "/api/v1/alerts/{alert}/mute"): "401 401 403 404 404 403 404 404",
    ("POST", "/api/v1/alerts/{alert}/undo"): "401 401 403 404 404 403 404 404",
    ("POST", "/api/v1/config/changes"): "401 401 403 403 428 403 403 428",
    ("POST", "/api/v1/config/versions/{n}/restore"): "401 401 403 403 503 403 403 503",
    ("POST", "/api/v1/deliveries/{delivery}/retry"): "401 401 403 404 404 403 404 404",
    ("POST", "/api/v1/orders"): "401 401 403 503 503 403 404 404",
    ("POST", "/api/v1/orders/{order}/accept"): "401 401 403 404 404 403 404 404",
    ("POST", "/api/v1/orders/{order}/done"): "401 401 403 404 404 403 404 404",
    ("POST", "/api/v1/orders/{order}/undo"): "401 401 403 404 404 403 404 404",
    ("POST", "/api/v1/orders/{order}/verify"): "401 401 403 404 404 403 404 404",
    ("POST", "/api/v1/piles/{charge_point}/calls"): "401 401 403 403 503 403 403 503",
    ("POST", "/api/v1/stations/{station}/checks"): "401 401 403 404 404 403 404 404",
    ("POST", "/api/v1/stations/{station}/piles/{device}"): "401 401 403 503 503 403 404 404",
    ("POST", "/api/v1/stations/{station}/reports"): "503 503 503 503 503 503 429 429",
    ("POST", "/api/v1/stations/{station}/tally"): "201 201 201 201 201 201 201 201",
    ("DELETE", "/api/v1/setup/keys/{key}"): "401 401 403 403 403 403 403 403",
    ("POST", "/api/v1/setup/channels/test"): "401 401 403 403 403 403 403 403",
    ("POST", "/api/v1/setup/keys"): "401 401 403 403 403 403 403 403",
    ("POST", "/api/v1/setup/secrets"): "401 401 403 403 403 403 403 403",
    ("POST", "/c/{token}"): "404 404 404 404 404 404 404 404",
    ("POST", "/login"): "401 401 401 401 401 401 401 401",
    ("POST", "/logout"): "303 303 303 303 303 303 303 303",
    ("POST", "/setup/enter"): "401 401 401 401 401 401 401 401",
    ("PUT", "/api/v1/partner/override"): "401 401 401 401 401 401 401 401",
    ("PUT", "/api/v1/stations/{station}/checks/{id}/photo"): "401 401 403 422 422 403 404 404",
    ("PUT", "/api/v1/stations/{station}/override"): "401 401 403 503 503 403 404 404",
}


def routes_of(house: House) -> Iterator[tuple[str, str]]:
    for route in reversed(house.app._front._app.routes):  # type: ignore[attr-defined]
        yield from ((method, route.path) for method in sorted(route.methods or ()) if method != "HEAD")


def keys_of(house: House) -> dict[str, dict[str, str]]:
    create = house.app.context.keyring.create
    tokens = {"bad": "yz_000000000000_" + "x" * 43}
    for role in ROLES:
        tokens[role] = create(role, role, NOON, stations=["yanshan"])
        tokens[f"{role} elsewhere"] = create(role, role, NOON, stations=["shaping"])
    return {"none": {}, **{who: {"authorization": f"Bearer {token}"} for who, token in tokens.items()}}


BODIES = {
    "/api/v1/config/changes": {"changes": [{"op": "remove", "path": "/stations/yanshan"}]},
    "/account/passkeys": {"credential": {}},
    "/login/passkey": {"credential": {}},
    "/api/v1/setup/keys": {"name": "Li", "role": "viewer"},
    "/api/v1/setup/secrets": {"name": "duty"},
    "/api/v1/setup/channels/test": {"channel": {}},
    "/api/v1/stations/{station}/override": {"status": "closed", "until": "2026-11-21T22:00:00+08:00"},
    "/api/v1/orders": {"station": "yanshan", "title": "sweep"},
    "/api/v1/partner/override": {"status": "closed"},
    "/api/v1/stations/{station}/checks": {
        "id": "0b9f3c1e-2f54-4c3e-9a61-6f1f0c1d2e3f",
        "check": "aed",
        "at": "2026-11-21T20:00:00+08:00",
        "result": "ok",
    },
    "/api/v1/stations/{station}/reports": {"kind": "dirty"},
    "/api/v1/stations/{station}/tally": {"occupation": "courier"},
    "/api/v1/stations/{station}/wishes": {"interest": "tai_chi", "when": "weekday_morning"},
    "/api/v1/alerts/{alert}/comment": {"text": "seen"},
    "/api/v1/piles/{charge_point}/calls": {"action": "Reset", "payload": {"type": "Soft"}},
    "/api/v1/stations/{station}/piles/{device}": {"do": "reset"},
}


def test_each_route_answers_each_asker_as_its_row_says(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discover, "CONNECT_S", 0.1)
    monkeypatch.setattr(pile_line, "READY_S", 0.1)
    keys, rows = keys_of(house), {}
    for method, path in routes_of(house):
        url = re.sub(r"\{.*?\}", "x", path.replace("{station}", "yanshan").replace("{n}", "1"))
        statuses = []
        for who in WHO:
            statuses.append(str(house.status_of(method, url, headers=keys[who], json=BODIES.get(path))))
        rows[method, path] = " ".join(statuses)
    assert set(rows) == set(ROWS), "each route of the app has a row here"
    assert rows == ROWS
