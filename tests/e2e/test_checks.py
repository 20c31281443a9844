"""Checks reported by a phone while the network is cut and the server is killed: none is lost, none is there twice."""

import http.client
import json
import random
import signal
import threading
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.rig import Yizhan, get, resource, yizhan
from tests.patience import until
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]
TOKEN = "round-7f3a9b21c0d4e5f6"
MANY, KILLS = 1_000, 6
CONFIG = """
mqtt: {{url: "embedded://127.0.0.1:{mqtt}"}}
store: {{path: data, ballast_mib: 0}}
api: {{listen: "127.0.0.1:{http}"}}
timezone: Asia/Shanghai
stations:
  - id: yanshan
    name: {{zh: 雁山}}
    hours: "24/7"
    checks_token_file: token
    checks: [{{id: oven, of: [microwave], every: day}}, {{id: tidy, every: day}}]
    areas: [{{id: lounge, resources: [{{id: microwave, kind: appliance, type: microwave}}]}}]
"""


class Phone:
    """Keeps each check until the server has it. A cut may come before, within or after a request."""

    def __init__(self, port: int, seed: int) -> None:
        self.port, self.chance = port, random.Random(seed)
        self.kept = [self._check(number) for number in range(MANY)]
        self.sent: list[str] = [report["id"] for report in self.kept]

    def _check(self, number: int) -> dict[str, Any]:
        name = str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
        result = "problem" if number == MANY - 1 else "ok"
        return {"id": name, "check": "oven", "at": datetime.now(UTC).isoformat(), "result": result}

    def post(self, check: dict[str, Any], cut: int) -> int:
        """The answer's status; 0 where the network was cut."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            return self._posted(link, json.dumps(check), cut)
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            link.close()

    def _posted(self, link: http.client.HTTPConnection, body: str, cut: int) -> int:
        if cut == 1:
            link.connect()
            return 0
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
        link.request("POST", "/api/v1/stations/yanshan/checks", body, headers)
        if cut == 2:
            time.sleep(self.chance.random() / 50)
            return 0
        status = link.getresponse().status
        return 0 if cut == 3 else status

    def bring_all(self) -> None:
        while self.kept:
            status = self.post(self.kept[0], self.chance.randrange(12))
            assert status in (0, 200, 201, 503), status
            if status in (200, 201):
                del self.kept[0]
            elif status == 0:
                time.sleep(0.01)


def test_a_thousand_checks_through_cuts_and_kills(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    port = free_port()
    config = tmp_path / "yizhan.yaml"
    config.write_text(CONFIG.format(mqtt=free_port(), http=port))
    phone = Phone(port, 7)
    carrier = threading.Thread(target=phone.bring_all)
    carrier.start()
    for number in range(1, KILLS + 1):
        with Yizhan(tmp_path, "up", "--config", str(config)) as server:
            left = MANY - number * MANY // (KILLS + 1)
            until(lambda left=left: len(phone.kept) < left)
            server.stop(signal.SIGKILL)
    with Yizhan(tmp_path, "up", "--config", str(config)) as server:
        carrier.join(300)
        assert not carrier.is_alive()
        until(lambda: resource(get(port, "/api/v1/stations/yanshan"), "microwave")["usable"] == "no")
        assert TOKEN not in server.errors
        assert server.stop()[0] == 0
    exported = [json.loads(line) for line in yizhan(tmp_path, "export", "--config", str(config)).stdout.splitlines()]
    assert {row["kind"] for row in exported} == {"check"}
    assert sorted(row["data"]["id"] for row in exported) == sorted(phone.sent)
    assert {row["device"] for row in exported} == {"oven"}
