"""Who may do what: the matrix of every route and role, keys, sessions."""

import asyncio
import hmac
import json
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import HTTPException, Request

from api import access_book, pile_line, sessions
from api.access_book import AccessBook
from api.attempts import Attempts, address_of
from api.auth import COOKIE, ROLES, Key, KeyFileError, Keyring
from api.commands import discover
from api.reach import RegionError, regions_of, resolve
from api.sessions import BOOK, SESSION_KEY, LogIn
from tests.api.conftest import NOON, House

DAY = 86_400_000
# Whoever adds a route without a role says here that everybody may use it.
PUBLIC = {
    ("get", "/api/v1/stations"), ("get", "/api/v1/stations/{station}"), ("get", "/api/v1/stations/{station}/history"),
    ("get", "/api/v1/stations/{station}/utilization"), ("get", "/api/v1/stations/{station}/sessions"),
    ("get", "/api/v1/utilization"), ("get", "/api/v1/rooms"),
    ("get", "/feeds/stations.geojson"), ("get", "/feeds/stations.csv"),
    ("get", "/feeds/spaceapi/{station}.json"), ("get", "/feeds/{station}.ics"), ("get", "/feeds/{station}/{area}.ics"),
    ("get", "/api/v1/visits"), ("post", "/api/v1/stations/{station}/reports"),
    ("get", "/api/v1/stream"), ("post", "/login"), ("post", "/logout"),
    ("put", "/api/v1/partner/override"),  # the link itself is the key
    ("post", "/api/v1/stations/{station}/checks"),  # an operator, or the link is the key: tests/api/test_matrix.py
    ("put", "/api/v1/stations/{station}/checks/{id}/photo"),  # as well
    # a token of OCPI, and 404 without `ocpi:`: tests/api/ocpi
    ("get", "/ocpi/versions"), ("get", "/ocpi/2.2.1"), ("get", "/ocpi/2.2.1/credentials"),
    ("post", "/ocpi/2.2.1/credentials"), ("put", "/ocpi/2.2.1/credentials"), ("delete", "/ocpi/2.2.1/credentials"),
    ("get", "/ocpi/2.2.1/locations"), ("get", "/ocpi/2.2.1/locations/{station}"),
    ("get", "/ocpi/2.2.1/locations/{station}/{evse}"), ("get", "/ocpi/2.2.1/locations/{station}/{evse}/{connector}"),
    ("get", "/api/v1/stations/{station}/tally"), ("post", "/api/v1/stations/{station}/tally"),
    ("get", "/api/v1/stations/{station}/wishes"), ("post", "/api/v1/stations/{station}/wishes"),
    ("get", "/healthz"), ("get", "/readyz"), ("get", "/metrics"),
}  # fmt: skip


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def ask(house: House, method: str, path: str, **more: Any) -> int:
    return house.status_of(method.upper(), path, **more)


def test_every_route_lets_in_exactly_whom_its_role_says(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pile_line, "READY_S", 0.1)
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
    with httpx.Client(cookies={COOKIE: answer.cookies[COOKIE]}, timeout=60, verify=False) as client:
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


@pytest.mark.parametrize("path", ["/login", "/setup/enter"])
def test_a_form_that_is_none_of_ours_is_no_fault_of_ours(house: House, path: str) -> None:
    answer = house.client.post(path, content=b"&".join(b"a=1" for _ in range(9)))
    assert answer.status_code == 422


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
    first, two = (keyring.check(keyring.create(name, "admin", NOON), NOON) for name in "ab")
    assert first
    assert two
    cookie = keyring.open_session(first, LogIn(first.name), NOON, NOON + 10)
    assert keyring.check_session(cookie, NOON) == first
    assert keyring.check_session(cookie.replace(f".{NOON + 10}.", f".{NOON + 99}."), NOON) is None
    assert keyring.check_session(cookie.replace(first.id, two.id), NOON) is None


def test_the_file_holds_no_key_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keys.json"
    token = Keyring(path).create("n", "viewer", NOON)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert token.split("_", 2)[2] not in path.read_text()
    assert [file.name for file in path.parent.iterdir()] == ["keys.json"]


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
    assert key(regions=("广东/江门",)).covers("b", ("广东", "江门"))
    assert key(regions=("广东/江门",)).covers("b", ("广东", "江门", "鹤山"))
    assert key(regions=("/广东",)).covers("b", ("广东", "江门"))
    assert not key(regions=("广东/江门",)).covers("b", ("广东",))
    assert not key(regions=("江苏/南京/鼓楼区",)).covers("b", ("福建", "福州", "鼓楼区"))
    assert not key(regions=("江苏/鼓楼区",)).covers("b", ("江苏", "南京", "鼓楼区"))
    assert not key(regions=("江门",)).covers("b", ("江门",)), "a name alone is no path"


PLACES = frozenset(
    {("江苏",), ("江苏", "南京"), ("江苏", "南京", "鼓楼区"), ("福建",), ("福建", "福州"), ("福建", "福州", "鼓楼区")}
)


@pytest.mark.parametrize(
    ("name", "path"),
    [("南京", "江苏/南京"), ("江苏", "/江苏"), ("/江苏", "/江苏"), ("南京/鼓楼区", "江苏/南京/鼓楼区")],
)
def test_a_region_is_named_by_its_path_or_by_an_end_of_it_that_is_unique(name: str, path: str) -> None:
    assert resolve(name, PLACES) == path


@pytest.mark.parametrize("name", ["鼓楼区", "上海", "江苏/鼓楼区", "/南京", "", "/", "南京/"])
def test_any_other_region_is_refused_and_the_candidates_are_named(name: str) -> None:
    with pytest.raises(RegionError) as refused:
        resolve(name, PLACES)
    if name == "鼓楼区":
        assert "江苏/南京/鼓楼区" in str(refused.value)
        assert "福建/福州/鼓楼区" in str(refused.value)


def test_a_bare_name_of_an_old_file_holds_while_one_region_has_it_and_never_widens(tmp_path: Path) -> None:
    token = Keyring(tmp_path / "keys.json").create("n", "operator", NOON, regions=["鼓楼区"])
    nanjing = ("江苏", "南京", "鼓楼区")
    for known, holds in (([nanjing], True), ([nanjing, ("福建", "福州", "鼓楼区")], False), ([], False)):
        key = Keyring(tmp_path / "keys.json", None, regions_of(known)).check(token, NOON)
        assert key is not None
        assert key.covers("a", nanjing) is holds
        assert not key.everywhere


def _create_one(path: Path) -> None:
    Keyring(path).create("n", "viewer", NOON)


def test_keys_made_at_the_same_moment_all_stay_and_a_revoked_one_never_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    gone = Keyring(path).create("gone", "admin", NOON).split("_")[1]
    with ThreadPoolExecutor(7) as pool:
        made = [pool.submit(_create_one, path) for _ in range(6)]
        made.append(pool.submit(Keyring(path).revoke, gone))  # type: ignore[arg-type]
        for making in made:
            making.result()
    assert [key.name for key in Keyring(path).all()] == ["n"] * 6


def test_who_reads_the_file_of_keys_or_a_backup_can_make_no_cookie(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "keys.json")
    key = keyring.check(keyring.create("boss", "admin", NOON), NOON)
    assert key
    good = keyring.open_session(key, LogIn(key.name), NOON, NOON + DAY)
    elsewhere = Keyring(tmp_path / "keys.json", tmp_path / "thief")
    assert keyring.check_session(elsewhere.open_session(key, LogIn(key.name), NOON, NOON + DAY), NOON) is None
    old = hmac.new(bytes.fromhex(key.sha256), f"session.{key.id}.{NOON + DAY}".encode(), "sha256").hexdigest()
    assert keyring.check_session(f"{key.id}.{NOON + DAY}.{old}", NOON) is None
    assert keyring.check_session(good, NOON) == key
    for name in (SESSION_KEY, BOOK):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    (tmp_path / SESSION_KEY).unlink()
    assert keyring.check_session(good, NOON) is None


def test_a_session_that_was_logged_out_is_over_in_every_process_and_after_a_restart(tmp_path: Path) -> None:
    here, there = Keyring(tmp_path / "keys.json"), Keyring(tmp_path / "keys.json")
    key = here.check(here.create("n", "viewer", NOON), NOON)
    assert key
    first, two = (
        here.open_session(key, LogIn(key.name), NOON, NOON + DAY),
        there.open_session(key, LogIn(key.name), NOON, NOON + DAY),
    )
    assert there.check_session(first, NOON) == key
    assert here.end_session(first, NOON) == key
    for ring in (here, there, Keyring(tmp_path / "keys.json")):
        assert ring.check_session(first, NOON) is None
        assert ring.check_session(two, NOON) == key
    assert here.end_session(first, NOON) is None


@pytest.mark.parametrize("bound", ["KEPT", "KEPT_OF_ONE"])
def test_the_book_of_sessions_is_bounded_and_the_longest_unused_ends_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(sessions, bound, 3)
    keyring = Keyring(tmp_path / "keys.json")
    key = keyring.check(keyring.create("n", "viewer", NOON), NOON)
    assert key
    cookies = [keyring.open_session(key, LogIn("n"), NOON + number, NOON + DAY) for number in range(3)]
    later = NOON + sessions.SEEN_EVERY_MS
    assert keyring.check_session(cookies[0], later) == key
    cookies.append(keyring.open_session(key, LogIn("n"), later, NOON + DAY))
    assert [keyring.check_session(cookie, later) for cookie in cookies] == [key, None, key, key]
    assert len(json.loads((tmp_path / BOOK).read_text())["sessions"]) == 3
    assert keyring.check_session(keyring.open_session(key, LogIn("n"), NOON + 2 * DAY, NOON + 3 * DAY), NOON + 2 * DAY)
    assert len(json.loads((tmp_path / BOOK).read_text())["sessions"]) == 1, "those that are over are not kept"


@pytest.mark.parametrize("name", [SESSION_KEY, BOOK])
def test_a_damaged_file_of_sessions_lets_nobody_in_and_the_next_log_in_mends_it(tmp_path: Path, name: str) -> None:
    keyring = Keyring(tmp_path / "keys.json")
    key = keyring.check(keyring.create("n", "viewer", NOON), NOON)
    assert key
    old = keyring.open_session(key, LogIn(key.name), NOON, NOON + DAY)
    (tmp_path / name).write_text("damaged")
    assert keyring.check_session(old, NOON) is None
    assert keyring.check_session(keyring.open_session(key, LogIn(key.name), NOON, NOON + DAY), NOON) == key
    assert keyring.check_session(old, NOON) is None


def test_log_ins_and_log_outs_are_in_the_trail_and_a_log_out_ends_the_cookie(house: House) -> None:
    keyring = house.app.context.keyring
    token = keyring.create("Wang", "admin", NOON)
    cookie = house.client.post("/login", data={"key": token}).cookies[COOKIE]
    house.client.cookies.clear()
    with httpx.Client(cookies={COOKIE: cookie}, timeout=60, verify=False) as client:
        assert client.get(f"{house.url}/api/v1/session").status_code == 200
        assert client.post(f"{house.url}/logout").status_code == 303
    with httpx.Client(cookies={COOKIE: cookie}, timeout=60, verify=False) as client:
        assert client.get(f"{house.url}/api/v1/session").status_code == 401
    told = [(line.who, line.what, line.target, line.detail) for line in keyring.book.lines(2)]
    key_id = token.split("_")[1]
    assert told == [("Wang", "logged_out", key_id, "127.0.0.1"), ("Wang", "logged_in", key_id, "127.0.0.1")]


def test_wrong_keys_are_slowed_for_their_address_and_told_once_in_a_while() -> None:
    told: list[tuple[str, int]] = []
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def guess() -> None:
        attempts = Attempts(lambda *line: told.append(line), sleep)
        for _ in range(12):
            attempts.may("192.0.2.1")
            await attempts.failed("192.0.2.1", NOON)
        await attempts.failed("192.0.2.2", NOON)
        assert waits == [0.25, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0, 4.0]
        await attempts.failed("192.0.2.1", NOON + 16 * 60_000)  # long after
        assert len(waits) == 9

    asyncio.run(guess())
    assert told == [("192.0.2.1", 5), ("192.0.2.1", 10)]


def test_who_guesses_many_at_once_waits_and_nobody_else_does() -> None:
    async def guess() -> None:
        over = asyncio.Event()

        async def sleep(_seconds: float) -> None:
            await over.wait()

        attempts = Attempts(lambda *_line: None, sleep)
        for _ in range(3):
            await attempts.failed("a", NOON)
        waiting = [asyncio.create_task(attempts.failed("a", NOON)) for _ in range(4)]
        await asyncio.sleep(0)
        with pytest.raises(HTTPException) as refused:
            attempts.may("a")
        assert (refused.value.status_code, refused.value.headers) == (429, {"retry-after": "5"})
        attempts.may("b")
        over.set()
        await asyncio.gather(*waiting)
        attempts.may("a")

    asyncio.run(guess())


def test_a_right_key_is_not_refused_while_wrong_ones_of_its_address_wait(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = house.app.context.keyring.create("Wang", "viewer", NOON)

    def refuse(_attempts: Attempts, _address: str) -> None:
        raise HTTPException(429)

    monkeypatch.setattr(Attempts, "may", refuse)
    assert house.client.post("/login", data={"key": "wrong"}).status_code == 429
    assert house.client.post("/login", data={"key": token}).status_code == 303
    house.client.cookies.clear()


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("::ffff:192.0.2.7", "192.0.2.7"),
        ("gate", "gate"), ("", "?"),
    ],
)  # fmt: skip
def test_an_address_of_the_new_kind_stands_for_its_network(host: str, address: str) -> None:
    assert address_of(Request({"type": "http", "client": (host, 1), "headers": []})) == address


def test_the_book_is_private_bounded_and_outlives_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_book, "LONGEST_BYTES", 3_000)
    book = AccessBook(tmp_path / "deep")
    for number in range(100):
        book.note(NOON + number, "Li\nadmin", "logged_in", "k" * 1000, "13812345678")
        assert book.path.stat().st_size < 3_500
    with book.path.open("ab") as file:
        file.write(b'{"half\n[]\n\xff\n')
    newest = book.lines(2)
    assert [line.at for line in newest] == [NOON + 99, NOON + 98]
    assert (newest[0].who, newest[0].detail, len(newest[0].target)) == ("Li admin", "…", 200)
    assert stat.S_IMODE(book.path.stat().st_mode) == 0o600


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
