"""Where somebody is logged in: the list, its page, and what it means to end a session."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from api.auth import COOKIE, Keyring
from api.sessions import BOOK, SEEN_EVERY_MS
from api.user_agents import device_of
from tests.api.conftest import NOON, House

ANDROID = "Mozilla/5.0 (Linux; Android 14; 23113RKC6C) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0 Mobile"
HOUR = 3_600_000


@contextmanager
def logged_in(house: House, token: str, agent: str = ANDROID) -> Iterator[httpx.Client]:
    """A browser of its own."""
    with httpx.Client(base_url=house.url, timeout=60, headers={"user-agent": agent}, verify=False) as client:
        assert client.post("/login", data={"key": token}).status_code == 303
        yield client


def status(client: httpx.Client) -> int:
    return client.get("/api/v1/session").status_code


@pytest.fixture
def keyring(house: House) -> Keyring:
    house.clock.now = NOON
    keyring = house.app.context.keyring
    keyring.sessions.end(lambda _: True, NOON)
    return keyring


def test_people_see_where_they_are_logged_in_and_nobody_elses(house: House, keyring: Keyring) -> None:
    li, wang = (keyring.create(name, "operator", NOON) for name in ("Li", "Wang"))
    with logged_in(house, li) as phone, logged_in(house, li, "curl/8.5.0"), logged_in(house, wang):
        rows = phone.get("/api/v1/sessions").json()["sessions"]
        assert sorted((row["who"], row["how"], row["device"], row["own"]) for row in rows) == [
            ("Li", "key", "Chrome · Android", True), ("Li", "key", "curl", False),
        ]  # fmt: skip
        assert {row["since"] for row in rows} == {"2026-11-21T12:00:00Z"}
        assert {row["until"] for row in rows} == {"2026-11-22T00:00:00Z"}
        assert phone.get("/api/v1/sessions?all=true").status_code == 403
        assert li not in (house.app.context.settings.store.path / BOOK).read_text()


def test_an_ended_session_is_refused_at_once_in_every_process(house: House, keyring: Keyring) -> None:
    token = keyring.create("Li", "operator", NOON)
    folder = house.app.context.settings.store.path
    with logged_in(house, token) as here, logged_in(house, token) as there:
        other_process, cookie = Keyring(keyring.path, folder), there.cookies[COOKIE]
        assert other_process.check_session(cookie, NOON)
        (ended,) = (row["id"] for row in here.get("/api/v1/sessions").json()["sessions"] if not row["own"])
        assert here.delete(f"/api/v1/sessions/{ended}").status_code == 204
        assert (status(here), status(there)) == (200, 401)
        assert other_process.check_session(cookie, NOON) is None
        assert here.delete(f"/api/v1/sessions/{ended}").status_code == 404
    told = [(line.who, line.what, line.target, line.detail) for line in keyring.book.lines(1)]
    assert told == [("Li", "session_ended", ended, "Li, key, Chrome · Android")]


def test_a_session_of_another_is_ended_by_an_admin_of_all_stations_alone(house: House, keyring: Keyring) -> None:
    key = keyring.create
    li, peer = key("Li", "operator", NOON), key("Wang", "operator", NOON)
    local, boss = key("Local", "admin", NOON, stations=["yanshan"]), key("Boss", "admin", NOON)
    with logged_in(house, li) as of_li:
        (session,) = (row["id"] for row in of_li.get("/api/v1/sessions").json()["sessions"])
        for token in (peer, local):
            with logged_in(house, token) as other:
                assert other.delete(f"/api/v1/sessions/{session}").status_code == 404
                assert other.get("/api/v1/sessions?all=true").status_code == 403
        with logged_in(house, boss) as of_boss:
            everybody = of_boss.get("/api/v1/sessions?all=true").json()["sessions"]
            assert {"Li", "Wang", "Local", "Boss"} == {row["who"] for row in everybody}
            assert (status(of_li), of_boss.delete(f"/api/v1/sessions/{session}").status_code) == (200, 204)
        assert status(of_li) == 401
    assert keyring.book.lines(1)[0].who == "Boss"


def test_all_others_of_ones_own_end_at_once(house: House, keyring: Keyring) -> None:
    token, peer = keyring.create("Li", "viewer", NOON), keyring.create("Wang", "viewer", NOON)
    with (
        logged_in(house, token) as first,
        logged_in(house, token) as two,
        logged_in(house, token) as three,
        logged_in(house, peer) as other,
    ):
        assert first.delete("/api/v1/sessions").json() == {"ended": 2}
        assert [status(browser) for browser in (first, two, three, other)] == [200, 401, 401, 200]


def test_last_use_is_told_coarsely(house: House, keyring: Keyring) -> None:
    token = keyring.create("Li", "viewer", NOON)

    def last_seen(client: httpx.Client) -> str:
        return str(client.get("/api/v1/sessions").json()["sessions"][0]["last_seen"])

    with logged_in(house, token) as client:
        house.clock.now = NOON + SEEN_EVERY_MS - 1
        assert last_seen(client) == "2026-11-21T12:00:00Z"
        house.clock.now = NOON + SEEN_EVERY_MS + 5_000
        assert last_seen(client) == "2026-11-21T12:10:05Z"
        house.clock.now = NOON


def test_a_store_without_its_book_lets_nobody_in(house: House, keyring: Keyring) -> None:
    token, book = keyring.create("Li", "viewer", NOON), house.app.context.settings.store.path / BOOK
    with logged_in(house, token) as client:
        kept = book.read_bytes()
        book.unlink()
        assert status(client) == 401
        book.write_bytes(kept)
        assert status(client) == 200


def test_the_page_ends_sessions_without_script(house: House, keyring: Keyring) -> None:
    token, boss = keyring.create("<Li>", "operator", NOON, stations=["yanshan"]), keyring.create("Boss", "admin", NOON)
    with logged_in(house, token) as here, logged_in(house, token) as there, logged_in(house, boss) as of_boss:
        body = here.get("/account", headers={"accept-language": "en"}).text
        assert "&lt;Li&gt;" in body
        assert body.count("data-session=") == 2
        assert "?all=1" not in body
        (other,) = (row["id"] for row in here.get("/api/v1/sessions").json()["sessions"] if not row["own"])
        answer = here.post("/account", data={"session": other})
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
        assert (status(here), status(there)) == (200, 401)
        assert (
            here.post("/account", data={"session": other}, headers={"origin": "https://evil.example"}).status_code
            == 403
        )
        assert of_boss.get("/account?all=1").text.count("data-session=") == 2
        own = here.get("/api/v1/sessions").json()["sessions"][0]["id"]
        assert of_boss.post("/account?all=1", data={"session": own}).headers["location"] == "/account?all=1"
        assert status(here) == 401
    assert house.get("/account").status_code == 401


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (ANDROID, "Chrome · Android"), ("", "?"), ("x" * 10_000 + "Chrome/1", "?"), ("<script>", "?"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) MicroMessenger/8.0.50", "WeChat · iPhone"),
        ("Mozilla/5.0 (Linux; Android 13) Chrome/116 Safari/537.36 wxwork/4.1.22", "WeCom · Android"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/128.0 Safari/537.36 Edg/128.0", "Edge · Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/17.5 Safari/605.1.15", "Safari · macOS"),
    ],
)  # fmt: skip
def test_a_browser_is_named_in_words_that_people_know(agent: str, device: str) -> None:
    assert device_of(agent) == device


def test_a_book_in_which_somebody_wrote_nonsense_lets_nobody_in(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "keys.json")
    for text in ('{"sessions": [{"id": 1}]}', '{"sessions": [3]}', "[]", '{"sessions": null}', "\x00"):
        (tmp_path / BOOK).write_text(text)
        assert keyring.started_sessions(NOON) == ()
