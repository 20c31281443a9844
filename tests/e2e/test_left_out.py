"""What a station could not use, through the whole product: the route, an API on its own, the log, doctor."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.rig import MOSQUITTO, Yizhan, config, free_port, get, mosquitto, publish, yizhan
from tests.patience import until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed"),
]
CALENDAR = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:x\r\n"
    "DTSTAMP:20260101T000000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
WANTED = {
    "seat-01 message": 2,
    "seat-02 battery_pct": 1,
    "pile-01 status 'Charged'": 1,
    "lounge calendar: has a time that can't be read": 1,
}


def house(folder: Path, mqtt: int, http: int) -> str:
    (folder / "programme.ics").write_text(CALENDAR, newline="")
    path = Path(config(folder, f"mqtt://127.0.0.1:{mqtt}", http))
    path.write_text(path.read_text().replace("- id: lounge\n", "- id: lounge\n        calendar: programme.ics\n"))
    return str(path)


def say_what_nobody_can_use(mqtt: int) -> None:
    publish(mqtt, "yz/yanshan/seat-01/state", "{")
    publish(mqtt, "yz/yanshan/seat-01/state", '{"occupied":"perhaps"}')
    publish(mqtt, "yz/yanshan/seat-02/state", '{"occupied":true,"battery_pct":255}')
    publish(mqtt, "yz/yanshan/pile-01/state", '{"status":"Charged"}')


def left_out(http: int, key: str) -> dict[str, int]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{http}/api/v1/stations/yanshan/left-out", headers={"authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        told: dict[str, Any] = json.load(answer)
    return {row["what"]: row["count"] for row in told["left_out"]}


def key_of(folder: Path, path: str) -> str:
    made = yizhan(
        folder, "keys", "create", "--config", path, "--role", "viewer", "--name", "duty", "--stations", "yanshan"
    )
    return made.stdout.split()[-1]


@pytest.mark.slow
def test_what_a_gateway_leaves_out_is_found_through_an_api_of_its_own_and_by_doctor(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as mqtt:
        http = free_port()
        path = house(tmp_path, mqtt, http)
        key = key_of(tmp_path, path)
        with Yizhan(tmp_path, "gateway", "--config", path) as gateway, Yizhan(tmp_path, "api", "--config", path):
            until(lambda: get(http, "/readyz")["status"] == "ready")
            until(lambda: "connected to" in gateway.errors)
            say_what_nobody_can_use(mqtt)
            until(lambda: left_out(http, key) == WANTED)  # a gateway reports of itself every half minute
            said = yizhan(tmp_path, "doctor", "--config", path).stdout
        for what in WANTED:
            assert f"yanshan/{what}: left out" in said
            assert gateway.errors.count(what.partition(" calendar")[0]) >= 1


def test_one_process_tells_at_once_what_it_leaves_out(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as mqtt:
        http = free_port()
        path = house(tmp_path, mqtt, http)
        key = key_of(tmp_path, path)
        with Yizhan(tmp_path, "up", "--config", path):
            until(lambda: get(http, "/readyz")["status"] == "ready")
            say_what_nobody_can_use(mqtt)
            until(lambda: left_out(http, key) == WANTED)
