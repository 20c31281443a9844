"""What the setup pages ask for: keys, channels, secrets, hours, places, the door with the code, the sheet."""

import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.auth import COOKIE
from api.routes.setup_door import SETUP_KEY, wants_code
from api.setup import code as codes
from api.setup.code import SetupCode
from api.setup.secret_files import keep_secret
from tests.api.conftest import NOON, House, serving


@pytest.fixture
def own(tmp_path: Path) -> Iterator[House]:
    yield from serving(tmp_path, setup_code=SetupCode(NOON, "ABCD2345"))


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all that is refused."""
    yield from serving(tmp_path_factory.mktemp("refusing"))


def admin(house: House) -> dict[str, str]:
    return {"authorization": f"Bearer {house.app.context.keyring.create('Wang', 'admin', NOON)}"}


def audited(house: House) -> list[tuple[str, str]]:
    return [(line.who, line.what) for line in reversed(house.app.context.keyring.book.lines(100))]


def test_the_code_opens_a_session_of_an_administrator_once(own: House) -> None:
    assert own.get("/setup/door").json() == {"code": True}
    answer = own.client.post("/setup/enter", data={"code": "abcd-2345"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/setup")
    assert {"HttpOnly", "SameSite=strict"} <= set(answer.headers["set-cookie"].split("; "))
    with httpx.Client(verify=False, cookies={COOKIE: answer.cookies[COOKIE]}, timeout=60) as browser:
        session = browser.get(f"{own.url}/api/v1/session").json()
    assert (session["name"], session["role"], session["stations"]) == (SETUP_KEY, "admin", [])
    own.client.cookies.clear()
    assert own.get("/setup/door").json() == {"code": False}
    assert own.client.post("/setup/enter", data={"code": "ABCD-2345"}).status_code == 401
    assert audited(own) == [(SETUP_KEY, "logged_in")]


def test_wrong_codes_use_it_up_and_another_site_can_not_enter(own: House, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = own.client.post("/setup/enter", data={"code": "ABCD-2345"}, headers={"origin": "https://evil.example"})
    assert foreign.status_code == 403
    for _ in range(codes.TRIES):
        assert own.client.post("/setup/enter", data={"code": "ABCD-2346"}).status_code == 401
    assert own.client.post("/setup/enter", data={"code": "ABCD-2345"}).status_code == 401
    assert "set-cookie" not in own.client.post("/setup/enter", data={"code": "ABCD-2345"}).headers


def test_a_house_wants_a_code_until_it_has_an_administrator_of_its_own(own: House) -> None:
    ring = own.app.context.keyring
    assert wants_code(ring, NOON)
    own.client.post("/setup/enter", data={"code": "ABCD2345"})
    ring.create("viewer", "viewer", NOON)
    ring.create("partly", "admin", NOON, stations=["yanshan"])
    ring.create("past", "admin", NOON, expires_at=NOON)
    assert wants_code(ring, NOON)
    ring.create("Wang", "admin", NOON, expires_at=NOON + 1)
    assert not wants_code(ring, NOON)


def test_keys_are_made_listed_and_ended_by_click(own: House) -> None:
    headers = admin(own)
    wanted = {"name": " 李 师傅 ", "role": "operator", "stations": ["yanshan"], "regions": ["江门"], "days": 90}
    made = own.client.post("/api/v1/setup/keys", json=wanted, headers=headers)
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    key = made.json()["key"]
    listed = own.get("/api/v1/setup/keys", headers=headers)
    assert key not in listed.text
    wang, li = listed.json()["keys"]
    assert (wang["own"], li["own"], li["name"], li["stations"], li["regions"], li["expires"]) == (
        True, False, "李 师傅", ["yanshan"], ["广东/江门"], "2027-02-19T12:00:00Z",
    )  # fmt: skip
    theirs = {"authorization": f"Bearer {key}"}
    assert own.get("/api/v1/session", headers=theirs).json()["role"] == "operator"
    assert own.client.delete(f"/api/v1/setup/keys/{li['id']}", headers=headers).status_code == 204
    assert own.get("/api/v1/session", headers=theirs).status_code == 401
    assert own.client.delete(f"/api/v1/setup/keys/{li['id']}", headers=headers).status_code == 404
    assert own.client.delete(f"/api/v1/setup/keys/{wang['id']}", headers=headers).status_code == 409
    assert audited(own) == [("Wang", "key_created"), ("Wang", "key_revoked")]


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": "   "}, {"name": "13800138000"}, {"role": "owner"}, {"stations": ["x"]}, {"regions": ["x"]},
     {"days": 0}, {"more": 1}],
)  # fmt: skip
def test_a_key_that_would_not_be_what_was_meant_is_not_made(refusing: House, wrong: dict[str, Any]) -> None:
    headers = admin(refusing)
    before = refusing.app.context.keyring.all()
    answer = refusing.client.post("/api/v1/setup/keys", json={"name": "Li", "role": "viewer"} | wrong, headers=headers)
    assert answer.status_code == 422
    assert refusing.app.context.keyring.all() == before


def test_the_week_and_the_place_are_told_before_anything_is_saved(own: House) -> None:
    headers = admin(own)
    week = own.get("/api/v1/setup/hours", params={"hours": "08:00-22:00", "station": "yanshan"}, headers=headers).json()
    assert week["zh"] == ["每天 开放 08:00–22:00"]
    assert week["days"][0] == {
        "date": "2026-11-21", "spans": [[0, 480, "closed"], [480, 1320, "open"], [1320, 1440, "closed"]],
    }  # fmt: skip
    bad = own.get("/api/v1/setup/hours", params={"hours": "8 to 10"}, headers=headers)
    assert (bad.status_code, bad.json()["errors"][0]["name"]) == (422, "hours")
    place = own.get("/api/v1/setup/place", params={"text": "112.964,22.765", "system": "wgs84"}, headers=headers)
    assert place.json() == {"lat": 22.765, "lon": 112.964, "swapped": True}
    assert own.get("/api/v1/setup/place", params={"text": "here"}, headers=headers).status_code == 422


def test_a_secret_is_a_file_of_its_own_and_none_is_replaced(tmp_path: Path) -> None:
    config = tmp_path / "house.yaml"
    config.write_text("")
    assert keep_secret(config, "duty", "https://example/key") == "secrets/duty"
    assert keep_secret(tmp_path, "duty") == "secrets/duty-2"
    first, second = tmp_path / "secrets" / "duty", tmp_path / "secrets" / "duty-2"
    assert first.read_text() == "https://example/key\n"
    assert re.fullmatch(r"[0-9a-f]{32}\n", second.read_text())
    assert {stat.S_IMODE(path.stat().st_mode) for path in (first, second)} == {0o600}
    (tmp_path / "secrets" / "out").symlink_to(tmp_path / "elsewhere")
    assert keep_secret(config, "out") == "secrets/out-2"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".x", "A", "x" * 65])
def test_a_secret_has_a_plain_name(refusing: House, name: str) -> None:
    answer = refusing.client.post("/api/v1/setup/secrets", json={"name": name}, headers=admin(refusing))
    assert answer.status_code == 422


def test_a_process_without_files_keeps_no_secret(own: House) -> None:
    assert own.client.post("/api/v1/setup/secrets", json={"name": "duty"}, headers=admin(own)).status_code == 409


def test_a_channel_is_tried_before_it_is_saved_and_says_what_is_wrong(own: House) -> None:
    headers, secret = admin(own), "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=s3cret"

    def tried(**channel: Any) -> httpx.Response:
        return own.client.post("/api/v1/setup/channels/test", json={"channel": channel}, headers=headers)

    wrong = tried(id="duty", kind="pigeon", url=secret)
    assert wrong.status_code == 422
    assert "kind" in wrong.json()["detail"]
    assert "s3cret" not in wrong.text
    private = tried(id="hook", kind="webhook", url="http://127.0.0.1:1/x")
    assert private.status_code == 200
    assert private.json()["sent"] is False
    refused = tried(id="hook", kind="webhook", url="http://127.0.0.1:1/x", allow_private=True)
    assert refused.json()["sent"] is False
    assert refused.json()["wrong"]


def test_the_sheet_holds_the_codes_of_the_station_with_its_name_in_words(own: House) -> None:
    sheet = own.get("/setup/stations/yanshan/sheet", headers=admin(own))
    assert sheet.status_code == 200
    assert sheet.headers["cache-control"] == "no-store"
    assert sheet.headers["referrer-policy"] == "no-referrer"
    assert sheet.text.count("雁山社区爱心驿站") >= 2
    assert f"{own.url}/m/yanshan" in sheet.text
    assert "手机打不开" in sheet.text  # it was asked for by loopback
    assert "<script" not in sheet.text
    assert "style=" not in sheet.text
    assert own.get("/setup/stations/nowhere2/sheet", headers=admin(own)).status_code == 404
