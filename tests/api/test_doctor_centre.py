"""`yizhan doctor` about the centre of a box, and about stations of which a box has other lines."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from api.chinese import told
from api.commands.doctor_broker import broker
from api.commands.doctor_centre import centre, differences
from config.load import load
from config.schema import Settings
from config.sites import path_of, site_of
from tests.ports import free_port

STATION = "stations: [{id: yanshan, areas: [{id: lounge, resources: [{id: seat-01, kind: seat}]}]}]\n"


def configured(folder: Path, more: str) -> Settings:
    (folder / "yizhan.yaml").write_text(f"store: {{path: data}}\n{more}{STATION}")
    return load(folder / "yizhan.yaml", {})


def test_without_a_centre_there_is_no_line(tmp_path: Path) -> None:
    assert list(centre(configured(tmp_path, ""))) == []


def test_a_centre_that_lets_us_in_is_fine_and_without_its_key_is_not_obeyed(
    tmp_path: Path, mosquitto_of: Callable[..., Any]
) -> None:
    lines = list(centre(configured(tmp_path, f'uplink: {{url: "mqtt://127.0.0.1:{mosquitto_of().port}"}}\n')))
    assert [(line.mark, line.what) for line in lines] == [("ok", "centre"), ("ok", "centre")]
    assert "as box yanshan" in lines[0].text


def test_a_centre_that_can_not_be_reached_is_a_failure_that_loses_nothing(tmp_path: Path) -> None:
    lines = list(centre(configured(tmp_path, f'uplink: {{url: "mqtt://127.0.0.1:{free_port()}"}}\n')))
    assert lines[0].mark == "fail"
    assert "the journal keeps everything" in lines[0].text


def test_each_address_is_tried_and_one_that_is_away_is_a_warning_while_another_answers(
    tmp_path: Path, mosquitto_of: Callable[..., Any]
) -> None:
    urls = f'{{url: ["mqtt://127.0.0.1:{free_port()}", "mqtt://127.0.0.1:{mosquitto_of().port}"]}}\n'
    settings = configured(tmp_path, f"mqtt: {urls}uplink: {urls}")
    for lines in (list(broker(settings))[:2], list(centre(settings))[:2]):
        assert [line.mark for line in lines] == ["warn", "ok"]
        assert "the other addresses carry on" in lines[0].text
        assert "其余地址照常使用" in told(lines[0].text)


def test_a_station_of_ours_of_which_a_box_has_other_lines_is_told(tmp_path: Path) -> None:
    settings = configured(tmp_path, "uplinks: {accept: [box-1]}\n")
    path = path_of(tmp_path / "data", "yanshan")
    path.parent.mkdir(parents=True)
    box = site_of(settings, settings.stations[0], "box-1", 1)
    path.write_bytes(box)
    assert list(differences(settings)) == []
    path.write_bytes(box.replace(b"seat-01", b"seat-99"))
    (difference,) = differences(settings)
    assert difference == ("warn", "boxes", "yanshan: box box-1 and we differ in seat-01, seat-99; ours holds")
    assert "以这里的为准" in told(difference.text)


def test_other_hours_and_another_ttl_of_a_box_are_told_by_their_names(tmp_path: Path) -> None:
    settings = configured(tmp_path, "uplinks: {accept: [box-1]}\n")
    path = path_of(tmp_path / "data", "yanshan")
    path.parent.mkdir(parents=True)
    site = json.loads(site_of(settings, settings.stations[0], "box-1", 1))
    site["station"]["hours"] = "08:00-20:00"
    site["station"]["areas"][0]["resources"][0]["ttl"] = 77
    path.write_text(json.dumps(site))
    (difference,) = differences(settings)
    assert difference == ("warn", "boxes", "yanshan: box box-1 and we differ in hours, seat-01; ours holds")
