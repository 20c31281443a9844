"""The tally of occupations over HTTP: one tap without a key, told by months that are over."""

import threading
from pathlib import Path

import httpx
import pytest

from api.occupations import months
from api.routes import tally
from api.routes.reports import Rate
from gateway.base.local_time import DAY_MS
from gateway.store.occupations import OCCUPATIONS_DB, OccupationCounts
from tests.api.conftest import NOON, House

URL = "/api/v1/stations/yanshan/tally"
NEXT_MONTH = NOON + 10 * DAY_MS


def tap(house: House, occupation: str = "courier", times: int = 1) -> httpx.Response:
    for _ in range(times):
        answer = house.client.post(URL, json={"occupation": occupation})
    return answer


def test_shares_are_told_once_the_month_is_over(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rate, "allows", lambda *_: True)
    assert house.get(URL).json() == {"months": []}
    assert tap(house, times=20).status_code == 201
    tap(house, "sanitation", 10)
    tap(house, "security", 3)
    assert house.get(URL).json() == {"months": []}
    house.clock.now = NEXT_MONTH
    shares = {"courier": 0.667, "sanitation": 0.333}
    assert house.get(URL).json() == {"months": [{"month": "2026-11", "answers": 30, "shares": shares}]}


def test_no_tap_changes_what_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks before and after somebody tapped hears the same."""
    monkeypatch.setattr(Rate, "allows", lambda *_: True)
    tap(house, times=25)
    house.clock.now = NEXT_MONTH
    before = house.get(URL).content
    for occupation in ("courier", "freight"):
        tap(house, occupation)
        assert house.get(URL).content == before


@pytest.mark.parametrize("body", [{}, {"occupation": "banker"}, {"occupation": "courier", "name": "Li"}, []])
def test_only_what_is_listed_and_nothing_of_a_person(house: House, body: object) -> None:
    assert house.client.post(URL, json=body).status_code == 422
    assert house.client.post("/api/v1/stations/nobody/tally", json={"occupation": "courier"}).status_code == 404
    assert house.get("/api/v1/stations/nobody/tally").status_code == 404


def test_an_address_has_so_many_an_hour(house: House) -> None:
    assert tap(house, times=tally.PER_ADDRESS).status_code == 201
    assert tap(house).status_code == 429


def test_nothing_is_kept_but_a_count(tmp_path: Path) -> None:
    counts = OccupationCounts(tmp_path)
    threads = [
        threading.Thread(target=lambda: [counts.add("a", "2026-11", "courier") for _ in range(4)]) for _ in "xyz"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts.add("a", "2026-10", "security")
    assert counts.before(["a", "b"], "2026-12") == {
        "a": {"2026-11": {"courier": 12}, "2026-10": {"security": 1}},
        "b": {},
    }
    assert oct((tmp_path / OCCUPATIONS_DB).stat().st_mode)[-3:] == "600"
    counts.add("a", "2028-11", "courier")
    assert list(counts.before(["a"], "2030-01")["a"]) == ["2028-11", "2026-11"]


def test_a_month_is_that_of_the_station(house: House) -> None:
    """In Shanghai it is eight hours ahead."""
    settings = house.app.context.settings
    end = NOON + 9 * DAY_MS + 4 * 3_600_000  # 2026-11-30T16:00Z
    station = settings.stations[0]
    for _ in range(20):
        OccupationCounts(settings.store.path).add(station.id, "2026-11", "courier")
    assert months(settings, [station], end - 1) == {station.id: {}}
    assert list(months(settings, [station], end)[station.id]) == ["2026-11"]
