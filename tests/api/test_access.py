"""Who may do what: the matrix of every route and role, keys, sessions."""

import json
import re
import stat
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.auth import COOKIE, ROLES, Key, KeyFileError, Keyring
from api.commands import discover
from tests.api.conftest import NOON, House

DAY = 86_400_000
# Whoever adds a route without a role says here that everybody may use it.
PUBLIC = {
    ("get", "/api/v1/stations"), ("get", "/api/v1/stations/{station}"), ("get", "/api/v1/stations/{station}/history"),
    ("get", "/api/v1/stations/{station}/utilization"), ("get", "/api/v1/stations/{station}/sessions"),
    ("get", "/api/v1/utilization"), ("post", "/api/v1/stations/{station}/reports"),
    ("get", "/api/v1/stream"), ("post", "/login"), ("post", "/logout"),
    ("put", "/api/v1/partner/override"),  # the link itself is the key
    ("get", "/healthz"), ("get", "/readyz"), ("get", "/metrics"),
}  # fmt: skip


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def ask(house: House, method: str, path: str, **more: Any) -> int:
    """The status only; a stream is not read."""
    with house.client.stream(method.upper(), path, **more) as answer:
        return answer.status_code


def test_every_route_lets_in_exactly_whom_its_role_says(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discover, "CONNECT_S", 0.2)  # there is no broker here, and nobody waits for one
    keys = {role: house.app.context.keyring.create(role, role, NOON) for role in ROLES}
    paths = house.get("/openapi.json").json()["paths"]
    for path, item in paths.items():
        for method, operation in item.items():
            needed, where = operation.get("x-role"), re.sub(r"\{.*?\}", "x", path.replace("{station}", "yanshan"))
            assert (needed is None) == ((method, path) in PUBLIC), f"{method} {path} is neither public nor has a role"
            assert ("security" in operation) == (needed is not None)
            if needed is None:
                assert ask(house, method, where) != 403
                continue
            assert ask(house, method, where) == 401
            assert ask(house, method, where, headers=bearer("yz_000000000000_" + "x" * 43)) == 401
            for role, token in keys.items():
                status = ask(house, method, where, headers=bearer(token))
                assert status != 401
                assert (status == 403) == (ROLES.index(role) < ROLES.index(needed)), f"{method} {path} as {role}"


def test_a_session_lasts_as_long_as_its_key_and_its_hours(house: House) -> None:
    keyring = house.app.context.keyring
    token = keyring.create("Li", "operator", NOON, stations=["yanshan"], expires_at=NOON + 30 * DAY)
    answer = house.client.post("/login", data={"key": f" {token} "})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert token not in cookie
    house.client.cookies.clear()
    with httpx.Client(cookies={COOKIE: answer.cookies[COOKIE]}, verify=False) as client:
        body = client.get(f"{house.url}/api/v1/session").json()
        assert body == {
            "name": "Li", "role": "operator", "stations": ["yanshan"], "regions": [], "expires": "2026-12-21T12:00:00Z",
        }  # fmt: skip
        house.clock.now += 12 * 3_600_000
        assert client.get(f"{house.url}/api/v1/session").status_code == 401
        house.clock.now = NOON
        assert keyring.revoke(token.split("_")[1])
        assert client.get(f"{house.url}/api/v1/session").status_code == 401
        assert client.post(f"{house.url}/logout").headers["set-cookie"].startswith(f'{COOKIE}=""')


def test_a_wrong_key_opens_nothing(house: House) -> None:
    assert house.client.post("/login", data={"key": "nope"}).status_code == 401
    assert house.client.post("/login", content=b"\xff\xfe&&key").status_code == 401
    page = house.client.post("/login", data={"key": "nope"}, headers={"accept": "text/html"})
    assert page.headers["location"] == "/login?wrong=1"


def test_a_page_of_another_site_cannot_log_anybody_in_or_out(house: House) -> None:
    for path in ("/login", "/logout"):
        assert house.client.post(path, headers={"origin": "https://evil.example"}).status_code == 403
    own = house.client.post("/logout", headers={"origin": house.url})
    assert own.status_code == 303


@pytest.mark.parametrize("cookie", ["", "x", "..", "a.b.c", "a.99999999999999999999.c", "000000000000.9999999999999.é"])
def test_a_made_up_cookie_is_nobody(tmp_path: Path, cookie: str) -> None:
    keyring = Keyring(tmp_path / "keys.json")
    keyring.create("n", "admin", NOON)
    assert keyring.check_session(cookie, NOON) is None


def test_a_session_cannot_be_prolonged_or_handed_to_another_key(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "keys.json")
    one, two = (keyring.check(keyring.create(name, "admin", NOON), NOON) for name in "ab")
    assert one
    assert two
    cookie = keyring.open_session(one, NOON + 10)
    assert keyring.check_session(cookie, NOON) == one
    assert keyring.check_session(cookie.replace(f".{NOON + 10}.", f".{NOON + 99}."), NOON) is None
    assert keyring.check_session(cookie.replace(one.id, two.id), NOON) is None


def test_the_file_holds_no_key_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keys.json"
    token = Keyring(path).create("n", "viewer", NOON)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert token.split("_", 2)[2] not in path.read_text()
    assert [one.name for one in path.parent.iterdir()] == ["keys.json"]


def test_another_process_is_heard_at_once(tmp_path: Path) -> None:
    here, there = Keyring(tmp_path / "keys.json"), Keyring(tmp_path / "keys.json")
    token = there.create("n", "viewer", NOON, expires_at=NOON + DAY)
    assert here.check(token, NOON)
    assert here.check(token, NOON + DAY) is None
    assert here.check(token[:-1] + ("A" if token[-1] != "A" else "B"), NOON) is None
    there.revoke(token.split("_")[1])
    assert here.check(token, NOON) is None
    assert not there.revoke("000000000000")


@pytest.mark.parametrize("text", ["", "[]", '{"keys": [{"id": 1}]}', '{"keys": 3}', "\x00"])
def test_a_damaged_file_is_named_and_lets_nobody_in(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(text)
    with pytest.raises(KeyFileError, match="is no file of keys"):
        Keyring(path).check("yz_000000000000_" + "x" * 43, NOON)


def test_scope_is_by_station_or_region(tmp_path: Path) -> None:
    def key(**scope: Any) -> Key:
        return Key("id", "n", "viewer", "", NOON, **scope)

    assert key().covers("any", ())
    assert key(stations=("a",)).covers("a", ())
    assert not key(stations=("a",)).covers("b", ("广东",))
    assert key(regions=("江门",)).covers("b", ("广东", "江门"))
    assert not key(regions=("深圳",)).covers("b", ("广东", "江门"))


def test_a_fresh_ring_is_empty_and_json(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "keys.json")
    assert keyring.all() == ()
    keyring.create("名", "viewer", NOON)
    assert json.loads((tmp_path / "keys.json").read_text("utf-8"))["keys"][0]["name"] == "名"


def test_while_the_file_of_keys_is_damaged_staff_are_told_so_and_the_public_sees_no_difference(house: House) -> None:
    path = house.app.context.keyring.path
    good = path.read_bytes()
    path.write_text("damaged")
    try:
        key = bearer("yz_000000000000_" + "x" * 43)
        assert house.get("/api/v1/session", headers=key).status_code == 503
        assert house.client.post("/login", data={"key": "yz_000000000000_" + "x" * 43}).status_code == 503
        assert house.get("/api/v1/stations/yanshan").status_code == 200
    finally:
        path.write_bytes(good)
