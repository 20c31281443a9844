"""Two shards and an API beside them are one house to whoever gets a message."""

import json
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.rig import MOSQUITTO, Yizhan, free_port, get, mosquitto, publish, yizhan
from tests.patience import until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed"),
]

STATIONS = ("north", "south", "east", "west")  # east is the second shard's
CONFIG = """\
mqtt: {{url: "mqtt://127.0.0.1:{mqtt}"}}
store: {{path: data, ballast_mib: 0}}
api: {{listen: "127.0.0.1:{http}"}}
gateway: {{metrics_listen: "127.0.0.1:0"}}
alerts:
  raise_delay_s: 1
  thresholds: {{disk_free_mib: {disk_mib}}}
  channels: [{{id: hook, kind: webhook, url: "http://127.0.0.1:{hook}/x", allow_private: true}}]
stations:
"""
STATION = (
    '  - {id: %s, hours: "24/7", areas: [{id: yard, resources: [{id: pile, kind: charger, type: ebike, ttl: 600}]}]}\n'
)


def asked(http: int, path: str, method: str = "GET", key: str = "") -> str:
    request = urllib.request.Request(
        f"http://127.0.0.1:{http}{path}", method=method, headers={"Authorization": f"Bearer {key}"} if key else {}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return str(answer.read().decode())


def test_a_link_in_a_message_of_any_shard_acknowledges_its_alert(
    tmp_path: Path, hook: tuple[int, list[dict[str, Any]]]
) -> None:
    port, got = hook
    with mosquitto(tmp_path) as mqtt:
        http = free_port()
        config = CONFIG.format(mqtt=mqtt, http=http, hook=port, disk_mib=10**9) + "".join(
            STATION % station for station in STATIONS
        )
        (tmp_path / "yizhan.yaml").write_text(config)
        words = ("keys", "create", "--config", "yizhan.yaml", "--role", "viewer", "--name", "duty")
        key = yizhan(tmp_path, *words).stdout.split()[-1]
        shard = ("gateway", "--config", "yizhan.yaml", "--shard")
        with (
            Yizhan(tmp_path, *shard, "1/2"),
            Yizhan(tmp_path, *shard, "2/2"),
            Yizhan(tmp_path, "api", "--config", "yizhan.yaml"),
        ):
            until(lambda: len(get(http, "/api/v1/stations")["stations"]) == len(STATIONS))
            until(lambda: len(list(tmp_path.glob("data/*/yizhan.db"))) == 2)

            def heard() -> bool:
                """Said again until a gateway has subscribed: what was heard once is not counted twice."""
                for station in STATIONS:
                    publish(mqtt, f"yz/{station}/pile/state", '{"boot": "a", "seq": 1, "status": "Faulted"}')
                return len(got) == len(STATIONS) + 2  # both shards find the disk too small, besides

            until(heard, pause_s=1)
            for told in got:
                assert "谢谢" in asked(http, urlsplit(told["link"]).path, "POST")
            seen = json.loads(asked(http, "/api/v1/alerts?state=acknowledged", key=key))["alerts"]
            assert sorted(alert["station"] or "" for alert in seen) == ["", "", *sorted(STATIONS)]
        made = yizhan(tmp_path, "backup", "--config", "yizhan.yaml", "--to", "safe")
        assert made.returncode == 0, made.stderr
        assert (tmp_path / "safe/link.key").read_bytes() == (tmp_path / "data/link.key").read_bytes()
