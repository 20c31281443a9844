"""Stations as their boxes tell of them: all that a centre needs, and nothing that leads to a file or an address."""

import json
from pathlib import Path
from typing import Any

import pytest

from config.load import load
from config.resources import values_of
from config.sites import path_of, read_site, site_of, with_sites

BOX = """\
store: {path: data}
timezone: Asia/Urumqi
kinds: {seat: {ttl_s: 77}}
mqtt: {url: "mqtt://127.0.0.1:1883"}
stations:
  - id: yanshan
    name: {zh: 雁山}
    hours: "08:00-20:00"
    checks_token_file: secret
    partner: {token_file: secret}
    checks: [{id: tidy, every: day}]
    areas:
      - id: lounge
        calendar: ["https://calendar.example/private.ics"]
        resources:
          - {id: seat-01, kind: seat}
          - {id: seat-02, kind: seat, power: battery, source: {dialect: zigbee2mqtt, topic: zigbee2mqtt/secret-name}}
"""
CENTRE = "store: {path: data}\nuplinks: {accept: [box-1]}\nstations: [{id: own}]\n"


@pytest.fixture
def site(tmp_path: Path) -> bytes:
    folder = tmp_path / "box"
    folder.mkdir()
    (folder / "secret").write_text("the-token")
    (folder / "yizhan.yaml").write_text(BOX)
    settings = load(folder / "yizhan.yaml", {})
    return site_of(settings, settings.stations[0], "box-1", 17)


def centre(tmp_path: Path, text: str = CENTRE, **sites: bytes) -> Any:
    folder = tmp_path / "centre"
    (folder / "data" / "sites").mkdir(parents=True, exist_ok=True)
    for name, site in sites.items():
        path_of(folder / "data", name).write_bytes(site)
    (folder / "yizhan.yaml").write_text(text)
    return load(folder / "yizhan.yaml", {})


def test_it_holds_no_secret_no_source_no_calendar_and_no_file(site: bytes) -> None:
    for word in (b"secret", b"token", b"zigbee2mqtt", b"calendar", b"https:"):
        assert word not in site


def test_the_centre_sees_each_resource_as_the_box_does(site: bytes, tmp_path: Path) -> None:
    box = load(tmp_path / "box" / "yizhan.yaml", {})
    settings = centre(tmp_path, yanshan=site)
    station = settings.station("yanshan")
    assert settings.owners == {"yanshan": "box-1"}
    assert settings.zone_of(station).key == "Asia/Urumqi"
    theirs = [values_of(box, *placed) for placed in box.resources()]
    assert [values_of(settings, *placed) for placed in settings.resources()] == theirs
    assert [check.id for check in station.checks] == ["tidy"]


def test_it_tells_which_version_of_the_box_it_is(site: bytes) -> None:
    assert read_site(site)[:2] == ("box-1", 17)


def test_a_station_that_the_centre_configures_follows_the_centre(site: bytes, tmp_path: Path) -> None:
    settings = centre(tmp_path, CENTRE.replace("own", "yanshan"), yanshan=site)
    assert len(settings.stations) == 1
    assert settings.station("yanshan").hours is None
    assert settings.owners == {}


def test_a_box_that_is_not_accepted_any_more_takes_its_stations_with_it(site: bytes, tmp_path: Path) -> None:
    assert [station.id for station in centre(tmp_path, yanshan=site).stations] == ["own", "yanshan"]
    assert [station.id for station in centre(tmp_path, CENTRE.replace("box-1", "box-2"), yanshan=site).stations] == [
        "own"
    ]


def test_a_station_under_another_name_is_left_out(site: bytes, tmp_path: Path) -> None:
    assert [station.id for station in centre(tmp_path, elsewhere=site).stations] == ["own"]


@pytest.mark.parametrize(
    "told",
    [
        b"", b"{", b"[]", b"7", b'{"box":"box-1"}', b'{"box":7,"station":{"id":"x"}}',
        b'{"box":"box-1","station":{"id":"../x"}}', b'{"box":"box-1","station":{"id":"x","areas":7}}',
        b'{"box":"box-1","station":{"id":"x","unknown":1}}', b"[" * 5_000,
    ],
)  # fmt: skip
def test_what_is_no_site_is_refused_and_costs_no_start(told: bytes, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_site(told)
    assert [station.id for station in centre(tmp_path, x=told).stations] == ["own"]


def test_files_and_addresses_in_a_site_are_not_followed(site: bytes) -> None:
    told = json.loads(site)
    told["station"] |= {"checks_token_file": "/etc/passwd", "floor_plan": "/etc/passwd"}
    told["station"]["areas"][0]["calendar"] = ["http://10.0.0.1/"]
    told["station"]["areas"][0]["resources"][0]["source"] = {"topic": "yz/#"}
    station = read_site(json.dumps(told).encode()).station
    assert station.checks_token_file is None
    assert station.floor_plan is None
    assert station.areas[0].calendar == ()
    assert station.areas[0].resources[0].source is None


def test_without_accepted_boxes_nothing_is_looked_for(tmp_path: Path) -> None:
    settings = centre(tmp_path, "store: {path: data}\nstations: [{id: own}]\n")
    assert with_sites(settings) is settings
