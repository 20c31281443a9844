"""Wishes over HTTP: a tap without a key, shown to nobody until five are alike, taken up by staff."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.routes import wishes
from api.routes.reports import Rate
from api.wish_desk import WishDesk
from gateway.base.local_time import DAY_MS, HOUR_MS
from gateway.model import ActivityEnded
from gateway.policy.activities import Activity
from gateway.store.jobs import KeepEnded
from gateway.store.sqlite import SqliteStore
from tests.api.conftest import NOON, House, serving

URL, PAGE = "/api/v1/stations/yanshan/wishes", "/m/yanshan/wish"
WISH = {"interest": "tai_chi", "when": "weekday_morning"}
NAME = "tai_chi.weekday_morning"
TUESDAY = NOON + 2 * DAY_MS + 13 * HOUR_MS  # 09:00 in Shanghai


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(Rate, "allows", lambda *_: True)
    SqliteStore(tmp_path, NOON, ballast_mib=0).close()
    yield from serving(tmp_path)


def wish(house: House, times: int = 1, station: str = "yanshan") -> httpx.Response:
    for _ in range(times):
        answer = house.client.post(f"/api/v1/stations/{station}/wishes", json=WISH)
    return answer


def key(house: House, role: str = "operator", station: str = "yanshan") -> dict[str, str]:
    made = house.app.context.keyring.create(f"{role} {station}", role, NOON, stations=[station])  # type: ignore[arg-type]
    return {"authorization": f"Bearer {made}"}


def do(house: House, deed: str, who: dict[str, str], **how: str) -> httpx.Response:
    return house.client.post(f"{URL}/{NAME}/{deed}", headers=who, json=how)


def test_four_are_shown_to_nobody_and_five_to_everybody(house: House) -> None:
    staff = key(house)
    assert wish(house, 4).status_code == 201
    assert house.get(URL).json() == {"wishes": []}
    assert house.get("/api/v1/wishes", headers=staff).json() == {"wishes": []}
    assert do(house, "accept", staff).status_code == 404
    wish(house)
    (told,) = house.get(URL).json()["wishes"]
    assert told == {
        "wish": NAME, "interest": "tai_chi", "name": {"zh": "太极", "en": "Tai chi"}, "when": "weekday_morning",
        "wishes": 5, "state": "open", "starts_at": None,
    }  # fmt: skip
    assert house.get(f"{URL}".replace("yanshan", "shaping")).json() == {"wishes": []}


@pytest.mark.parametrize(
    "body",
    [
        {},
        WISH | {"interest": "karaoke"},
        WISH | {"when": "tuesday"},
        WISH | {"name": "Li"},
        [],
        {"interest": "tai_chi"},
    ],
)
def test_only_what_is_listed_and_nothing_of_a_person(house: House, body: object) -> None:
    assert house.client.post(URL, json=body).status_code == 422
    assert wish(house, station="nobody-s").status_code == 404


def test_an_interest_is_understood_in_chinese(house: House) -> None:
    for name in ("太极", "太極", "Tai Chi", "tai_chi", " 太极 "):
        assert house.client.post(URL, json=WISH | {"interest": name}).status_code == 201
    assert house.get(URL).json()["wishes"][0]["wishes"] == 5


def test_an_address_has_so_many_an_hour(tmp_path: Path) -> None:
    for house in serving(tmp_path):
        assert wish(house, wishes.PER_ADDRESS).status_code == 201
        assert wish(house).status_code == 429
        assert house.client.post(PAGE, data=WISH).status_code == 429, "the page is no second door"
        house.clock.now += HOUR_MS
        assert wish(house).status_code == 201


def test_a_wish_counts_for_thirteen_weeks(house: House) -> None:
    wish(house, 5)
    house.clock.now = NOON + 13 * 7 * DAY_MS
    assert house.get(URL).json()["wishes"][0]["wishes"] == 5
    house.clock.now += 7 * DAY_MS
    assert house.get(URL).json() == {"wishes": []}


def test_an_organiser_takes_it_and_it_closes_when_it_was_held(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff, activities = key(house), dict[str, list[Activity]]()
    monkeypatch.setattr(WishDesk, "_agenda", lambda *_: (activities, True))
    wish(house, 6)
    assert do(house, "assign", staff, to="李老师").json()["assignee"] == "李老师"
    assert do(house, "accept", staff).json()["state"] == "accepted"
    assert do(house, "accept", staff).status_code == 409
    assert "assignee" not in house.get(URL).json()["wishes"][0], "the public hears no names"
    activities["hall"] = [Activity(TUESDAY, TUESDAY + HOUR_MS, "u1", "太极拳班", reserves=True)]
    (told,) = house.get("/api/v1/wishes?state=planned", headers=staff).json()["wishes"]
    assert (told["starts_at"], told["area"], told["uid"]) == ("2026-11-24T01:00:00Z", "hall", "u1")
    house.clock.now = TUESDAY + 2 * HOUR_MS
    store = SqliteStore(tmp_path, house.clock.now, ballast_mib=0)
    store.write([KeepEnded([ActivityEnded("yanshan", "hall", TUESDAY, TUESDAY + HOUR_MS, "u1", "held")])])
    store.close()
    (told,) = house.get(URL).json()["wishes"]
    assert told["state"] == "held"
    wish(house, 4)
    assert [listed["state"] for listed in house.get(URL).json()["wishes"]] == ["held"], "who wishes again begins again"


def test_what_is_given_back_can_be_taken_again_and_what_is_closed_is_gone(house: House) -> None:
    staff = key(house)
    wish(house, 5)
    assert do(house, "release", staff).status_code == 409
    do(house, "accept", staff)
    assert do(house, "release", staff).json() | {"changed_at": None} == {
        **house.get(URL).json()["wishes"][0], "station": "yanshan", "assignee": "", "changed_by": "operator yanshan",
        "changed_at": None, "area": None, "uid": None, "remark": "",
    }  # fmt: skip
    assert do(house, "assign", staff).status_code == 422, "to whom?"
    assert do(house, "close", staff).json()["state"] == "closed"
    assert house.get(URL).json() == {"wishes": []}
    lines = house.app.context.keyring.book.lines(100)
    assert [line.what for line in lines if line.what.startswith("wish_")] == [
        "wish_close",
        "wish_release",
        "wish_accept",
    ]


def test_a_key_acts_for_its_own_stations(house: House) -> None:
    wish(house, 5)
    assert do(house, "accept", key(house, station="shaping")).status_code == 404
    assert do(house, "accept", key(house, "viewer")).status_code == 403
    assert house.get("/api/v1/wishes", headers=key(house, "admin", "shaping")).json() == {"wishes": []}


def test_the_form_needs_no_script(house: House) -> None:
    assert 'value="tai_chi"' in house.get(PAGE).text
    answer = house.client.post(PAGE, data=WISH)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?said=thanks")
    assert "已收到" in house.get(f"{PAGE}?said=thanks").text
    assert house.client.post(PAGE, data={"interest": "tai_chi"}).status_code == 422
    assert house.client.post(PAGE, data=WISH, headers={"origin": "https://elsewhere.example"}).status_code == 403
    assert house.client.post("/m/nobody-s/wish", data=WISH).status_code == 404
    for _ in range(4):
        house.client.post(PAGE, data=WISH)
    assert "5 人" in house.get(PAGE).text


def test_the_list_of_staff_needs_no_script(house: House) -> None:
    staff = key(house)
    wish(house, 5)
    assert house.get("/wishes").status_code == 401
    page = house.get("/wishes", headers=staff).text
    assert 'value="accept"' in page
    assert 'value="accept"' not in house.get("/wishes", headers=key(house, "viewer")).text
    form = {"station": "yanshan", "wish": NAME, "deed": "assign", "to": "<Li>"}
    assert house.client.post("/wishes", data=form, headers=staff).status_code == 303
    assert "&lt;Li&gt;" in house.get("/wishes", headers=staff).text
    assert house.client.post("/wishes", data=form | {"deed": "release"}, headers=staff).status_code == 303
    assert house.client.post("/wishes", data=form | {"deed": "release"}, headers=staff).status_code == 409
    assert house.client.post("/wishes", data=form | {"to": ""}, headers=staff).status_code == 422
