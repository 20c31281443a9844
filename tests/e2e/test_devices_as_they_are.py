"""The cases of devices as they are through a whole `yizhan up` and a real mosquitto, all at once: a station each."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cases.test_devices import FOLDER
from tests.e2e.rig import MOSQUITTO, Yizhan, free_port, get, mosquitto, publish, resource, yizhan
from tests.patience import until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed"),
]

# No two of them use a topic, and their waits are seconds. Eight dialects.
CHOSEN = (
    "c02_z2m_battery_255", "c04_am307_pir_idle", "c06_unknown_word", "c13_counter_restarts", "c14_deep_sleep_will",
    "c15_off_delay", "c17_shared_topic_keeps_dead_alive", "c20b_unmapped_number", "c21_native_null", "c22_nan",
    "c23_trailing_nul", "c27_template_silent", "c30_slow_clock", "c31_rf_bridge_shared",
)  # fmt: skip
ENTITY_TOPICS = {"omg/pir"}
"""Named by a discovery message, so the gateway asks for them only after that."""


class House:
    """The broker and the product, and what the stations of the cases show."""

    def __init__(self, folder: Path, mqtt: int, http: int) -> None:
        self.folder, self.mqtt, self.http = folder, mqtt, http

    def play(self, case: dict[str, Any]) -> None:
        for step in case["messages"]:
            if isinstance(step, int | float):
                time.sleep(step)  # how long the case waits
                continue
            topic, said, *more = step
            if topic in ENTITY_TOPICS:
                until(lambda name=topic: f" {name}\n" in (self.folder / "broker.log").read_text())
            topic = topic.replace("yz/st/", f"yz/{station_of(case)}/")
            publish(self.mqtt, topic, bytes_of(said), *(["-r"] if more and more[0] else []))

    def shown(self, case: dict[str, Any], name: str) -> Any:
        return resource(get(self.http, f"/api/v1/stations/{station_of(case)}"), name)


def station_of(case: dict[str, Any]) -> str:
    return str(case["id"]).replace("_", "-")


def bytes_of(said: Any) -> bytes:
    if isinstance(said, str):
        return said.encode()
    if "hex" in said:
        return bytes.fromhex(said["hex"])
    return json.dumps(said["body"] | {"ts": int(time.time() * 1000) - said["late_s"] * 1000}).encode()


def configured(folder: Path, mqtt: int, http: int, cases: list[dict[str, Any]]) -> str:
    stations = [
        {
            "id": station_of(case),
            "name": {"zh": "站"},
            "areas": [
                {
                    "id": "a",
                    "name": {"zh": "厅"},
                    "resources": [yaml.safe_load(written) for written in case["resources"]],
                }
            ],
        }
        for case in cases
    ]
    path = folder / "yizhan.yaml"
    whole = {
        "mqtt": {"url": f"mqtt://127.0.0.1:{mqtt}"},
        "store": {"path": "data", "ballast_mib": 0},
        "api": {"listen": f"127.0.0.1:{http}"},
        "gateway": {"metrics_listen": "127.0.0.1:0", "restart_grace_s": 0},
        "stations": stations,
    }
    path.write_text(json.dumps(whole, ensure_ascii=False))
    return str(path)


def differs(house: House, case: dict[str, Any]) -> list[str]:
    """What the station shows otherwise than the case wants."""
    wrong = []
    for axis in ("use", "evidence"):
        for name, value in case["want"].get(axis, {}).items():
            shown = house.shown(case, name)[axis]
            wrong += [] if shown == value else [f"{case['id']}: {name} {axis} is {shown}, not {value}"]
    for name, value in case["want"].get("usable_not", {}).items():
        wrong += [f"{case['id']}: {name} is {value}"] if house.shown(case, name)["usable"] == value else []
    return wrong


def test_the_whole_product_reads_devices_as_the_core_does(tmp_path: Path) -> None:
    cases = [json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")) for name in CHOSEN]
    dialects = {
        (yaml.safe_load(line).get("source") or {}).get("dialect") for listed in cases for line in listed["resources"]
    }
    assert len(dialects) >= 8
    log = f"log_type subscribe\nlog_dest file {tmp_path}/broker.log\nuser root"  # or it may not write there
    with mosquitto(tmp_path, extra=log) as mqtt:
        http = free_port()
        path = configured(tmp_path, mqtt, http, cases)
        house = House(tmp_path, mqtt, http)
        with Yizhan(tmp_path, "up", "--config", path) as up:
            until(lambda: get(http, "/readyz")["status"] == "ready")
            with ThreadPoolExecutor(len(cases)) as pool:
                list(pool.map(house.play, cases))
            last = json.dumps({"boot": "end", "seq": 1, "status": "Charging", "fault": "the_end"})
            publish(mqtt, "yz/c21-native-null/p1/state", last)
            until(lambda: house.shown(cases[CHOSEN.index("c21_native_null")], "p1")["health"] == "fault")
            until(lambda: not [line for case in cases for line in differs(house, case)])
            assert up.stop()[0] == 0
        stored = [json.loads(line) for line in yizhan(tmp_path, "export", "--config", path).stdout.splitlines()]
        aside = yizhan(tmp_path, "export", "--quarantine", "--config", path).stdout
        for case in cases:
            want, station = case["want"], station_of(case)
            for device, fields in want.get("stored_last", {}).items():
                said = [row["data"] for row in stored if (row["station"], row["device"]) == (station, device)]
                assert said[-1].items() >= fields.items()
            assert want.get("log_names", "") in up.errors
        assert aside == ""
