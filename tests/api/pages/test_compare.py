"""Stations and months side by side: the figures of the API, and no comparison with what few saw."""

import re
from html import unescape

import pytest

from api.pages.compare import bar, columns, difference
from api.pages.report.words import Words
from gateway.base.local_time import DAY_MS
from gateway.history.utilization import Minutes
from tests.api.month import START, Client, live

DAYS = 9
ZH = Words("zh-Hans")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    path = tmp_path_factory.mktemp("month")
    live(path, DAYS)
    return Client(path, START + DAYS * DAY_MS)


def minutes(used: int, open_and_known: int, unknown: int = 0) -> Minutes:
    return Minutes(occupied=used, free=open_and_known - used, unknown=unknown)


def page(client: Client, query: str = "", *stations: str) -> str:
    answer = client.get(f"/compare?{query}", headers=client.key(*stations))
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def rows(told: str) -> dict[str, list[list[str]]]:
    """By station, its cells without marks."""
    by_station = re.findall(r'<tr data-station="(\w+)">(.*?)</tr>', told)
    return {
        name: [re.sub("<[^>]+>", " ", cell).split() for cell in re.findall(r"<td.*?</td>", row)]
        for name, row in by_station
    }


def test_strangers_are_asked_to_log_in(client: Client) -> None:
    answer = client.get("/compare")
    assert answer.status_code == 401
    assert 'href="/login?next=%2Fcompare"' in answer.text
    assert "<table" not in answer.text


def test_each_month_has_the_figures_of_the_api_with_what_was_seen(client: Client) -> None:
    query = {"from": START, "to": START + DAYS * DAY_MS, "by": "station", "region": "江门"}
    told = client.get("/api/v1/utilization", params=query, headers=client.key()).json()["buckets"]
    shown = rows(page(client, "region=江门"))
    assert set(shown) == {"yanshan", "shaping"}
    for bucket in told:
        name, *_, november, gap, _strip, _course = shown[bucket["station"]]
        assert name
        assert november == [f"{bucket['utilization'] * 100:.0f}%", "覆盖率", f"{int(bucket['coverage'] * 100)}%"]
        assert gap == ["上月没有数据"]


def test_months_nobody_saw_are_unknown_and_hatched(client: Client) -> None:
    told = page(client, "months=2")
    assert rows(told)["yanshan"][1] == ["未知", "覆盖率", "0%"]
    assert told.count("url(#hc)") > 2


def test_a_key_sees_its_own_stations(client: Client) -> None:
    assert set(rows(page(client, "", "shaping"))) == {"shaping"}
    assert client.get("/compare?region=Berlin", headers=client.key("shaping")).status_code == 404


@pytest.mark.parametrize("query", ["month=2026-12", "month=1969-12", "month=x", "months=0", "months=13"])
def test_months_that_are_none_are_refused(client: Client, query: str) -> None:
    assert client.get(f"/compare?{query}", headers=client.key()).status_code == 422


def test_the_most_used_stands_first_and_what_few_saw_last(client: Client) -> None:
    order = list(rows(page(client)))
    assert order[:2] == ["yanshan", "shaping"] or order[:2] == ["shaping", "yanshan"]
    assert set(order[2:]) == {"abroad", "club"}
    assert page(client).count('class="thin"') >= 2


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (minutes(50, 100), minutes(55, 100), "高 5 个百分点"), (minutes(50, 100), minutes(20, 100), "低 30 个百分点"),
        (minutes(50, 100), minutes(50, 100), "持平"), (minutes(0, 0), minutes(50, 100), "上月没有数据"),
        (minutes(50, 100), minutes(0, 0, 9), "本月没有数据"), (minutes(50, 100, 101), minutes(50, 100), "上月已知太少"),
        (minutes(50, 100), minutes(50, 100, 101), "本月已知太少"), (minutes(50, 100, 100), minutes(50, 100), "持平"),
    ],
)  # fmt: skip
def test_only_months_that_were_mostly_seen_are_compared(before: Minutes, now: Minutes, told: str) -> None:
    assert difference([before, now], ZH) == told
    assert difference([now], ZH) == "—"


def test_a_strip_is_in_use_then_empty_then_unknown() -> None:
    widths = re.findall(r'<rect (\S+) x="([\d.]+)" width="([\d.]+)"', bar(minutes(50, 100, 100)))
    assert widths == [
        ('class="used"', "0.0", "30.0"),
        ('class="open"', "30.0", "30.0"),
        ('fill="url(#hc)"', "60.0", "60.0"),
    ]
    assert re.findall(r"width=\"([\d.]+)\"", bar(Minutes())) == ["120.0"]


def test_a_month_that_few_saw_is_a_hatched_column() -> None:
    drawn = columns([minutes(50, 100), minutes(50, 100, 101), Minutes()])
    assert re.findall(r"<rect (\S+)", drawn) == ['class="used"', 'fill="url(#hc)"', 'fill="url(#hc)"']
