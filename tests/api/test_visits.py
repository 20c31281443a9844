"""Visits over HTTP: the same numbers as utilisation tells, sums of bands, and nothing that singles anybody out."""

from pathlib import Path
from typing import Any

import pytest

from api.routes.visits import VisitRows
from gateway.base.local_time import DAY_MS, HOUR_MS
from tests.api.month import START, Client, live

DAYS = 3
CROWD = 5
END = START + DAYS * DAY_MS


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    path: Path = tmp_path_factory.mktemp("month")
    live(path, DAYS)
    return Client(path, END)


def rows(client: Client, **query: Any) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/visits", params={"from": START, "to": END, **query})
    assert answer.status_code == 200, answer.text
    VisitRows.model_validate(answer.json())
    told: list[dict[str, Any]] = answer.json()["rows"]
    return told


def top(told: list[dict[str, Any]]) -> int | None:
    highs = [row["visits_max"] for row in told]
    return None if None in highs else sum(highs)


def test_a_station_has_a_row_a_day_in_bands_as_utilisation_tells_it(client: Client) -> None:
    told = rows(client, station="yanshan")
    params = {"from": START, "to": END}
    buckets = client.get("/api/v1/stations/yanshan/utilization", params=params).json()["buckets"]
    assert len(told) == DAYS
    assert [row["from"] for row in told] == [bucket["from"] for bucket in buckets]
    assert [row["visits_min"] for row in told] == [bucket["visits_min"] or 0 for bucket in buckets]
    assert [row["visits_max"] for row in told] == [bucket["visits_max"] for bucket in buckets]
    assert sum(row["visits_min"] for row in told) > 0
    for row in told:
        assert row["station"] == "yanshan"
        assert row["visits_min"] % CROWD == 0
        assert row["visits_max"] is None or (row["visits_max"] + 1) % CROWD == 0
        assert 0 <= row["coverage"] <= 1


def test_months_and_regions_add_published_days_and_stations(client: Client) -> None:
    days, (month,) = rows(client, station="yanshan"), rows(client, station="yanshan", by="month")
    assert month["visits_min"] == sum(day["visits_min"] for day in days)
    assert month["visits_max"] == top(days)
    assert month["coverage"] == pytest.approx(sum(day["coverage"] for day in days) / DAYS, abs=0.01)
    every = rows(client, by="month")
    (region,) = rows(client, region="江门", by="month")
    there = [row for row in every if row["station"] in ("yanshan", "shaping")]
    assert region["station"] is None
    assert (region["visits_min"], region["visits_max"]) == (sum(row["visits_min"] for row in there), top(there))


def test_only_whole_days_that_are_over_are_told(client: Client) -> None:
    assert len(rows(client, station="yanshan", **{"from": START + 1, "to": END - HOUR_MS})) == DAYS - 2
    assert rows(client, station="yanshan", **{"from": START + HOUR_MS, "to": START + 23 * HOUR_MS}) == []


def test_without_a_window_it_is_the_present_month(client: Client) -> None:
    told = client.get("/api/v1/visits?station=yanshan&by=month").json()["rows"]
    assert [row["from"] for row in told] == ["2026-10-31T16:00:00Z"]


def test_it_is_a_table_too(client: Client) -> None:
    answer = client.get("/api/v1/visits", params={"from": START, "to": END, "station": "yanshan", "format": "csv"})
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "from,station,visits_min,visits_max,coverage"
    assert len(lines) == 1 + DAYS


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("station=nowhere", 404),
        ("region=北京", 404),
        ("region=", 422),
        ("station=yanshan&region=江门", 422),
        ("from=1&to=2&by=week", 422),
        ("from=0", 422),
    ],
)
def test_what_is_nowhere_or_no_question_is_refused(client: Client, query: str, status: int) -> None:
    assert client.get(f"/api/v1/visits?{query}").status_code == status


def test_what_costs_too_much_is_refused_before_any_work(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.routes.past.STRANGERS_MOST", 100)
    answer = client.get("/api/v1/visits?station=yanshan")
    assert answer.status_code == 422
    assert "too much at a time" in answer.json()["detail"]
