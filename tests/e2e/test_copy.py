"""The whole product with a copy in a real engine: what is published arrives there, also what it missed while away."""

import json
import time
import urllib.request
from pathlib import Path

import pytest

from tests.e2e.rig import Yizhan, free_port, get, mosquitto, publish, resource
from tests.gateway.store.victoria import PROGRAM, Victoria
from tests.patience import until

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(PROGRAM is None, reason="victoria-metrics is not installed")]

CONFIG = """\
mqtt: {{url: "mqtt://127.0.0.1:{mqtt}"}}
api: {{listen: "127.0.0.1:{http}"}}
store:
  path: data
  ballast_mib: 0
  influx: {{url: "{url}", org: o, bucket: b, token_file: token, timeout_s: 1, max_retry_pause_s: 1}}
stations:
  - id: yanshan
    areas:
      - {{id: lounge, resources: [{{id: seat-01, kind: seat}}, {{id: pile-01, kind: charger, type: ev}}]}}
"""


def figure(http: int, name: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{http}/metrics", timeout=60) as answer:
        rows = [line.split() for line in answer.read().decode().splitlines() if line.startswith(name + " ")]
    return float(rows[0][1])


def test_what_is_published_is_in_the_copy_and_an_outage_of_it_costs_nothing(tmp_path: Path) -> None:
    victoria = Victoria(tmp_path)
    (tmp_path / "token").write_text("unused")
    now = round(time.time() * 1000)

    def say(mqtt: int, device: str, seq: int, more: str) -> None:
        publish(mqtt, f"yz/yanshan/{device}/state", f'{{"ts":{now + seq},"boot":"b","seq":{seq},{more}}}')

    with mosquitto(tmp_path) as mqtt:
        http = free_port()
        (tmp_path / "yizhan.yaml").write_text(CONFIG.format(mqtt=mqtt, http=http, url=victoria.url))
        with Yizhan(tmp_path, "up", "--config", "yizhan.yaml") as up:
            until(lambda: get(http, "/readyz"))
            for seq in range(1, 6):
                say(mqtt, "seat-01", seq, f'"occupied":{json.dumps(seq % 2 == 1)}')
            until(lambda: figure(http, "yizhan_copy_backlog") == 5 and figure(http, "yizhan_copy_trouble") == 1)
            document = until(lambda: get(http, "/api/v1/stations/yanshan"))
            assert resource(document, "seat-01")["use"] == "occupied"  # nobody waits for the copy
            assert get(http, "/readyz")
            victoria.start()
            try:
                say(mqtt, "pile-01", 6, '"status":"Charging","power_w":6600.5')
                until(lambda: figure(http, "yizhan_copy_rows_total") == 6)
                assert figure(http, "yizhan_copy_backlog") == 0
                assert sorted(victoria.rows("seat_occupied")) == [
                    ("seat-01", now + seq, seq % 2) for seq in range(1, 6)
                ]
                assert victoria.rows("charger_status") == [("pile-01", now + 6, 2)]
                assert victoria.labels("charger_power_w")["type"] == "ev"
            finally:
                victoria.stop()
            status, seconds = up.stop()
            assert status == 0
            assert seconds < 50
