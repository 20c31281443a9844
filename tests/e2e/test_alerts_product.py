"""Staff know once, with the cause, and the repair is proved: the whole way from a pile to a webhook."""

import json
import subprocess
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

PILE = "yz/yanshan/pile-01/state"


def alerts(http: int, key: str) -> list[dict[str, Any]]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{http}/api/v1/alerts", headers={"Authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        listed: list[dict[str, Any]] = json.load(answer)["alerts"]
    return listed


def test_a_faulted_pile_is_told_once_and_closed_by_its_own_sensor(
    tmp_path: Path, hook: tuple[int, list[dict[str, Any]]]
) -> None:
    port, got = hook
    with mosquitto(tmp_path) as mqtt:
        http = free_port()
        path = config(tmp_path, f"mqtt://127.0.0.1:{mqtt}", http)
        with Path(path).open("a") as file:
            file.write(
                "alerts:\n  raise_delay_s: 1\n  clear_delay_s: 1\n  channels:\n"
                f'    - {{id: hook, kind: webhook, url: "http://127.0.0.1:{port}/x", allow_private: true}}\n'
                "  routes:\n    - {channels: [hook]}\n"
            )
        made = yizhan(tmp_path, "keys", "create", "--config", path, "--role", "operator", "--name", "duty")
        key = made.stdout.split()[-1]
        with Yizhan(tmp_path, "up", "--config", path) as up:
            until(lambda: get(http, "/readyz")["status"] == "ready")
            fault = '{"boot": "a", "seq": %d, "status": "%s", "error": "GroundFailure"}'
            publish(mqtt, PILE, fault % (1, "Faulted"))
            until(lambda: got)
            for seq in range(2, 6):
                publish(mqtt, PILE, fault % (seq, "Faulted"))
            (alert,) = [row for row in alerts(http, key) if row["resource"] == "pile-01"]
            assert (alert["station"], alert["state"]) == ("yanshan", "open")
            assert "GroundFailure" in json.dumps(alert)
            retained = subprocess.run(
                ["mosquitto_sub", "-p", str(mqtt), "-t", f"yz-alert/yanshan/{alert['id']}", "-C", "1", "-W", "3"],
                capture_output=True, check=True,
            ).stdout  # fmt: skip
            assert json.loads(retained)["id"] == alert["id"]
            publish(mqtt, PILE, '{"boot": "a", "seq": 6, "status": "Available", "error": "NoError"}')
            until(lambda: len(got) == 2)
            until(lambda: not [row for row in alerts(http, key) if row["state"] != "closed"])
            assert up.stop()[0] == 0, up.errors
        assert len(got) == 2
