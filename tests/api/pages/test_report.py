"""The monthly report: its figures are those of the API, what is not known is a word, and only staff see it."""

import re
from html import unescape

import pytest

from api.pages import POLICY
from api.pages.report.words import LANGUAGES, WORDS, Words
from gateway.base.local_time import DAY_MS, HOUR_MS
from tests.api.month import START, Client, live

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
        assert 'href="/login"' in answer.text
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
    for column in (2, 3, 4, 6):
        found = sum(float(row[column].replace(",", "")) for row in areas)
        assert found == pytest.approx(float(whole[column].replace(",", "")), abs=0.2)


def test_faults_are_told_with_how_long_they_lasted_and_which_still_stand(page: str) -> None:
    found = {row[0]: row[1:] for row in rows(page, "故障与告警")}
    assert found["充电桩故障"] == ["院子 pile-02", "1", "12 小时", "12 小时"]
    assert found["设备失联"] == ["休息区 seat-03", "1", "6 小时", "6 小时"]
    assert found["门长时间未关"] == ["休息区 正门", "1", "3 天 (未结束)", "3 天"]


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
