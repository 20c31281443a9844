"""An API without the journal says what it lacks, instead of null or nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from api.auth import Keyring
from gateway.store.sqlite import SqliteStore
from tests.api.conftest import CONFIG, NOON, House, serving

ONE = "/api/v1/stations/yanshan"
HERE = "?from=2026-11-21T11:00:00Z&to=2026-11-21T12:00:00Z"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    (tmp_path / "token").write_text("t")
    (tmp_path / "token").chmod(0o600)
    influx = {"url": "http://127.0.0.1:9", "org": "o", "bucket": "b", "token_file": str(tmp_path / "token")}
    text = CONFIG | {
        "store": {"path": str(tmp_path / "elsewhere"), "influx": influx},
        "api": {"keys_file": str(tmp_path / "keys.json"), "listen": "127.0.0.1:0"},
    }
    (tmp_path / "yizhan.yaml").write_text(yaml.safe_dump(text, allow_unicode=True))
    yield from serving(tmp_path, files=tmp_path / "yizhan.yaml")


def staff(tmp_path: Path) -> dict[str, str]:
    return {"authorization": f"Bearer {Keyring(tmp_path / 'keys.json').create('li', 'admin', NOON)}"}


def test_use_is_told_with_what_is_lacking(house: House) -> None:
    told = house.get(f"{ONE}/utilization{HERE}&by=hour").json()
    assert told["total"]["energy_wh"] is None
    assert "the gateway's journal, which is not here" in told["lacks"]
    assert "lacks" in house.get(f"/api/v1/utilization{HERE}&by=hour").json()


@pytest.mark.parametrize(
    ("path", "what"),
    [
        (f"/api/v1/visits{HERE}&station=yanshan", "visits"),
        (f"{ONE}/sessions{HERE}", "charging sessions"),
        ("/api/v1/promises", "promises"),
        ("/api/v1/alerts", "alerts"),
        ("/api/v1/orders", "orders"),
        ("/api/v1/audit", "audit"),
    ],
)
def test_what_only_the_journal_knows_is_refused_with_the_reason(
    house: House, tmp_path: Path, path: str, what: str
) -> None:
    answer = house.get(path, headers=staff(tmp_path))
    assert answer.status_code == 503
    assert what in answer.json()["detail"]
    assert "not here" in answer.json()["detail"]


def test_once_the_journal_is_there_it_is_asked(house: House, tmp_path: Path) -> None:
    SqliteStore(tmp_path / "elsewhere" / "gateway-1of2", NOON, ballast_mib=0).close()
    assert "lacks" not in house.get(f"{ONE}/utilization{HERE}&by=hour").json()
    assert house.get("/api/v1/alerts", headers=staff(tmp_path)).json()["alerts"] == []
