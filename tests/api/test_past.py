"""Utilisation and sessions over HTTP: what adds up, what is said to be unknown, and what nobody may see."""

import csv
import io
import json
from collections import defaultdict
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.schemas import RegionUtilization, SessionsSchema, Utilization
from gateway.base.local_time import DAY_MS, HOUR_MS
from gateway.base.times import from_rfc3339, rfc3339
from gateway.store.reader import SqliteReader
from tests.api.month import BROKEN, RESET, SILENT, START, Client, live

PEAK_HOURS = 5
CROWD = 5


DAYS = 7
ONE = "/api/v1/stations/yanshan"
SUMS = ("occupied_minutes", "known_open_minutes", "unknown_minutes", "closed_minutes", "sessions", "energy_wh")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("month")
    live(path, DAYS)
    return path


@pytest.fixture(scope="module")
def client(folder: Path) -> Client:
    return Client(folder, START + DAYS * DAY_MS)


def use(client: Client, path: str = ONE, headers: dict[str, str] | None = None, **query: Any) -> dict[str, Any]:
    params = {"from": START, "to": START + DAYS * DAY_MS, **query}
    answer = client.get(f"{path}/utilization", params=params, headers=headers)
    assert answer.status_code == 200, answer.text
    answered: dict[str, Any] = answer.json()
    (Utilization if path == ONE else RegionUtilization).model_validate(answered)
    return answered


def sessions(client: Client, **query: Any) -> dict[str, Any]:
    answer = client.get(f"{ONE}/sessions", params={"from": START, "to": START + DAYS * DAY_MS, **query})
    assert answer.status_code == 200, answer.text
    SessionsSchema.model_validate(answer.json())
    answered: dict[str, Any] = answer.json()
    return answered


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize("by", ["hour", "day", "hour_of_week"])
@pytest.mark.parametrize("scope", [{}, {"area": "yard"}, {"resource": "pile-01"}])
def test_buckets_add_up_to_the_total_however_they_are_cut(client: Client, by: str, scope: dict[str, Any]) -> None:
    whole, cut = use(client, **scope)["total"], use(client, by=by, **scope)
    for name in SUMS:
        assert sum(bucket[name] or 0 for bucket in cut["buckets"]) == pytest.approx(cut["total"][name])
        assert cut["total"][name] == pytest.approx(whole[name])


def test_a_region_is_its_stations_together(client: Client) -> None:
    everywhere = use(client, "/api/v1", region="江门", by="station")
    assert [bucket["station"] for bucket in everywhere["buckets"]] == everywhere["stations"] == ["yanshan", "shaping"]
    by_day = use(client, "/api/v1", region="广东,江门")
    alone = use(client)
    for name in SUMS:
        assert everywhere["total"][name] == pytest.approx(by_day["total"][name])
        assert everywhere["buckets"][0][name] == pytest.approx(alone["total"][name])
    assert use(client, "/api/v1", region="鹤山")["stations"] == ["yanshan"]


def test_a_region_that_is_nowhere_or_in_two_zones_has_no_days(client: Client) -> None:
    assert client.get("/api/v1/utilization?region=北京").status_code == 404
    answer = client.get("/api/v1/utilization")
    assert answer.status_code == 422
    assert "Asia/Shanghai, Europe/Berlin" in answer.json()["detail"]


def test_the_silent_hours_are_unknown_and_not_idle(client: Client) -> None:
    day = use(client)["buckets"][2]
    assert day["from"] == "2026-11-02T16:00:00Z"
    assert day["unknown_minutes"] == pytest.approx(8 * (SILENT.stop - SILENT.start) / 60_000, rel=0.15)
    assert day["coverage"] < 0.7
    assert day["visits_max"] is None


def counted(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What each meter said, straight from the raw messages."""
    reader, counters = SqliteReader(folder), defaultdict(list)
    for reading in reader.readings(station="yanshan"):
        if reading.device.startswith("pile") and "energy_wh" in (said := json.loads(reading.payload)):
            counters[reading.device].append((reading.received_at, said["energy_wh"]))
    reader.close()
    return counters


@pytest.mark.parametrize("pile", ["pile-01", "pile-02"])
def test_energy_is_what_the_counter_rose_by_and_a_new_meter_is_told(client: Client, folder: Path, pile: str) -> None:
    counters = [value for _, value in counted(folder)[pile]]
    rises = [after - before for before, after in pairwise(counters)]
    total = use(client, resource=pile)["total"]
    assert total["energy_wh"] + total["energy_over_gaps_wh"] == sum(rise for rise in rises if rise > 0)
    assert total["meter_resets"] == (pile == "pile-01")
    assert total["energy_over_gaps_wh"] > 0


def test_each_session_has_the_energy_between_its_ends(client: Client, folder: Path) -> None:
    meters = counted(folder)
    told = sessions(client)["sessions"]
    known = [session for session in told if session["energy_wh"] is not None]
    assert len(known) > 30
    for session in known:
        begin, end = ms(session["from"]), ms(session["to"])
        before = [value for at, value in meters[session["resource"]] if at < begin][-1]
        after = next(value for at, value in meters[session["resource"]] if at >= end)
        assert session["energy_wh"] == after - before
        assert not begin <= RESET <= end or session["resource"] == "pile-02"


def test_a_session_that_was_not_seen_whole_tells_no_energy(client: Client) -> None:
    told = sessions(client, resource="pile-02")["sessions"]
    torn = [session for session in told if not session["whole"]]
    assert torn
    assert all(session["energy_wh"] is None for session in torn)
    assert not any(session["whole"] and ms(session["from"]) < BROKEN.start < ms(session["to"]) for session in told)


def test_pages_of_sessions_join_and_sums_are_of_the_whole_window(client: Client) -> None:
    whole, got = sessions(client), []
    start: Any = START
    while start is not None:
        page = sessions(client, limit=1, **{"from": start})
        got += page["sessions"]
        start = page["next"]
    assert got == whole["sessions"]
    assert whole["total"]["sessions"] == len(got)
    assert whole["total"]["energy_unknown"] == sum(session["energy_wh"] is None for session in got)


def test_visits_are_bands_of_whole_days_that_never_tell_a_few_persons(client: Client) -> None:
    for bucket in use(client)["buckets"]:
        assert bucket["visits_min"] % CROWD == 0
        width = CROWD if bucket["visits_max"] is None else bucket["visits_max"] - bucket["visits_min"] + 1
        assert width >= CROWD
        assert width % CROWD == 0
    assert all(bucket["visits_min"] is None for bucket in use(client, by="hour")["buckets"])
    span: dict[str, Any] = {"from": START + HOUR_MS, "to": START + 2 * DAY_MS - HOUR_MS}
    shifted = use(client, **span)
    assert [bucket["visits_min"] for bucket in shifted["buckets"]] == [None, None]


def test_peaks_are_few_and_only_where_enough_is_known(client: Client) -> None:
    buckets = use(client, by="hour_of_week")["buckets"]
    assert sum(bucket["peak"] is True for bucket in buckets) == PEAK_HOURS
    silent = [bucket for bucket in buckets if (bucket["coverage"] or 0) < 0.8]
    assert silent
    assert all(bucket["peak"] is None for bucket in silent)


def test_a_station_of_nothing_but_rooms_is_in_no_region_for_strangers(client: Client) -> None:
    path = "/api/v1/utilization?region=广东&by=station"
    assert client.get(path).json()["stations"] == ["yanshan", "shaping"]
    assert client.get(path, headers=client.key("club")).json()["stations"] == ["yanshan", "shaping", "club"]
    assert client.get("/api/v1/utilization?region=佛山").status_code == 404


@pytest.mark.parametrize("path", [f"{ONE}/utilization", "/api/v1/utilization", f"{ONE}/sessions"])
def test_csv_has_the_rows_of_json(client: Client, path: str) -> None:
    query: dict[str, Any] = {"from": START, "to": START + DAYS * DAY_MS, "region": "江门"}
    body = client.get(path, params=query).json()
    answer = client.get(path, params={**query, "format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    wanted = body["sessions" if "sessions" in path else "buckets"]
    assert _rows(answer) == [{name: _cell(value) for name, value in bucket.items()} for bucket in wanted]


def test_the_history_too_has_csv_with_the_rows_of_json(client: Client) -> None:
    query: dict[str, Any] = {"from": START, "to": START + DAY_MS, "resource": "pile-01"}
    body = client.get(f"{ONE}/history", params=query).json()
    answer = client.get(f"{ONE}/history", params={**query, "format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert _rows(answer) == body["intervals"]


def _rows(answer: httpx.Response) -> list[dict[str, str]]:
    """Its times are those of the house, with their offset; here they are told in UTC again, as JSON has them."""
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    for row in rows:
        for name in ("from", "to"):
            if row.get(name):
                assert row[name].endswith("+08:00")
                row[name] = rfc3339(from_rfc3339(row[name]))
    return rows


def _cell(value: object) -> str:
    return "" if value is None else json.dumps(value).strip('"')


@pytest.mark.parametrize("by", ["hour", "day", "hour_of_week"])
def test_no_subtraction_of_strangers_sums_gives_a_room(client: Client, by: str) -> None:
    key = client.key("yanshan")
    strangers, staff = (use(client, by=by, headers=headers) for headers in ({}, key))
    parts = [use(client, by=by, area=area) for area in ("lounge", "yard")]
    room = use(client, by=by, resource="room", headers=key)
    assert room["total"]["occupied_minutes"] > 0
    assert room["total"] == use(client, by=by, area="dance", headers=key)["total"]
    for name in SUMS[:5]:
        for at, bucket in enumerate(strangers["buckets"]):
            assert bucket[name] == pytest.approx(sum(part["buckets"][at][name] for part in parts))
            known = staff["buckets"][at][name]
            assert known == pytest.approx(bucket[name] + room["buckets"][at][name], abs=0.05)
    assert use(client, headers=client.key("shaping"))["total"] == use(client)["total"]


def test_a_region_has_the_rooms_of_the_stations_that_a_key_covers_and_no_others(client: Client) -> None:
    ask = {"path": "/api/v1", "region": "江门", "by": "station"}
    strangers, staff, other = (
        use(client, **ask, headers=headers)["buckets"] for headers in ({}, client.key("yanshan"), client.key("shaping"))
    )
    assert strangers == other
    assert staff[0]["occupied_minutes"] > strangers[0]["occupied_minutes"]
    assert staff[1] == strangers[1]
    assert strangers[0]["occupied_minutes"] == use(client)["total"]["occupied_minutes"]


@pytest.mark.parametrize("query", ["resource=room", "resource=door-main", "area=dance"])
def test_what_tells_of_persons_needs_a_key_that_covers_the_station(client: Client, query: str) -> None:
    path = f"{ONE}/utilization?{query}"
    assert client.get(path).status_code == 401
    assert client.get(path, headers=client.key("shaping")).status_code == 403
    assert client.get(path, headers=client.key("yanshan")).status_code == 200


def test_a_machine_without_the_roll_ups_answers_from_the_journal_and_tells_no_energy(
    folder: Path, client: Client
) -> None:
    wanted = use(client)["buckets"]
    (folder / "rollups.db").rename(folder / "aside")
    try:
        buckets = use(client)["buckets"]
    finally:
        (folder / "aside").rename(folder / "rollups.db")
    for bucket, other in zip(buckets, wanted, strict=True):
        assert [bucket[name] for name in SUMS[:5]] == [other[name] for name in SUMS[:5]]
        assert bucket["energy_wh"] is bucket["visits_min"] is None


@pytest.mark.parametrize(("more_ms", "status"), [(0, 200), (1, 422)])
def test_a_window_has_at_most_400_days(client: Client, more_ms: int, status: int) -> None:
    end = START + DAYS * DAY_MS
    params = {"from": end - 400 * 86_400_000 - more_ms, "to": end, "by": "day"}
    assert client.get(f"{ONE}/utilization", params=params).status_code == status


@pytest.mark.parametrize(("limit", "status"), [(20_000, 200), (20_001, 422)])
def test_a_page_of_the_history_has_at_most_20_000_intervals(client: Client, limit: int, status: int) -> None:
    params = {"resource": "seat-01", "from": START, "to": START + DAYS * DAY_MS, "limit": limit}
    assert client.get(f"{ONE}/history", params=params).status_code == status
