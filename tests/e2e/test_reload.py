"""Files edited while the product runs: `yizhan reload` and SIGHUP, watched on a stream and on the broker."""

import json
import signal
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.rig import MOSQUITTO, Yizhan, config, free_port, get, mosquitto, publish, resource, yizhan
from tests.patience import until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed"),
]
SECOND = """\
  - id: pavilion
    areas: [{id: hall, resources: [{id: seat-01, kind: seat, ttl: 600}]}]
"""


class House:
    def __init__(self, folder: Path, mqtt: int) -> None:
        self.folder, self.mqtt, self.http = folder, mqtt, free_port()
        self.path = Path(config(folder, f"mqtt://127.0.0.1:{mqtt}", self.http))
        self.first = self.path.read_text()

    def write(self, more: str) -> None:
        self.path.write_text(self.first + more)

    def reload(self) -> int:
        return yizhan(self.folder, "reload", "--config", str(self.path)).returncode

    def document(self, station: str) -> Any:
        try:
            return get(self.http, f"/api/v1/stations/{station}")
        except urllib.error.HTTPError as error:
            return error.code


def test_stations_come_and_go_while_a_stream_stays_open(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as mqtt:
        house = House(tmp_path, mqtt)
        with Yizhan(tmp_path, "up", "--config", str(house.path)) as up:
            until(lambda: get(house.http, "/readyz")["status"] == "ready")
            publish(mqtt, "yz/yanshan/seat-01/state", '{"boot": "a", "seq": 1, "occupied": true}')
            until(lambda: resource(house.document("yanshan"), "seat-01")["use"] == "occupied")
            before = house.document("yanshan")
            with urllib.request.urlopen(f"http://127.0.0.1:{house.http}/api/v1/stream", timeout=60) as stream:
                house.write(SECOND)
                assert house.reload() == 0
                assert house.document("pavilion")["areas"][0]["resources"][0]["evidence"] == "never"
                publish(mqtt, "yz/pavilion/seat-01/state", '{"boot": "a", "seq": 1, "occupied": false}')
                until(lambda: resource(house.document("pavilion"), "seat-01")["use"] == "free")
                house.write("")
                up.child.send_signal(signal.SIGHUP)
                until(lambda: house.document("pavilion") == 404)
                heard = b""
                while b"event: removed" not in heard:
                    heard += stream.readline()
                assert stream.readline() == b'data: {"station": "pavilion"}\n'
                assert b'"station":"pavilion"' in heard
            assert house.document("yanshan") | {"as_of": None} == before | {"as_of": None}
            assert up.stop()[0] == 0


def test_a_file_with_mistakes_changes_nothing_and_says_all_of_them(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as mqtt:
        house = House(tmp_path, mqtt)
        with Yizhan(tmp_path, "up", "--config", str(house.path)) as up:
            until(lambda: get(house.http, "/readyz")["status"] == "ready")
            house.write("  - {id: pavilion, hourz: 24/7}\n  - {id: pavilion}\n")
            told = yizhan(tmp_path, "reload", "--config", str(house.path))
            checked = yizhan(tmp_path, "check", "--config", str(house.path))
            assert (told.returncode, told.stderr) == (2, checked.stdout)
            up.child.send_signal(signal.SIGHUP)
            until(lambda: get(house.http, "/readyz")["status"] == "degraded")
            assert all(line in up.errors for line in checked.stdout.splitlines())
            assert house.document("pavilion") == 404
            house.write("")
            assert house.reload() == 0
            assert get(house.http, "/readyz")["status"] == "ready"


def test_what_waits_for_a_restart_is_named(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as mqtt:
        house = House(tmp_path, mqtt)
        with Yizhan(tmp_path, "up", "--config", str(house.path)):
            until(lambda: get(house.http, "/readyz")["status"] == "ready")
            house.path.write_text(house.first.replace(str(house.http), str(free_port())))
            told = yizhan(tmp_path, "reload", "--config", str(house.path))
            assert told.returncode == 0
            assert told.stdout.startswith("up-")
            assert "api.listen: its new value takes effect at the next start" in told.stdout


def test_where_nothing_runs_the_command_says_so(tmp_path: Path) -> None:
    house = House(tmp_path, free_port())
    told = yizhan(tmp_path, "reload", "--config", str(house.path))
    assert told.returncode == 1
    assert "nothing runs" in told.stderr


def test_gateway_and_api_in_processes_of_their_own_both_follow(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as mqtt:
        house = House(tmp_path, mqtt)
        with (
            Yizhan(tmp_path, "gateway", "--config", str(house.path)) as gateway,
            Yizhan(tmp_path, "api", "--config", str(house.path)) as api,
        ):
            until(lambda: get(house.http, "/readyz")["status"] == "ready")

            def heard() -> bool:  # the API may be ready before the gateway hears: the device says it again until then
                publish(mqtt, "yz/yanshan/seat-01/state", '{"boot": "a", "seq": 1, "occupied": true}')
                return bool(resource(house.document("yanshan"), "seat-01")["use"] == "occupied")

            until(heard)
            house.write(SECOND)
            told = yizhan(tmp_path, "reload", "--config", str(house.path))
            assert told.returncode == 0
            assert sorted(line.split("-")[0] for line in told.stdout.splitlines()) == ["api", "gateway"]
            publish(mqtt, "yz/pavilion/seat-01/state", json.dumps({"boot": "a", "seq": 1, "occupied": True}))
            until(lambda: resource(house.document("pavilion"), "seat-01")["use"] == "occupied")
            house.write("")
            for process in (gateway, api):
                process.child.send_signal(signal.SIGHUP)
            until(lambda: house.document("pavilion") == 404)
            assert gateway.stop()[0] == 0
            assert api.stop()[0] == 0
