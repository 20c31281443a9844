"""Readers that nobody here wrote take our feeds: map programs, calendars, charging apps. No error, nothing lost."""

import json
import random
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.geo import distance_m, to_bd09, to_gcj02
from gateway.base.clock import now_ms
from tests.api import conftest
from tests.api.conftest import House, serving
from tests.api.documents import document, line, resource
from tests.readers.programs import HERE, node_readers, readers
from tests.readers.radicale import PASSWORD, USER, radicale

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SPACEAPI_SCHEMA = "https://schema.spaceapi.io/15.json"
HALL = {
    "id": "hall", "hours": "09:00-21:00",
    "resources": [{"id": "hall", "kind": "room"}, {"id": "aed", "kind": "safety", "type": "aed"}],
}  # fmt: skip
YARD = {
    "id": "yard",
    "resources": [
        {"id": "pile-01", "kind": "charger", "type": "ev"}, {"id": "pile-02", "kind": "charger", "type": "ebike"},
    ],
}  # fmt: skip
STATIONS = [
    {
        "id": "yanshan", "name": {"zh": "雁山社区爱心驿站", "en": "Yanshan"}, "region": ["广东", "江门", "鹤山"],
        "location": {"lat": 22.765, "lon": 112.964, "address": "雁山社区, 1 号\"A\""},
        "hours": "Mo-Fr 08:00-20:00; PH off", "areas": [HALL, YARD],
    },
    {"id": "bare", "areas": [{"id": "a", "resources": [{"id": "pile-01", "kind": "charger", "type": "ev"}]}]},
    {"id": "empty", "hours": "24/7", "location": {"lat": -33.9, "lon": 18.4}, "areas": []},
]  # fmt: skip


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    (tmp_path / "partner").write_text("token-A")
    partners = [{"id": "app", "token_file": str(tmp_path / "partner")}]
    ocpi = {"country_code": "CN", "party_id": "YZN", "partners": partners}
    monkeypatch.setattr(conftest, "CONFIG", {"stations": STATIONS, "ocpi": ocpi})
    for house in serving(tmp_path / "store", public_url="https://stations.example"):
        now = house.clock.now = now_ms()
        shown = [
            resource("hall", "room", until=now + 60_000),
            resource("aed", "safety", until=now + 60_000) | {"type": "aed"},
            resource("pile-01", "charger", use="occupied", until=now + 60_000) | {"type": "ev"},
            resource("pile-02", "charger", evidence="never") | {"type": "ebike"},
        ]  # fmt: skip
        house.view.put(document("yanshan", shown, [line("charger", 1, 0, 0, "ev"), line("room", 1, 1, 1)], now))
        yield house


def said(command: list[str], given: str) -> str:
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def parsed(kind: str, given: str, *more: str) -> str:
    return said([str(readers() / "python"), str(HERE / "parse.py"), kind, *more], given)


@pytest.mark.parametrize("crs", ["wgs84", "gcj02", "bd09"])
def test_geojson_is_read_by_two_libraries(house: House, crs: str) -> None:
    text = house.get(f"/feeds/stations.geojson?crs={crs}").text
    assert parsed("geojson", text) == "3 read"
    node_readers()
    assert said(["node", str(HERE / "parse.mjs"), "geojson"], text) == "3 read"


@pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="left out: gdal's ogrinfo is not installed")
def test_gdal_reads_the_map_table_in_both_forms(house: House, tmp_path: Path) -> None:
    for name, options in (
        ("stations.geojson", ()),
        ("stations.csv", ("-oo", "X_POSSIBLE_NAMES=lon", "-oo", "Y_POSSIBLE_NAMES=lat")),
    ):
        path = tmp_path / name
        path.write_bytes(house.get(f"/feeds/{name}").content)
        done = subprocess.run(
            ["ogrinfo", "-ro", "-al", *options, str(path)], capture_output=True, text=True, timeout=120, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        assert "Feature Count: 3" in done.stdout
        assert "雁山社区爱心驿站" in done.stdout
        assert "POINT (112.964 22.765)" in done.stdout


def test_a_charging_app_reads_our_locations(house: House) -> None:
    answer = house.get("/ocpi/2.2.1/locations", headers={"authorization": "Token dG9rZW4tQQ=="})
    locations = answer.json()["data"]
    assert [location["id"] for location in locations] == ["yanshan"], "a station without a place is none of OCPI"
    assert parsed("ocpi", json.dumps(locations)) == "1 read, 2 points"


def test_spaceapi_fits_its_schema(house: House, tmp_path: Path) -> None:
    try:
        with urllib.request.urlopen(SPACEAPI_SCHEMA, timeout=10) as answer:
            (tmp_path / "15.json").write_bytes(answer.read())
    except OSError as error:
        pytest.skip(f"left out: {SPACEAPI_SCHEMA} can't be had: {error}")
    for station in ("yanshan", "bare", "empty"):
        text = house.get(f"/feeds/spaceapi/{station}.json").text
        assert parsed("schema", text, str(tmp_path / "15.json")) == "1 read", station


def test_vdirsyncer_and_khal_read_our_calendars_and_radicale_takes_them(house: House, tmp_path: Path) -> None:
    for feed in ("yanshan", "yanshan/hall", "empty"):
        folder = tmp_path / feed.replace("/", "-")
        folder.mkdir()
        ours = house.get(f"/feeds/{feed}.ics").text
        with radicale(folder) as server:
            _synced(folder, f"{house.url}/feeds/{feed}.ics", server.url)
            files = list((folder / "copy").glob("*.ics"))
            assert len(files) == ours.count("BEGIN:VEVENT"), "each event is one file"
            kept = list((folder / "collections/collection-root" / USER / "hall").glob("*.ics"))
            assert len(kept) == len(files), "Radicale keeps each"
        assert _listed(folder) == sorted(set(_titles(ours)))


def _synced(folder: Path, feed: str, calendar: str) -> None:
    config = folder / "feed.conf"
    config.write_text(
        f'[general]\nstatus_path = "{folder}/feed-status/"\n\n'
        '[pair near]\na = "feed"\nb = "copy"\ncollections = null\nconflict_resolution = "a wins"\n\n'
        '[pair far]\na = "feed"\nb = "radicale"\ncollections = null\nconflict_resolution = "a wins"\n\n'
        f'[storage feed]\ntype = "http"\nurl = "{feed}"\n\n'
        f'[storage copy]\ntype = "filesystem"\npath = "{folder}/copy"\nfileext = ".ics"\n\n'
        f'[storage radicale]\ntype = "caldav"\nurl = "{calendar}"\nusername = "{USER}"\npassword = "{PASSWORD}"\n'
    )
    (folder / "copy").mkdir()
    for words in (["discover"], ["sync"]):
        command = [str(readers() / "vdirsyncer"), "-c", str(config), *words]
        done = subprocess.run(command, input="y\n" * 6, capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == 0, done.stderr
        assert "error" not in done.stderr.lower()


def _listed(folder: Path) -> list[str]:
    """The titles that khal shows of the coming fortnight."""
    config = folder / "khal.conf"
    config.write_text(
        f"[calendars]\n[[feed]]\npath = {folder}/copy\ntype = calendar\n[locale]\nlocal_timezone = Asia/Shanghai\n"
        f"default_timezone = Asia/Shanghai\n[sqlite]\npath = {folder}/khal.db\n"
    )
    command = [
        str(readers() / "khal"),
        "-c",
        str(config),
        "list",
        "--day-format",
        "",
        "--format",
        "{title}",
        "today",
        "15d",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr.upper()
    return sorted({text.strip() for text in done.stdout.splitlines() if text.strip() and text.strip() != "No events"})


def _titles(ours: str) -> list[str]:
    unfolded = ours.replace("\r\n ", "")
    return [text.removeprefix("SUMMARY:") for text in unfolded.splitlines() if text.startswith("SUMMARY:")]


def test_coordinates_are_within_a_metre_of_a_published_reference() -> None:
    """gcoord, over China; outside they are the same."""
    chance = random.Random(4)
    points: list[Any] = [(chance.uniform(18.2, 53.5), chance.uniform(73.7, 134.7)) for _ in range(20_000)]
    node_readers()
    told = json.loads(said(["node", str(HERE / "parse.mjs"), "shift"], json.dumps(points)))
    for ours, theirs in ((to_gcj02, told["gcj02"]), (to_bd09, told["bd09"])):
        worst = max(distance_m(ours(point), tuple(there)) for point, there in zip(points, theirs, strict=True))
        assert worst < 1, worst
    for outside in ((51.5, -0.1), (35.68, 139.77), (-33.9, 151.2)):
        assert to_gcj02(outside) == to_bd09(outside) == outside
