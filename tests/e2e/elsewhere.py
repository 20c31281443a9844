"""Two shards with a replica, an API beside them, and one on another machine that has never seen their folders."""

import contextlib
import json
import secrets
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.rig import Yizhan, free_port, mosquitto, publish, yizhan
from tests.patience import until
from tests.postgres import PostgresServer, Servers

STATIONS = ("north", "south", "east", "west")
CONFIG = """\
mqtt: {{url: "mqtt://127.0.0.1:{mqtt}", command_key_file: command.key}}
store: {{path: {data}, ballast_mib: 0, replica: {{url_file: replica}}}}
api: {{listen: "127.0.0.1:{http}", keys_file: keys.json}}
gateway: {{metrics_listen: "127.0.0.1:0"}}
alerts: {{raise_delay_s: 1}}
stations:
"""
STATION = """\
  - id: {id}
    name: {{zh: {id}驿站}}
    region: [广东, 江门]
    hours: "24/7"
    checks: [{{id: tidy, every: day}}]
    areas:
      - id: yard
        resources:
          - {{id: pile, kind: charger, type: ebike, ttl: 3600}}
          - {{id: seat, kind: seat, ttl: 3600}}
          - {{id: gate, kind: counter, ttl: 3600}}
"""
SHARD = ("gateway", "--config", "yizhan.yaml", "--shard")


@dataclass
class Answer:
    """What an API said."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Api:
    """One API, asked by somebody with a key."""

    http: int
    key: str

    def ask(self, path: str, method: str = "GET", body: object = None) -> Answer:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.http}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.read(), dict(answer.headers))
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read(), dict(error.headers))

    def get(self, path: str) -> Any:
        answer = self.ask(path)
        assert answer.status == 200, (path, answer)
        return answer.json

    def alerts(self, state: str = "open") -> dict[str | None, str]:
        """By station."""
        return {alert["station"]: alert["id"] for alert in self.get(f"/api/v1/alerts?state={state}")["alerts"]}


@dataclass
class District:
    """All of it, running. `here`: the API beside the journals; `there`: the one elsewhere."""

    folder: Path
    mqtt: int
    server: PostgresServer
    here: Api
    there: Api
    running: dict[str, Yizhan] = field(default_factory=dict)

    def start(self, shard: int) -> None:
        self.running[f"{shard}"] = Yizhan(self.folder / "box", *SHARD, f"{shard}/2")

    def kill(self, shard: int) -> None:
        self.running.pop(f"{shard}").__exit__(None)

    def start_api(self, name: str) -> None:
        folder = {"here": "box", "there": "office"}[name]
        self.running[name] = Yizhan(self.folder / folder, "api", "--config", "yizhan.yaml")
        until(lambda: _answers(getattr(self, name)), "an API answering")

    def stop(self, name: str) -> None:
        process = self.running.pop(name)
        assert process.stop()[0] == 0
        process.__exit__(None)

    @property
    def program(self) -> str:
        return str(Path(sys.executable).with_name("yizhan"))

    def say(self, station: str, device: str, **body: object) -> None:
        publish(self.mqtt, f"yz/{station}/{device}/state", json.dumps(body))

    def readyz(self, api: Api) -> Any:
        return api.ask("/readyz").json


def _configured(folder: Path, data: str, mqtt: int, url: str) -> int:
    folder.mkdir()
    http = free_port()
    stations = "".join(STATION.format(id=name) for name in STATIONS)
    (folder / "yizhan.yaml").write_text(CONFIG.format(mqtt=mqtt, data=data, http=http) + stations)
    for name, text in (("replica", url), ("command.key", secrets.token_hex(32))):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    return http


@contextlib.contextmanager
def district(folder: Path, servers: Servers) -> Iterator[District]:
    server = servers.new_server()
    server.make()
    server.start()
    with mosquitto(folder) as mqtt:
        here = _configured(folder / "box", "data", mqtt, server.url)
        there = _configured(folder / "office", "elsewhere", mqtt, server.url)
        words = ("keys", "create", "--config", "yizhan.yaml", "--role", "admin", "--name", "Li")
        key = yizhan(folder / "box", *words).stdout.split()[-1]
        for name in ("keys.json", "command.key"):
            shutil.copy2(folder / "box" / name, folder / "office" / name)
        made = District(folder, mqtt, server, Api(here, key), Api(there, key))
        try:
            for shard in (1, 2):
                made.start(shard)
            for name in ("here", "there"):
                made.start_api(name)
            yield made
        except BaseException:
            for name, process in made.running.items():
                print(f"--- {name}\n{process.errors[-8_000:]}")
            raise
        finally:
            for process in made.running.values():
                process.__exit__(None)


def _answers(api: Api) -> bool:
    with contextlib.suppress(OSError):
        return api.ask("/healthz").status == 200
    return False
