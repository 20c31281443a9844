"""Devices of other makes in the whole product: a mixed demo, a source by config, Home Assistant told, devices found."""

import contextlib
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.emulator.foreign import mixed_station
from tests.e2e.rig import (
    CONFIG,
    MOSQUITTO,
    Yizhan,
    free_port,
    get,
    mosquitto,
    publish,
    resource,
    yizhan,
)
from tests.patience import until

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")]

DOOR = "{id: door-main, kind: door, source: {dialect: zigbee2mqtt, topic: zigbee2mqtt/front-door}}"


def configured(folder: Path, mqtt: int, http: int, *lines: str, more: str = "") -> str:
    """The rig's station with these resources too; a goodbye counts at once."""
    path = folder / "yizhan.yaml"
    text = CONFIG.format(mqtt=f"mqtt://127.0.0.1:{mqtt}", http=http)
    text = text.replace("gateway: {", "gateway: {restart_grace_s: 0, ")
    path.write_text(more + text + "".join(f"          - {line}\n" for line in lines))
    return str(path)


def door(http: int) -> Any:
    return resource(get(http, "/api/v1/stations/yanshan"), "door-main")


class Ear:
    """What came on these topics since it listens, newest last."""

    def __init__(self, mqtt: int, *topics: str) -> None:
        words = [word for topic in topics for word in ("-t", topic)]
        self._child = subprocess.Popen(
            ["mosquitto_sub", "-p", str(mqtt), "-F", "%r %t %p", *words], stdout=subprocess.PIPE, text=True
        )
        self.heard: list[tuple[bool, str, Any]] = []
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        for line in self._child.stdout or ():
            retained, topic, payload = line.rstrip("\n").split(" ", 2)
            self.heard.append((retained == "1", topic, json.loads(payload)))

    def close(self) -> None:
        self._child.terminate()
        self._thread.join()
        self._child.wait()
        assert self._child.stdout is not None
        self._child.stdout.close()

    def of(self, topic: str) -> list[Any]:
        return [payload for _, heard, payload in self.heard if heard == topic]


@contextlib.contextmanager
def listening(mqtt: int, *topics: str) -> Iterator[Ear]:
    ear = Ear(mqtt, *topics)
    try:
        yield ear
    finally:
        ear.close()


def test_every_resource_of_the_mixed_station_becomes_live_through_six_dialects(tmp_path: Path) -> None:
    http, mqtt = free_port(), free_port()
    mixed = mixed_station()
    spoken = {row["source"]["dialect"] for area in mixed["areas"] for row in area["resources"] if "source" in row}
    assert len(spoken) == 6

    def evidence() -> dict[str, str]:
        document = get(http, f"/api/v1/stations/{mixed['id']}")
        return {row["id"]: row["evidence"] for area in document["areas"] for row in area["resources"]}

    words = (
        "demo",
        "--mixed",
        "--faults",
        "0",
        "--stations",
        "1",
        "--http",
        f"127.0.0.1:{http}",
        "--mqtt",
        f"127.0.0.1:{mqtt}",
    )
    with Yizhan(tmp_path, *words, "--data", str(tmp_path / "d")) as demo:
        until(lambda: set(evidence().values()) == {"live"})
        metrics = until(lambda: subprocess.run(
            ["curl", "-s", f"http://127.0.0.1:{http}/metrics"], capture_output=True, text=True, check=True
        ).stdout)  # fmt: skip
        refused = [line for line in metrics.splitlines() if line.startswith("yizhan_messages_quarantined_total{")]
        assert not [line for line in refused if not line.endswith(" 0.0")]
        assert demo.stop()[0] == 0


def test_a_sensor_of_another_make_works_by_naming_its_topic(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as mqtt:
        http = free_port()
        path = configured(tmp_path, mqtt, http, DOOR)
        assert yizhan(tmp_path, "check", "--config", path).returncode == 0
        with Yizhan(tmp_path, "up", "--config", path) as up:
            until(lambda: get(http, "/readyz")["status"] == "ready")
            publish(mqtt, "zigbee2mqtt/front-door", '{"contact": true, "battery": 88, "linkquality": 91}')
            until(lambda: door(http)["evidence"] == "live")
            assert door(http)["usable"] == "yes"
            publish(mqtt, "zigbee2mqtt/front-door", '{"contact": "a word that no contact says"}')
            publish(mqtt, "zigbee2mqtt/front-door/availability", '{"state": "offline"}', "-r")
            until(lambda: door(http)["evidence"] == "offline")
            assert door(http)["usable"] == "unknown"
            assert up.stop()[0] == 0  # what it still has in hand is stored; a kill would leave it to the broker
        stored = [json.loads(line) for line in yizhan(tmp_path, "export", "--config", path).stdout.splitlines()]
        assert [(row["device"], row["data"]) for row in stored] == [("door-main", {"open": False, "battery_pct": 88})]
        aside = yizhan(tmp_path, "export", "--quarantine", "--config", path).stdout.splitlines()
        assert len(aside) == 1
        assert "unknown_value" in aside[0]


def test_home_assistant_is_told_at_the_start_and_again_when_it_comes_back(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as mqtt:
        http = free_port()
        path = configured(tmp_path, mqtt, http, more="homeassistant: {announce: true}\n")
        config, states = "homeassistant/device/yizhan-yanshan/config", "yz-ha/yanshan"
        with Yizhan(tmp_path, "up", "--config", path), listening(mqtt, config, states) as ear:
            until(lambda: ear.of(config))
            assert set(ear.of(config)[-1]["components"]) == {"seat-01", "seat-02", "microwave", "pile-01"}
            publish(mqtt, "yz/yanshan/seat-01/state", '{"occupied": false}')
            until(lambda: ear.of(states) and ear.of(states)[-1]["seat-01"]["usable"] == "yes")
            assert ear.of(states)[-1]["seat-02"]["usable"] == "None"
            told = len(ear.of(config))
            publish(mqtt, "homeassistant/status", "online")
            until(lambda: len(ear.of(config)) > told)
            with listening(mqtt, config, states) as late:
                until(lambda: late.of(config) and late.of(states))
                assert all(retained for retained, _, _ in late.heard[:2])


def test_devices_are_found_and_their_lines_are_taken_as_they_stand(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as mqtt:
        path = configured(tmp_path, mqtt, free_port(), DOOR)
        publish(mqtt, "zigbee2mqtt/seat-window", '{"occupancy": true, "battery": 90}', "-r")
        publish(mqtt, "tele/kettle/SENSOR", '{"Time": "2026-01-01T00:00:00", "ENERGY": {"Power": 4}}', "-r")
        publish(mqtt, "zigbee2mqtt/front-door", '{"contact": true}', "-r")
        ended = yizhan(tmp_path, "discover", "--config", path, "--seconds", "1")
        assert ended.returncode == 0, ended.stderr
        lines = [line.removeprefix("- ") for line in ended.stdout.splitlines() if line.startswith("- ")]
        assert any("tele/kettle" in line for line in lines)
        heads = [line for line in ended.stdout.splitlines() if line.startswith("#")]
        assert [line for line in heads if line.endswith("(configured)")] == [
            line for line in heads if "front-door" in line
        ]
        fresh = {line.partition("topic: ")[2].partition("}")[0]: line for line in lines if "front-door" not in line}
        assert set(fresh) == {"zigbee2mqtt/seat-window", "tele/kettle"}
        checked = yizhan(tmp_path, "check", "--config", configured(tmp_path, mqtt, free_port(), DOOR, *fresh.values()))
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_staff_listen_one_at_a_time_and_only_with_a_key(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as mqtt:
        http = free_port()
        path = configured(tmp_path, mqtt, http, DOOR)
        made = {
            role: yizhan(tmp_path, "keys", "create", "--config", path, "--role", role, "--name", role).stdout.split()[
                -1
            ]
            for role in ("viewer", "operator")
        }

        def asked(seconds: object, role: str | None = "operator") -> HTTPConnection:
            """A question that is on its way."""
            connection = HTTPConnection("127.0.0.1", http, timeout=60)
            headers = {"Authorization": f"Bearer {made[role]}"} if role else {}
            connection.request("GET", f"/api/v1/discover?seconds={seconds}", headers=headers)
            return connection

        def answer(connection: HTTPConnection) -> tuple[int, Any]:
            with contextlib.closing(connection):
                response = connection.getresponse()
                return response.status, json.load(response)

        with Yizhan(tmp_path, "up", "--config", path) as up:
            until(lambda: get(http, "/readyz")["status"] == "ready")
            publish(mqtt, "zigbee2mqtt/front-door", '{"contact": true}', "-r")
            refused = [asked(1, None), asked(1, "viewer"), asked(0), asked(61)]
            assert [answer(question)[0] for question in refused] == [401, 403, 422, 422]
            first = asked(2)
            time.sleep(0.3)  # it listens by now
            assert answer(asked(1))[0] == 409
            code, told = answer(first)
            assert code == 200
            (device,) = [device for device in told["devices"] if device["dialect"] == "zigbee2mqtt"]
            assert (device["topic"], device["configured"]) == ("zigbee2mqtt/front-door", True)
            patient = asked(60)
            time.sleep(0.3)
            status, seconds = up.stop()
            assert (status, seconds < 50) == (0, True), up.errors
            patient.close()
