"""Real processes on free loopback ports: mosquitto, yizhan, and small clients to look at them."""

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import product
from tests.patience import PATIENCE_S, until
from tests.ports import free_port

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


@contextlib.contextmanager
def mosquitto(folder: Path, port: int | None = None, extra: str = "") -> Iterator[int]:
    """A mosquitto for this test alone; gives its port."""
    port = port or free_port()
    conf = folder / f"mosquitto-{port}.conf"
    conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n{extra}\n")
    assert MOSQUITTO is not None
    child = subprocess.Popen([MOSQUITTO, "-c", str(conf)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: socket.create_connection(("127.0.0.1", port), 10).close() or True)
        yield port
    finally:
        child.kill()
        child.wait()


class Yizhan:
    """One `yizhan` process, its log kept in a file; a test that fails shows it."""

    def __init__(self, folder: Path, *words: str, env: dict[str, str] | None = None) -> None:
        self.log = folder / f"{words[0]}-{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self.child = product.start(
                *words, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=log, new_session=True
            )

    def __enter__(self) -> "Yizhan":
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed is not None:
            sys.stderr.write(f"--- {self.log.name}, ended: {self.child.poll()}\n{self.errors}\n")
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        assert self.child.stdout is not None
        self.child.stdout.close()

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Send a signal and wait; (exit status, seconds it took)."""
        begin = time.monotonic()
        self.child.send_signal(number)
        status = self.child.wait(60)
        return status, time.monotonic() - begin

    @property
    def errors(self) -> str:
        return self.log.read_text()


def yizhan(folder: Path, *words: str, patience_s: float = 120) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return product.run(*words, cwd=folder, timeout_s=patience_s)


def get(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return json.load(answer)


def publish(port: int, topic: str, payload: str | bytes, *more: str) -> None:
    data = payload.encode() if isinstance(payload, str) else payload
    subprocess.run(
        ["mosquitto_pub", "-p", str(port), "-q", "1", "-t", topic, "-s", *more],
        input=data,
        check=True,
        timeout=PATIENCE_S,
    )


def resource(document: Any, name: str) -> Any:
    return next(row for area in document["areas"] for row in area["resources"] if row["id"] == name)


CONFIG = """\
mqtt: {{url: "{mqtt}"}}
store: {{path: data, ballast_mib: 0}}
api: {{listen: "127.0.0.1:{http}"}}
gateway: {{metrics_listen: "127.0.0.1:0"}}
timezone: Asia/Shanghai
stations:
  - id: yanshan
    name: {{zh: 雁山社区爱心驿站, en: Yanshan rest station}}
    region: [广东, 江门, 鹤山]
    location: {{lat: 22.765, lon: 112.964, address: 雁山社区党群服务中心}}
    hours: "24/7"
    areas:
      - id: lounge
        name: {{zh: 休息区, en: Lounge}}
        resources:
          - {{id: seat-01, kind: seat}}
          - {{id: seat-02, kind: seat, ttl: 4}}
          - {{id: microwave, kind: appliance, type: microwave}}
          - {{id: pile-01, kind: charger, type: ebike}}
"""


def config(folder: Path, mqtt: str, http: int) -> str:
    path = folder / "yizhan.yaml"
    path.write_text(CONFIG.format(mqtt=mqtt, http=http))
    return str(path)
