"""What people do follows a station to another shard: alerts, orders, words by hand; what they do next lands there."""

import json
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.rig import MOSQUITTO, Yizhan, free_port, get, mosquitto, publish, resource, yizhan
from tests.e2e.test_more_shards import shards
from tests.patience import until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed"),
]

STATIONS = ("north", "south", "east", "west")
CONFIG = """\
mqtt: {{url: "mqtt://127.0.0.1:{mqtt}"}}
store: {{path: data, ballast_mib: 0}}
api: {{listen: "127.0.0.1:{http}"}}
gateway: {{metrics_listen: "127.0.0.1:0"}}
alerts: {{raise_delay_s: 1}}
stations:
"""
STATION = (
    '  - {id: %s, hours: "24/7", areas: [{id: yard, resources: [{id: pile, kind: charger, type: ebike, ttl: 3600}]}]}\n'
)


class Staff:
    """Somebody with a key of an API."""

    def __init__(self, http: int, key: str) -> None:
        self._http, self._key = http, key

    def ask(self, path: str, method: str = "GET", body: object = None) -> Any:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self._http}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def alerts(self, state: str) -> dict[str, str]:
        """By station; each once."""
        told = self.ask(f"/api/v1/alerts?state={state}")["alerts"]
        assert len({alert["id"] for alert in told}) == len(told)
        return {alert["station"]: alert["id"] for alert in told}

    def orders(self) -> dict[str, str]:
        told = self.ask("/api/v1/orders")["orders"]
        assert len({order["id"] for order in told}) == len(told)
        return {order["station"]: order["state"] for order in told}


def soon() -> str:
    return f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"


def access(http: int, station: str) -> Any:
    return resource(get(http, f"/api/v1/stations/{station}"), "pile")["access"]


@pytest.mark.slow
def test_open_alerts_orders_and_words_by_hand_follow_and_are_settled_where_they_are(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as mqtt:
        http = free_port()
        text = CONFIG.format(mqtt=mqtt, http=http) + "".join(STATION % name for name in STATIONS)
        (tmp_path / "yizhan.yaml").write_text(text)
        words = ("keys", "create", "--config", "yizhan.yaml", "--role", "admin", "--name", "Li")
        staff = Staff(http, yizhan(tmp_path, *words).stdout.split()[-1])
        with Yizhan(tmp_path, "api", "--config", "yizhan.yaml"):
            with shards(tmp_path, mqtt, 2):
                for station in STATIONS:
                    publish(mqtt, f"yz/{station}/pile/state", '{"boot": "a", "seq": 1, "status": "Faulted"}')
                opened = until(lambda: len(told := staff.alerts("open")) == len(STATIONS) and told, what="alerts")
                for station in STATIONS:
                    order = {"alert": opened[station], "assignee": "Li", "title": "look at it"}
                    staff.ask("/api/v1/orders", "POST", order)
                    by_hand = {"status": "closed", "until": soon(), "resource": "pile"}
                    staff.ask(f"/api/v1/stations/{station}/override", "PUT", by_hand)
                until(lambda: len(staff.orders()) == len(STATIONS), what="orders")
                until(lambda: {access(http, name) for name in STATIONS} == {"closed"}, what="words by hand")
            with shards(tmp_path, mqtt, 3):
                acknowledged = staff.ask(f"/api/v1/alerts/{opened['east']}/acknowledge", "POST")
                assert acknowledged["id"] == opened["east"]
                still = until(lambda: "east" not in (told := staff.alerts("open")) and told, what="it is acknowledged")
                assert still == {at: name for at, name in opened.items() if at != "east"}
                assert staff.alerts("acknowledged") == {"east": opened["east"]}
                assert staff.orders() == dict.fromkeys(STATIONS, "assigned")
                until(lambda: {access(http, name) for name in STATIONS} == {"closed"}, what="words by hand hold")
                staff.ask("/api/v1/stations/west/override", "PUT", {"resource": "pile"})
                until(lambda: access(http, "west") == "open", what="one is taken back")
                publish(mqtt, "yz/south/pile/state", '{"boot": "a", "seq": 2, "status": "Available"}')
                until(lambda: staff.alerts("closed") == {"south": opened["south"]}, what="the same alert ends")
            with shards(tmp_path, mqtt, 2):
                until(
                    lambda: access(http, "west") == "open" and access(http, "north") == "closed", what="as it was left"
                )
                assert staff.alerts("closed") == {"south": opened["south"]}
                assert staff.alerts("acknowledged") == {"east": opened["east"]}
                assert staff.alerts("open") == {name: opened[name] for name in ("north", "west")}
                assert staff.orders() == dict.fromkeys(STATIONS, "assigned")
            until(lambda: "nobody watches" in str(get(http, "/readyz")["trouble"]), what="that nobody is there is told")
        assert yizhan(tmp_path, "audit", "verify", "--config", "yizhan.yaml").returncode == 0
