"""When a station is usually busy: of whole weeks, with how many they are, and nothing of single rooms."""

import re
from html import unescape
from pathlib import Path

import pytest

from api.busy import ENOUGH_WEEKS, WEEKS, BusyDay, day_of_week, share, window_of
from api.pages.busy import in_tenths, is_shut
from api.pages.report.words import Words
from gateway.base.local_time import DAY_MS, HOUR_MS
from gateway.history.utilization import Minutes
from tests.api.month import START, ZONE, Client, live

DAYS = 16
PAGE = "/m/yanshan/busy"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("month")
    live(path, DAYS)
    return path


def told(folder: Path, days: int, lang: str = "zh", station: str = "yanshan") -> str:
    answer = Client(folder, START + days * DAY_MS + HOUR_MS).get(f"/m/{station}/busy?lang={lang}")
    assert answer.status_code == 200
    return unescape(answer.text)


def minutes(used: int, known: int = 100, unknown: int = 0) -> Minutes:
    return Minutes(occupied=used, free=known - used, unknown=unknown)


def test_it_tells_today_the_other_days_and_how_many_weeks_it_rests_on(folder: Path) -> None:
    page = told(folder, DAYS)
    assert re.search(r"<b>周二：最忙 \d\d:00–\d\d:00，.*在用；最空 \d\d:00–\d\d:00，.*在用</b>", page)
    assert len(re.findall(r"<li>周.：", page)) == 6
    assert f"按最近 {WEEKS} 周中有数据的 3 周" in page
    assert "只是平常，不是现在" in page
    assert page.count("<rect") > 7 * 16


def test_its_hours_are_those_of_the_public_utilisation_without_rooms(folder: Path) -> None:
    client = Client(folder, START + DAYS * DAY_MS)
    start, end = window_of(client.now, ZONE)
    query = {"from": start, "to": end, "by": "hour_of_week"}
    buckets = client.get("/api/v1/stations/yanshan/utilization", params=query).json()["buckets"]
    tuesday = [bucket for bucket in buckets if bucket["hour_of_week"] // 24 == 1 and bucket["known_open_minutes"]]
    busiest = max(tuesday, key=lambda bucket: bucket["utilization"])["hour_of_week"] % 24
    assert f"周二：最忙 {busiest:02}:00" in told(folder, DAYS)


def test_of_less_than_two_weeks_nothing_is_usual(folder: Path) -> None:
    page = told(folder, 5)
    assert "还说不准平常几点忙：至少要看到两周，现在有 1 周" in page
    assert "<svg" not in page
    assert ENOUGH_WEEKS == 2


def test_a_station_of_nothing_but_rooms_tells_nothing(folder: Path) -> None:
    assert "现在有 0 周" in told(folder, DAYS, station="club")
    assert Client(folder, START).get("/m/nowhere/busy").status_code == 404


def test_it_is_told_in_three_languages_and_needs_no_script(folder: Path) -> None:
    assert "Tue: busiest" in told(folder, DAYS, "en")
    assert "週二：最忙" in told(folder, DAYS, "zh-hant")
    assert "<script" not in told(folder, DAYS)


def test_the_phone_page_leads_to_it(folder: Path) -> None:
    assert 'href="/m/yanshan/busy?lang=zh-Hans"' in Client(folder, START + DAYS * DAY_MS).get("/m/yanshan").text


def test_the_same_day_is_worked_out_once(folder: Path) -> None:
    client = Client(folder, START + DAYS * DAY_MS)
    first = client.get(PAGE)
    opened: list[int] = []
    factory = client.app.context.reader_factory
    object.__setattr__(client.app.context, "reader_factory", lambda: opened.append(1) or factory())
    assert client.get(PAGE).text == first.text
    assert opened == []
    assert first.headers["cache-control"] == "private, max-age=3600"


@pytest.mark.parametrize(
    ("hour", "used"),
    [
        (None, None),
        (minutes(0, 0), None),
        (minutes(50), 0.5),
        (minutes(50, 100, 100), 0.5),
        (minutes(50, 100, 101), None),
    ],
)
def test_an_hour_of_which_little_was_seen_has_no_share(hour: Minutes | None, used: float | None) -> None:
    assert share(hour) == used


@pytest.mark.parametrize(
    ("hours", "day"),
    [
        ({}, None),
        ({8: minutes(80), 9: minutes(20), 10: minutes(80), 12: minutes(0, 0, 9)}, BusyDay((8, 0.8), (9, 0.2), False)),
        ({8: minutes(50), 9: minutes(36)}, BusyDay((8, 0.5), (9, 0.36), True)),
        ({8: minutes(50), 9: minutes(35)}, BusyDay((8, 0.5), (9, 0.35), False)),
        ({32: minutes(80)}, None),
    ],
)
def test_a_day_has_its_busiest_and_quietest_hour(hours: dict[int, Minutes], day: BusyDay | None) -> None:
    assert day_of_week(hours, 0) == day


@pytest.mark.parametrize(
    ("hour", "shut"),
    [
        (Minutes(), True), (Minutes(closed=5, unknown=1), True), (Minutes(closed=1, unknown=5), False),
        (Minutes(closed=5, free=1), False), (Minutes(closed=5, broken=1), False),
    ],
)  # fmt: skip
def test_an_hour_that_is_mostly_closed_and_never_open_is_shut(hour: Minutes, shut: bool) -> None:
    assert is_shut(hour) is shut


@pytest.mark.parametrize(("tenths", "said"), [(0.04, "几乎没有"), (0.75, "约 8 成"), (0.96, "几乎全部")])
def test_shares_are_told_in_tenths(tenths: float, said: str) -> None:
    assert in_tenths(tenths, Words("zh-Hans")) == said
