"""Backup of a gateway at work, restore, and export and import, as an operator runs them."""

import json
import shutil
import urllib.request
from pathlib import Path

import pytest

from tests.e2e.rig import Yizhan, free_port, get, mosquitto, publish, resource, yizhan
from tests.patience import until

pytestmark = pytest.mark.e2e

CONFIG = """\
mqtt: {{url: "mqtt://127.0.0.1:{mqtt}", client_id: {data}}}
api: {{listen: "127.0.0.1:{http}"}}
store: {{path: {data}, ballast_mib: 0}}
stations: [{{id: yanshan, areas: [{{id: lounge, resources: [{{id: seat-01, kind: seat, ttl: 600}}]}}]}}]
"""


def alerts_seen_by(http: int, key: str) -> int:
    asked = urllib.request.Request(f"http://127.0.0.1:{http}/api/v1/alerts", headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return int(answer.status)


@pytest.mark.slow
def test_a_box_that_burnt_down_goes_on_elsewhere_from_its_backup(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as mqtt:
        http, http2 = free_port(), free_port()
        (tmp_path / "old.yaml").write_text(CONFIG.format(mqtt=mqtt, http=http, data="old"))
        (tmp_path / "new.yaml").write_text(CONFIG.format(mqtt=mqtt, http=http2, data="new"))
        with Yizhan(tmp_path, "up", "--config", "old.yaml"):
            until(lambda: get(http, "/readyz"))
            words = ("keys", "create", "--config", "old.yaml", "--role", "admin", "--name", "chief")
            key = yizhan(tmp_path, *words).stdout.split()[-1]
            for seq in range(1, 8):
                publish(
                    mqtt,
                    "yz/yanshan/seat-01/state",
                    f'{{"boot":"b","seq":{seq},"occupied":{json.dumps(seq % 2 == 1)}}}',
                )
            until(lambda: yizhan(tmp_path, "export", "--config", "old.yaml").stdout.count("\n") == 7)
            made = yizhan(tmp_path, "backup", "--config", "old.yaml", "--to", "safe")
            assert made.returncode == 0, made.stderr
            for name in ("keys.json", "link.key"):
                assert oct((tmp_path / "safe" / name).stat().st_mode)[-3:] == "600"
            refused = yizhan(tmp_path, "restore", "--config", "old.yaml", "--from", "safe", "--force")
            assert (refused.returncode, "another yizhan that is running" in refused.stderr) == (1, True)
        exported = yizhan(tmp_path, "export", "--config", "old.yaml").stdout
        shutil.rmtree(tmp_path / "old")
        made = yizhan(tmp_path, "restore", "--config", "new.yaml", "--from", "safe")
        assert made.returncode == 0, made.stderr
        assert yizhan(tmp_path, "export", "--config", "new.yaml").stdout == exported
        with Yizhan(tmp_path, "up", "--config", "new.yaml"):
            document = until(lambda: get(http2, "/readyz") and get(http2, "/api/v1/stations/yanshan"))
            seat = resource(document, "seat-01")
            assert (seat["use"], seat["evidence"]) == ("occupied", "live")
            assert alerts_seen_by(http2, key) == 200
            publish(mqtt, "yz/yanshan/seat-01/state", '{"boot":"b","seq":7,"occupied":true}')  # a repeat
            publish(mqtt, "yz/yanshan/seat-01/state", '{"boot":"b","seq":8,"occupied":false}')
            until(lambda: yizhan(tmp_path, "export", "--config", "new.yaml").stdout.count("\n") == 8)
        (tmp_path / "all.jsonl").write_text(exported)
        again = yizhan(tmp_path, "import", "--config", "new.yaml", "--input", "all.jsonl")
        assert again.stdout == "0 stored, 7 were there, 0 refused\n", again.stderr
