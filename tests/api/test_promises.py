"""Kept promises as staff ask for them: rows, days, a sheet for Excel, and the page 体检表."""

import contextlib
import csv
import io
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from api.pages.promises import state_of_day
from gateway.base.local_time import DAY_MS, HOUR_MS
from gateway.history.promises import Promised
from gateway.model import ActivityEnded, Held, OpeningChange
from gateway.store.jobs import KeepEnded, KeepOpenings
from gateway.store.sqlite import SqliteStore
from tests.api.month import START, Client, live

DAYS = 9
MONTH = f"from={START}&to={START + DAYS * DAY_MS}"
SHUT = START + DAY_MS + 10 * HOUR_MS  # club: of its second day these hours nobody could come in


HELD: tuple[Held, ...] = ("held", "held", "not_held", "unknown")  # at club, of its second and third day


def _dance(number: int, held: Held) -> ActivityEnded:
    start = START + DAY_MS + number * 12 * HOUR_MS
    return ActivityEnded("club", "hall", start, start + HOUR_MS, f"dance-{number}", held)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    path = tmp_path_factory.mktemp("month")
    live(path, DAYS)
    store = SqliteStore(path, START + DAYS * DAY_MS, ballast_mib=0)
    states = ((SHUT - 2 * HOUR_MS, "proved"), (SHUT, "contradicted"), (SHUT + 6 * HOUR_MS, "unproved"))
    store.write([KeepOpenings([OpeningChange("club", at, state) for at, state in states])])
    store.write([KeepEnded([_dance(number, held) for number, held in enumerate(HELD)])])
    store.close()
    return Client(path, START + DAYS * DAY_MS)


def rows(client: Client, query: str, *stations: str) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/promises?{query}", headers=client.key(*stations))
    assert answer.status_code == 200, answer.text
    told: list[dict[str, Any]] = answer.json()["rows"]
    return told


def test_a_row_a_station_adds_up_and_says_how_much_was_seen(client: Client) -> None:
    by_name = {row["station"]: row for row in rows(client, MONTH)}
    club = by_name["club"]
    assert (club["proved_min"], club["contradicted_min"]) == (120, 360)
    assert (club["promised_min"], club["kept"]) == (DAYS * 1440, 0.25)
    assert club["coverage"] == round(480 / (DAYS * 1440), 4)
    yanshan = by_name["yanshan"]
    assert yanshan["promised_min"] == DAYS * 16 * 60, "06:30 to 22:30"
    assert (yanshan["kept"], yanshan["contradicted_min"]) == (1, 0)
    assert 0.5 < yanshan["coverage"] < 1, "nobody heard anything for six hours, and nights are quiet"
    assert yanshan["working"]["seat"] == 1
    assert 0.8 < yanshan["working"]["charger"] < 1, "a pile was out of order for half a day"
    for row in by_name.values():
        assert row["promised_min"] == pytest.approx(row["proved_min"] + row["contradicted_min"] + row["unproved_min"])


def test_days_are_the_stations_own_and_add_up_to_its_row(client: Client) -> None:
    days = rows(client, f"{MONTH}&by=day&region=佛山")
    assert [(row["station"], row["from"]) for row in days[:2]] == [
        ("club", "2026-10-31T16:00:00Z"), ("club", "2026-11-01T16:00:00Z"),
    ]  # fmt: skip
    assert len(days) == DAYS
    assert (days[1]["proved_min"], days[1]["contradicted_min"], days[1]["kept"]) == (120, 360, 0.25)
    assert days[0]["kept"] is None
    [whole] = rows(client, f"{MONTH}&region=佛山")
    assert sum(row["promised_min"] for row in days) == whole["promised_min"]


def test_activities_are_counted_by_station_and_day(client: Client) -> None:
    def told(row: dict[str, Any]) -> tuple[int, int, int]:
        return row["activities_held"], row["activities_not_held"], row["activities_unknown"]

    [whole] = rows(client, f"{MONTH}&region=佛山")
    assert told(whole) == (2, 1, 1)
    days = rows(client, f"{MONTH}&by=day&region=佛山")
    assert [told(day) for day in days[:4]] == [(0, 0, 0), (2, 0, 0), (0, 1, 1), (0, 0, 0)]
    page = client.get("/promises?month=2026-11&lang=zh-Hans", headers=client.key()).text
    assert re.search(r'data-station="club".*?活动场次">2 · 75%<', page)
    assert re.search(r'data-station="shaping".*?活动场次">—<', page)
    paper = client.get("/stations/club/report?month=2026-11&lang=zh-Hans", headers=client.key()).text
    assert "日历共 4 场，未举办 1，无从得知 1" in paper


def test_without_a_window_it_is_the_present_month(client: Client) -> None:
    [row] = rows(client, "region=佛山")
    assert (row["from"], row["to"]) == ("2026-10-31T16:00:00Z", "2026-11-09T16:00:00Z")


def test_a_key_sees_its_own_stations_and_strangers_none(client: Client) -> None:
    assert [row["station"] for row in rows(client, MONTH, "shaping")] == ["shaping"]
    assert client.get(f"/api/v1/promises?{MONTH}").status_code == 401
    nowhere = client.get(f"/api/v1/promises?{MONTH}&region=Berlin", headers=client.key("shaping"))
    assert nowhere.status_code == 404


def test_the_sheet_opens_in_excel_with_a_column_for_each_kind(client: Client) -> None:
    answer = client.get(f"/api/v1/promises?{MONTH}&format=csv", headers=client.key())
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    table = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert {row["station"] for row in table} == {"yanshan", "shaping", "club", "abroad"}
    assert [row["working_seat"] for row in table if row["station"] == "club"] == [""]


@pytest.mark.parametrize(
    ("day", "state"),
    [
        (Promised(), "shut"),
        (Promised(unproved=1), "unseen"),
        (Promised(proved=95, contradicted=5), "kept"),
        (Promised(proved=94, contradicted=6), "partly"),
        (Promised(proved=49, contradicted=51), "broken"),
    ],
)
def test_what_a_day_is_called(day: Promised, state: str) -> None:
    assert state_of_day(day) == state


def test_a_day_of_which_nothing_is_kept_is_not_called_closed(client: Client) -> None:
    former = page(client, "month=2026-10")
    [club] = re.findall(r'<tr data-station="club">.*?</tr>', former)
    assert len(re.findall(r'<i class="before"', club)) == 31
    assert 'class="shut"' not in club
    [club] = re.findall(r'<tr data-station="club">.*?</tr>', page(client))
    assert 'class="before"' not in club


def test_what_always_worked_is_one_word(client: Client) -> None:
    [told] = re.findall(r'<tr data-station="yanshan">.*?class="w working">(.*?)</td>', page(client))
    assert re.fullmatch(r"充电 \d+% · 其余 100%", told)


def page(client: Client, query: str = "month=2026-11", *stations: str) -> str:
    answer = client.get(f"/promises?{query}", headers=client.key(*stations))
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def test_the_page_has_the_worst_station_first_and_its_month_as_days(client: Client) -> None:
    text = page(client)
    stations = re.findall(r'<tr data-station="(\w+)">', text)
    assert stations[0] == "club"
    assert set(stations) == {"club", "yanshan", "shaping", "abroad"}
    club = text.split('data-station="club"')[1].split("</tr>")[0]
    assert re.findall(r'<i class="(\w+)"', club)[:3] == ["unseen", "broken", "unseen"]
    assert "<b>25%</b>" in club
    yanshan = text.split('data-station="yanshan"')[1].split("</tr>")[0]
    assert "充电" in yanshan, "equipment by kind"
    assert re.search(r'data-label="到访人次">(≥ )?[\d,]+', yanshan), "cards at its door"
    assert 'data-label="到访人次">—<' in club, "it has no door"


def test_the_page_is_for_staff_in_their_language_and_needs_no_script(client: Client) -> None:
    assert client.get("/promises").status_code == 401
    text = page(client, "month=2026-11&lang=en", "club")
    assert "Kept promises" in text
    assert "<script" not in text
    assert re.findall(r'<tr data-station="(\w+)">', text) == ["club"]
    assert client.get("/promises?month=2027-11", headers=client.key()).status_code == 422


def test_a_station_without_its_usual_first_sign_says_since_when(tmp_path: Path) -> None:
    opened = [START + day * DAY_MS + 6 * HOUR_MS + HOUR_MS // 2 for day in range(12)]
    changes = [OpeningChange("yanshan", START, "closed")]
    for at in opened[:-1]:
        changes.append(OpeningChange("yanshan", at, "unproved"))
        changes.append(OpeningChange("yanshan", at + HOUR_MS // 4, "proved"))
        changes.append(OpeningChange("yanshan", at + 16 * HOUR_MS, "closed"))
    changes.append(OpeningChange("yanshan", opened[-1], "unproved"))
    with contextlib.closing(SqliteStore(tmp_path, START, ballast_mib=0)) as store:
        store.write([KeepOpenings(changes)])
    client = Client(tmp_path, opened[-1] + HOUR_MS + HOUR_MS // 4)
    window = f"from={START}&to={opened[-1] + HOUR_MS}&by=day"
    told = [(row["no_sign_since"], row["usually_within_min"]) for row in rows(client, window, "yanshan")]
    assert told == [(None, None)] * 11 + [("2026-11-11T22:30:00Z", 15)]
    page = client.get("/promises?lang=zh-Hans", headers=client.key()).text
    hint = re.search(r'<tr data-station="yanshan">.*?<small class="hint">(.*?)</small>', page)
    assert hint is not None
    assert hint[1] == "06:30 开门后还看不到有人进出，平常 15 分钟内就有；只是提示，不算落空"
    assert page.count('class="hint"') == 1
    assert 'class="hint"' not in client.get("/promises?month=2026-10", headers=client.key()).text
    early = Client(tmp_path, opened[-1] + HOUR_MS)
    assert 'class="hint"' not in early.get("/promises", headers=early.key()).text
    assert {row["no_sign_since"] for row in rows(early, window, "yanshan")} == {None}
