"""The product as a user starts it: real processes, a real broker, mosquitto_pub as the device."""

import json
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.rig import (
    MOSQUITTO,
    Yizhan,
    config,
    free_port,
    get,
    mosquitto,
    publish,
    resource,
    yizhan,
)
from tests.patience import promptly, until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed"),
]


def retained(mqtt: int, topic: str) -> Any:
    words = ["mosquitto_sub", "-p", str(mqtt), "-t", topic, "-C", "1", "-W", "3"]
    return json.loads(subprocess.run(words, capture_output=True, check=False).stdout or b"{}")


SEAT = "yz/yanshan/seat-01/state"


def seat(http: int, name: str = "seat-01") -> dict[str, object]:
    shown: dict[str, object] = resource(get(http, "/api/v1/stations/yanshan"), name)
    return shown


def test_a_published_value_is_in_the_api_on_the_stream_on_mqtt_and_in_the_export(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as mqtt:
        http = free_port()
        path = config(tmp_path, f"mqtt://127.0.0.1:{mqtt}", http)
        with Yizhan(tmp_path, "up", "--config", path) as up:
            until(lambda: get(http, "/readyz")["status"] == "ready")
            assert seat(http)["evidence"] == "never"
            with urllib.request.urlopen(f"http://127.0.0.1:{http}/api/v1/stream?station=yanshan", timeout=60) as stream:
                publish(mqtt, SEAT, '{"boot": "a", "seq": 1, "occupied": false}')
                begin = time.monotonic()
                until(lambda: seat(http)["usable"] == "yes")
                assert promptly(begin, 1)
                events = b""
                while b"event: availability" not in events:
                    events += stream.readline()
                assert events.startswith(b"retry:") or b"event: snapshot" in events
            until(lambda: resource(retained(mqtt, "yz-live/yanshan"), "seat-01")["usable"] == "yes")
            status, seconds = up.stop()
        assert (status, seconds < 50) == (0, True), up.errors
        lines = yizhan(tmp_path, "export", "--config", path).stdout.splitlines()
        record = json.loads(lines[0])
        assert list(record) == ["station", "device", "kind", "boot", "seq", "ts", "received_at", "data"]
        assert (record["boot"], record["seq"], record["ts"], record["data"]) == ("a", 1, None, {"occupied": False})
        assert len(lines) == 1


def test_gateway_and_api_as_two_processes_answer_as_one(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as mqtt:
        http = free_port()
        path = config(tmp_path, f"mqtt://127.0.0.1:{mqtt}", http)
        with Yizhan(tmp_path, "gateway", "--config", path) as gateway, Yizhan(tmp_path, "api", "--config", path) as api:
            until(lambda: get(http, "/readyz")["status"] == "ready")
            until(lambda: retained(mqtt, "yz-sys/#")["state"] == "online")
            publish(mqtt, SEAT, '{"boot": "a", "seq": 1, "occupied": true}')
            until(lambda: seat(http)["use"] == "occupied")
            publish(mqtt, "yz/yanshan/seat-02/state", '{"occupied": false}')
            until(lambda: seat(http, "seat-02")["usable"] == "yes")
            until(lambda: seat(http, "seat-02")["evidence"] == "stale")
            history = until(lambda: get(http, "/api/v1/stations/yanshan/history?resource=seat-01")["intervals"])
            assert history[-1]["use"] == "occupied"
            assert gateway.stop()[0] == 0
            assert api.stop()[0] == 0


def test_what_was_known_outlives_kill_9_and_so_do_its_deadlines(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as mqtt:
        http = free_port()
        path = config(tmp_path, f"mqtt://127.0.0.1:{mqtt}", http)
        with Yizhan(tmp_path, "up", "--config", path) as up:
            until(lambda: get(http, "/readyz")["status"] == "ready")
            publish(mqtt, SEAT, '{"boot": "a", "seq": 1, "occupied": false}')
            publish(mqtt, "yz/yanshan/seat-02/state", '{"boot": "a", "seq": 1, "occupied": false}')
            until(lambda: seat(http, "seat-02")["usable"] == "yes")
            up.child.kill()
            up.child.wait()
        with Yizhan(tmp_path, "up", "--config", path):
            until(lambda: get(http, "/readyz")["status"] == "ready")
            until(lambda: seat(http)["usable"] == "yes")  # from the journal, or from the broker if it was not in there
            until(lambda: seat(http, "seat-02")["evidence"] == "stale")


@pytest.mark.parametrize("which", ["http", "mqtt"])
def test_a_port_in_use_is_one_clear_line(tmp_path: Path, which: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ports = {"http": free_port(), "mqtt": free_port(), which: port}
        path = config(tmp_path, f"embedded://127.0.0.1:{ports['mqtt']}", ports["http"])
        ended = yizhan(tmp_path, "up", "--config", path)
    assert ended.returncode == 1
    last = ended.stderr.strip().splitlines()[-1]
    assert f"127.0.0.1:{port} is in use" in last
    assert "Traceback" not in ended.stderr


def test_the_demo_shows_a_live_value_soon_and_stops_cleanly(tmp_path: Path) -> None:
    """How soon on an idle machine is measured in tests/benchmarks, not here."""
    http, mqtt = free_port(), free_port()
    with Yizhan(
        tmp_path,
        "demo",
        "--faults",
        "0",
        "--http",
        f"127.0.0.1:{http}",
        "--mqtt",
        f"127.0.0.1:{mqtt}",
        "--data",
        str(tmp_path / "d"),
    ) as demo:
        until(lambda: any(row["usable_max"] for row in get(http, "/api/v1/stations/yanshan")["summary"]))
        until(lambda: seat(http)["evidence"] == "live")
        status, seconds = demo.stop()
    assert (status, seconds < 50) == (0, True), demo.errors


def test_check_names_every_mistake_and_exits_2(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("stations:\n  - id: A\n    nam: {zh: x}\n")
    ended = yizhan(tmp_path, "check", "--config", "bad.yaml")
    assert ended.returncode == 2
    assert len([line for line in (ended.stderr + ended.stdout).splitlines() if line.startswith("bad.yaml:")]) >= 2
