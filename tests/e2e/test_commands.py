"""Commands between real processes: gateway, API and bridge at one broker, with one key; forged ones change nothing."""

import contextlib
import json
import os
import pty
import sqlite3
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from gateway.commands import sign
from tests.e2e.rig import MOSQUITTO, Yizhan, config, free_port, get, mosquitto, publish, resource, yizhan
from tests.patience import until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed"),
]

BRIDGE = """\
bridge:
  station: yanshan
  id: box-1
  spool: {{path: spool}}
  buses:
    - {{id: lobby, port: "{tty}", protocol: yizhan, device: door-main, relay_pulse_ms: 500}}
"""
OVERRIDE = "yz-cmd/yanshan/override"


def asked(http: int, method: str, path: str, key: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{http}{path}",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def text(**more: Any) -> bytes:
    now = round(time.time() * 1000)
    nonce = os.urandom(8).hex()
    return json.dumps({"nonce": nonce, "expires": now + 30_000, "by": "mallory", **more}).encode()


def closing() -> bytes:
    until_ms = round(time.time() * 1000) + 3_600_000
    return text(override={"status": "closed", "until": until_ms, "by": "mallory"})


def test_staff_act_through_the_api_alone_and_nobody_else_does(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as mqtt:
        http = free_port()
        path = config(tmp_path, f"mqtt://127.0.0.1:{mqtt}", http)
        words = ("keys", "create", "--config", path, "--role", "admin", "--name", "Li")
        staff = yizhan(tmp_path, *words).stdout.split()[-1]
        with Yizhan(tmp_path, "gateway", "--config", path) as gateway, Yizhan(tmp_path, "api", "--config", path):
            until(lambda: get(http, "/readyz")["status"] == "ready")
            until((tmp_path / "data/command.key").exists)
            publish(mqtt, "yz/yanshan/seat-01/state", '{"boot": "a", "seq": 1, "occupied": false}')
            until(lambda: resource(get(http, "/api/v1/stations/yanshan"), "seat-01")["usable"] == "yes")

            plain, forged = closing(), sign(b"f" * 64, OVERRIDE, closing())
            key = (tmp_path / "data/command.key").read_bytes().strip()
            moved = sign(key, "yz-cmd/other/override", closing())
            for payload in (plain, forged, moved, b"\xff"):
                publish(mqtt, OVERRIDE, payload)
            publish(mqtt, "yz-cmd/yanshan/staff", text(do="assign", station="yanshan", text="forged", assignee="x"))
            until(lambda: "commands refused" in gateway.errors)

            end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
            word = {"status": "maintenance", "until": end, "resource": "seat-01"}
            asked(http, "PUT", "/api/v1/stations/yanshan/override", staff, word)
            until(lambda: resource(get(http, "/api/v1/stations/yanshan"), "seat-01")["health"] == "maintenance")
            # What was forged came before this and has not closed the station, nor made an order.
            assert resource(get(http, "/api/v1/stations/yanshan"), "seat-01")["access"] == "open"
            made = asked(http, "POST", "/api/v1/orders", staff, {"station": "yanshan", "title": "lamp"})
            orders = asked(http, "GET", "/api/v1/orders", staff, {})["orders"]
            assert [order["id"] for order in orders] == [made["id"]]
            with contextlib.closing(sqlite3.connect(tmp_path / "data/yizhan.db")) as db:
                trail = db.execute("SELECT who, what, target FROM audit ORDER BY at").fetchall()
            assert trail == [("Li", "override", "yanshan/seat-01"), ("Li", "assign", "yanshan")]


def test_a_bridge_unlocks_for_a_signed_command_only(tmp_path: Path) -> None:
    _master, slave = pty.openpty()
    with mosquitto(tmp_path) as mqtt:
        path = config(tmp_path, f"mqtt://127.0.0.1:{mqtt}", free_port())
        with Path(path).open("a") as file:
            file.write("      - {id: door, resources: [{id: door-main, kind: door}]}\n")
            file.write(BRIDGE.format(tty=os.ttyname(slave)))
        topic = "yz-cmd/yanshan/door-main/unlock"

        def told() -> list[dict[str, Any]]:
            lines = yizhan(tmp_path, "export", "--config", path).stdout.splitlines()
            records = [json.loads(line) for line in lines]
            return [record["data"] for record in records if record["data"].get("type") == "command"]

        with Yizhan(tmp_path, "bridge", "--config", path) as bridge:
            until(lambda: "no command key" in bridge.errors)
            with Yizhan(tmp_path, "gateway", "--config", path):
                until((tmp_path / "data/command.key").exists)
                key = (tmp_path / "data/command.key").read_bytes().strip()
                until(lambda: "connected to" in bridge.errors)
                publish(mqtt, topic, text())
                publish(mqtt, topic, sign(b"f" * 64, topic, text()))
                until(lambda: "commands refused" in bridge.errors)
                publish(mqtt, topic, sign(key, topic, text(by="Li")))
                until(lambda: "unlock door-main by Li: done" in bridge.errors)
                [event] = until(told)
                assert (event["granted"], event["by"]) == (True, "Li")
                assert bridge.errors.count("unlock door-main") == 1
