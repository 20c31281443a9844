"""The monthly report: its figures are those of the API, what is not known is a word, and only staff see it."""

import re
from html import unescape

import pytest

from api.pages import POLICY
from api.pages.report import draw
from api.pages.report.compare import amount, bands, points
from api.pages.report.faults import place_of
from api.pages.report.gather import MonthReport, gather, month_at
from api.pages.report.page import area_name
from api.pages.report.texts import LANGUAGES, WORDS
from api.pages.report.words import Words
from gateway.base.local_time import DAY_MS, HOUR_MS
from gateway.policy.privacy import Band
from gateway.store.reader import SqliteReader
from tests.api.month import START, ZONE, Client, live

DAYS = 9
PAGE = "/stations/yanshan/report"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    path = tmp_path_factory.mktemp("month")
    live(path, DAYS)
    return Client(path, START + DAYS * DAY_MS)


@pytest.fixture(scope="module")
def page(client: Client) -> str:
    return report(client)


def report(client: Client, query: str = "month=2026-11") -> str:
    answer = client.get(f"{PAGE}?{query}", headers=client.key("yanshan"))
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def rows(page: str, title: str) -> list[list[str]]:
    """The table under a heading."""
    body = page.split(f"<b>{title}</b>")[1].split("<tbody>")[1].split("</tbody>")[0]
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", body)]


def test_strangers_and_keys_of_other_stations_are_asked_to_log_in(client: Client) -> None:
    for headers in ({}, client.key("shaping")):
        answer = client.get(PAGE, headers=headers)
        assert answer.status_code == 401
        assert 'href="/login?next=%2Fstations%2Fyanshan%2Freport"' in answer.text
        assert "<table" not in answer.text


def test_it_carries_the_strict_policy_and_needs_no_script(client: Client, page: str) -> None:
    assert client.get(PAGE, headers=client.key()).headers["content-security-policy"] == POLICY
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=", page)


def test_each_day_has_the_figures_of_the_api(client: Client, page: str) -> None:
    query = {"from": START, "to": START + DAYS * DAY_MS, "by": "day"}
    told = client.get("/api/v1/stations/yanshan/utilization", params=query, headers=client.key()).json()["buckets"]
    shown = rows(page, "每日明细")
    assert len(shown) == DAYS
    for row, bucket in zip(shown, told, strict=True):
        assert row[1] == f"{bucket['utilization'] * 100:.0f}%"
        assert row[5:8] == [
            f"{bucket['unknown_minutes'] / 60:,.1f}", f"{int(bucket['coverage'] * 100)}%", str(bucket["sessions"]),
        ]  # fmt: skip
        assert row[8] == f"{(bucket['energy_wh'] + bucket['energy_over_gaps_wh']) / 1000:,.1f}"
        high = bucket["visits_max"]
        assert row[9] == (f"≥ {bucket['visits_min']}" if high is None else f"{bucket['visits_min']}–{high}")


def test_the_sum_of_the_areas_is_the_whole_station(page: str) -> None:
    *areas, whole = rows(page, "分区")
    assert [row[0] for row in areas] == ["休息区", "舞蹈室", "院子"]
    for column in (3, 4, 5, 7):
        total = sum(float(row[column].replace(",", "")) for row in areas)
        assert total == pytest.approx(float(whole[column].replace(",", "")), abs=0.2)


def test_faults_are_told_with_how_long_they_lasted_and_which_still_stand(page: str) -> None:
    faults = {row[0]: row[1:] for row in rows(page, "故障与告警")}
    assert faults["充电桩故障"] == ["院子 2 号充电桩", "1", "12 小时", "12 小时"]
    assert faults["设备失联"] == ["休息区 3 号座位", "1", "6 小时", "6 小时"]
    assert faults["门长时间未关"] == ["休息区 正门", "1", "3 天 (未结束)", "3 天"]


def test_a_fault_that_began_earlier_counts_from_the_first_of_the_month(client: Client) -> None:
    later = Client(client.app.context.settings.store.path, START + 35 * DAY_MS)
    assert rows(report(later, "month=2026-12"), "故障与告警") == [
        ["门长时间未关", "休息区 正门", "1", "5 天 (未结束)", "5 天"]
    ]


def test_chargers_tell_sessions_energy_gaps_and_meters_that_were_changed(page: str) -> None:
    first, second = rows(page, "充电桩电量")
    assert [first[4], second[4]] == ["1", "0"]
    assert float(first[3]) > 0
    assert first[1] != second[1]


def test_sessions_are_counted_as_the_api_counts_them(client: Client, page: str) -> None:
    query = {"from": START, "to": START + DAYS * DAY_MS, "limit": 1}
    for row, pile in zip(rows(page, "充电桩电量"), ("pile-01", "pile-02"), strict=True):
        total = client.get("/api/v1/stations/yanshan/sessions", params={**query, "resource": pile}).json()["total"]
        assert row[1] == f"{total['whole']} / {total['sessions']}"


def test_a_door_has_no_utilisation(page: str) -> None:
    door = next(row for row in rows(page, "逐处") if row[0] == "休息区 正门")
    assert [door[1], door[2], door[3], door[8]] == ["—", "—", "—", "—"]


def test_a_month_that_goes_on_says_until_when_it_is_told(page: str, client: Client) -> None:
    assert "截至 2026-11-10 00:00" in page
    later = Client(client.app.context.settings.store.path, START + 30 * DAY_MS + HOUR_MS)
    assert "截至" not in report(later)


def test_without_a_month_it_is_the_last_one_or_where_that_is_unknown_the_present_one(client: Client) -> None:
    assert "2026 年 11 月" in report(client, "")
    later = Client(client.app.context.settings.store.path, START + 40 * DAY_MS)
    assert "2026 年 11 月" in report(later, "")


def test_no_id_of_a_thing_stands_on_the_paper(client: Client) -> None:
    for lang in LANGUAGES:
        shown = re.sub(r"<[^>]+>", " ", report(client, f"month=2026-11&lang={lang}").split("<main>")[1])
        assert not re.search(r"seat-|pile-|door-main|\blounge\b|\byard\b", shown), lang


def test_an_area_without_a_name_is_told_by_its_place_and_an_alert_of_the_station_by_the_whole(client: Client) -> None:
    context = client.app.context
    station = context.settings.station("shaping")
    assert station is not None
    for lang, area, whole in (("zh-Hans", "第 1 区", "全站"), ("en", "Area 1", "Whole station")):
        told = _report(client, "shaping", START + 9 * DAY_MS)
        assert area_name(told, station.areas[0], Words(lang)) == area
        assert place_of(told, "shaping", Words(lang)) == whole


def _report(client: Client, station: str, now: int) -> MonthReport:
    settings = client.app.context.settings
    known = settings.station(station)
    assert known is not None
    reader = SqliteReader(settings.store.path)
    try:
        return gather(settings, known, month_at("2026-11", ZONE, now), reader, now)
    finally:
        reader.close()


def test_the_month_before_that_nobody_saw_is_said_to_be_unknown(page: str) -> None:
    assert "上月没有数据，无从相比" in page
    assert [row[2] for row in rows(page, "分区")] == ["未知"] * 4


def test_the_month_before_stands_beside_with_the_difference_of_the_figures_that_are_written(client: Client) -> None:
    later = Client(client.app.context.settings.store.path, START + 39 * DAY_MS)
    page = report(later, "month=2026-12")
    told = {row[0]: row[1:] for row in rows(page, "与上月相比")}
    november = {row[0]: row[1:] for row in rows(report(client), "分区")}
    assert told["利用率"] == ["未知", november["全站"][0], "本月没有数据"]
    assert told["使用次数"] == ["未知", november["全站"][7], "本月没有数据"]
    assert told["故障与告警"] == ["1", "3", "少 2 (-67%)"]
    assert "上月也只算同样长的头一段，到 2026-11-10 00:00 为止" in page
    assert "有一个月的覆盖率不足一半" in page


@pytest.mark.parametrize(
    ("now", "before", "told"),
    [
        (0.5, 0.5, "持平"), (0.524, 0.516, "持平"), (0.55, 0.5, "高 5 个百分点"), (0.1, 0.3, "低 20 个百分点"),
        (None, 0.5, "本月没有数据"), (0.5, None, "上月没有数据"), (None, None, "本月没有数据"), (0.0, 0.0, "持平"),
    ],
)  # fmt: skip
def test_two_shares_differ_by_points(now: float | None, before: float | None, told: str) -> None:
    assert points(now, before, Words("zh-Hans")) == told


@pytest.mark.parametrize(
    ("now", "before", "told"),
    [
        (12, 10, "2 more (+20%)"), (10, 12, "2 fewer (-17%)"), (3, 0, "3 more"), (0, 0, "the same"),
        (None, 1, "no data of this month"), (1, None, "no data of the month before"),
        (2200, 1000, "1,200 more (+120%)"),
    ],
)  # fmt: skip
def test_two_amounts_differ_by_so_many_and_by_a_share(now: int | None, before: int | None, told: str) -> None:
    assert amount(now, before, Words("en")) == told


@pytest.mark.parametrize(
    ("now", "before", "told"),
    [
        (Band(100, 149), Band(50, 99), "at least 1 more"), (Band(50, 99), Band(100, None), "at least 1 fewer"),
        (Band(100, None), Band(50, 80), "at least 20 more"),
        (Band(50, 99), Band(95, 120), "the bands overlap: can't be told"),
        (Band(50, None), Band(70, None), "the bands overlap: can't be told"),
        (None, Band(1, 4), "no data of this month"),
    ],
)  # fmt: skip
def test_of_two_bands_only_that_is_told_which_holds_wherever_the_truth_lies(
    now: Band | None, before: Band | None, told: str
) -> None:
    assert unescape(bands(now, before, Words("en"))) == told


def test_a_month_of_little_use_fills_the_picture_and_says_its_scale(client: Client) -> None:
    assert [draw.top_of(shares) for shares in ([], [0.0], [0.2], [0.21], [0.41], [1.0])] == [
        0.2,
        0.2,
        0.2,
        0.4,
        1.0,
        1.0,
    ]


def test_the_paper_has_two_lines_to_sign_and_room_for_a_seal(page: str) -> None:
    sign = page.split("<b>确认</b>")[1]
    assert [sign.count(word) for word in ("填报人", "负责人", "姓名", "签名", "日期", "盖章")] == [1, 1, 2, 2, 2, 1]


def test_a_month_nobody_heard_anything_of_is_unknown_and_not_idle(client: Client) -> None:
    empty = report(client, "month=2026-10")
    assert "<dt>利用率</dt><dd><b>未知</b>" in empty
    assert "<dt>充电 kWh</dt><dd><b>未知</b>" in empty
    assert "<dt>到访人次</dt><dd><b>未知</b>" in empty
    assert "已知时间太少，不排最忙时段" in empty
    assert "本月没有告警" in empty


@pytest.mark.parametrize(("month", "status"), [("2026-12", 422), ("2026-13", 422), ("1969-12", 422), ("x", 422)])
def test_a_month_that_is_none_or_has_not_begun_is_refused(client: Client, month: str, status: int) -> None:
    assert client.get(f"{PAGE}?month={month}", headers=client.key()).status_code == status


def test_a_station_that_is_not_there_is_404(client: Client) -> None:
    assert client.get("/stations/none/report", headers=client.key()).status_code == 404


@pytest.mark.parametrize("station", ["shaping", "abroad"])
def test_a_station_with_little_has_a_report_too(client: Client, station: str) -> None:
    assert client.get(f"/stations/{station}/report?month=2026-11", headers=client.key()).status_code == 200


def test_every_word_is_there_in_three_languages(client: Client) -> None:
    for key, texts in WORDS.items():
        places = [set(re.findall(r"\{\w+\}", text)) for text in texts]
        assert all(texts) or key == "months", key
        assert places[0] == places[1], key
    for lang in LANGUAGES:
        assert f'<html lang="{lang}"' in report(client, f"month=2026-11&lang={lang}")
    english = report(client, "month=2026-11&lang=en")
    assert "November 2026" in english
    shown = re.sub(r"<[^>]+>|广东 江门 鹤山|简体|繁體|驿", "", english.split("<body>")[1])
    assert not re.search(r"[\u4e00-\u9fff]", shown)


def test_full_coverage_means_that_nothing_is_unknown() -> None:
    shown = [Words("en").coverage(value) for value in (1.0, 0.9999, 0.5, 0.001, 0.0, None)]
    assert shown == ["100%", "99%", "50%", "&lt;1%", "0%", "—"]


def test_names_from_the_configuration_cannot_break_out() -> None:
    assert Words("en").name({"en": "<img src=x>"}, "") == "&lt;img src=x&gt;"
