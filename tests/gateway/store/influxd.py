"""An InfluxDB 2 of one's own on loopback: the program itself, set up with an operator's token."""

import json
import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.patience import until
from tests.ports import free_port

PROGRAM = shutil.which("influxd")
MISSING = "influxd is not installed: see the section about a real InfluxDB in docs/timeseries.md"
OPERATOR = "operators-own-token"
ORG = "o"


class Influxd:
    """It keeps its port and data over `stop` and `start`."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder / "influxd"
        self._folder.mkdir()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        fresh = not (self._folder / "bolt").exists()
        assert PROGRAM is not None
        words = (
            f"--bolt-path={self._folder}/bolt", f"--sqlite-path={self._folder}/sqlite",
            f"--engine-path={self._folder}/engine", f"--http-bind-address=127.0.0.1:{self.port}",
            "--reporting-disabled", "--log-level=error",
        )  # fmt: skip
        self._process = subprocess.Popen([PROGRAM, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: self.ask("GET", "/health")["status"] == "pass", what="influxd answering")
        if fresh:
            word = {"username": "u", "password": "password", "org": ORG, "bucket": "first", "token": OPERATOR}
            self.ask("POST", "/api/v2/setup", word)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(60)
            self._process = None

    def ask(self, method: str, path: str, body: object = None, token: str = OPERATOR) -> Any:
        """A request of an administrator; what it answers."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Token {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def bucket_id(self, name: str) -> str:
        return str(self.ask("GET", f"/api/v2/buckets?name={name}&org={ORG}")["buckets"][0]["id"])

    def drop_bucket(self, name: str) -> None:
        self.ask("DELETE", f"/api/v2/buckets/{self.bucket_id(name)}")

    def token(self, bucket: str, *rights: str) -> tuple[str, str]:
        """A token that may `read` or `write` this one bucket, and its id."""
        org = self.ask("GET", f"/api/v2/orgs?org={ORG}")["orgs"][0]["id"]
        where = {"type": "buckets", "id": self.bucket_id(bucket), "orgID": org}
        wanted = {"orgID": org, "permissions": [{"action": right, "resource": where} for right in rights]}
        made = self.ask("POST", "/api/v2/authorizations", wanted)
        return made["token"], made["id"]

    def withdraw(self, token_id: str) -> None:
        self.ask("DELETE", f"/api/v2/authorizations/{token_id}")

    def lines(self, bucket: str) -> int:
        """How many values it holds."""
        flux = f'from(bucket: "{bucket}") |> range(start: 0) |> group() |> count()'
        request = urllib.request.Request(
            f"{self.url}/api/v2/query?org={ORG}",
            data=flux.encode(),
            headers={"Authorization": f"Token {OPERATOR}", "Content-Type": "application/vnd.flux"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            rows = answer.read().decode().split()
        return int(rows[-1].rpartition(",")[2]) if len(rows) > 1 else 0
