"""The gateways of the rigs of brokers: shards as processes, how long they are away, and what they have stored."""

import collections
import json
import re
import signal
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.e2e.brokers.programs import BrokerNode
from tests.e2e.rig import Yizhan, get, yizhan
from tests.patience import until
from tests.ports import free_port

STATIONS, SEATS, PATIENCE_S = 12, 5, 300.0
SETTLED_S = 35.0
"""NATS delivers again, after half a minute, what was not acknowledged."""
CONFIG = """\
mqtt: {{url: [{urls}], reconnect_max_s: 2, keepalive_s: 5}}
store: {{path: data, ballast_mib: 0}}
gateway: {{metrics_listen: "127.0.0.1:{metrics}", ack_interval_s: 1}}
stations:
"""
GAPS = re.compile(r"^yizhan_mqtt_session_gaps_total (\S+)", re.MULTILINE)
Stored = collections.Counter[tuple[str, str, int]]


class Shards:
    """The gateways, for a `with`; `kill` and `start` one by its number, or `change` to another number of them."""

    def __init__(self, folder: Path, nodes: list[BrokerNode], count: int) -> None:
        urls = ", ".join(f'"mqtt://127.0.0.1:{node.port}"' for node in nodes)
        seats = ", ".join(f"{{id: {device}, kind: seat, ttl: 3600}}" for device in devices_of_each())
        stations = "".join(
            f'  - {{id: {station}, hours: "24/7", areas: [{{id: lounge, resources: [{seats}]}}]}}\n'
            for station in stations_there()
        )
        self.ports = [0] * count
        self._folder, self._urls, self._stations = folder, urls, stations
        self._running: dict[int, Yizhan] = {}

    def start(self, number: int) -> None:
        """On a port of its own each time: others may have taken that of before."""
        self.ports[number - 1] = port = free_port()
        config = CONFIG.format(urls=self._urls, metrics=port) + self._stations
        (self._folder / f"shard-{number}.yaml").write_text(config)
        words = ("gateway", "--config", f"shard-{number}.yaml", "--shard", f"{number}/{len(self.ports)}")
        self._running[number] = Yizhan(self._folder, *words)

    def kill(self, number: int) -> None:
        self._running.pop(number).__exit__(None)

    def change(self, count: int) -> None:
        """As an operator does it: all end, `yizhan shards` brings what there is to the new ones, and those start."""
        running = list(self._running.values())
        self._running.clear()
        for shard in running:
            shard.child.send_signal(signal.SIGTERM)
        for shard in running:
            assert shard.child.wait(120) == 0, shard.errors
            shard.__exit__(None)
        done = yizhan(self._folder, "shards", str(count), "--config", "shard-1.yaml", patience_s=2 * PATIENCE_S)
        assert (done.returncode, done.stdout) == (0, f"{count} shards may start\n"), done.stderr
        (self._folder / f"gateway-to-{count}-{time.monotonic_ns()}.log").write_text(done.stderr)
        self.ports[:] = [0] * count
        self._start_all()

    def _start_all(self) -> None:
        for number in range(1, len(self.ports) + 1):
            self.start(number)
        for port in self.ports:
            until(lambda port=port: ready(port), what="a shard ready", patience_s=PATIENCE_S)

    def __enter__(self) -> "Shards":
        self._start_all()
        return self

    def __exit__(self, *_: object) -> None:
        for number in list(self._running):
            self.kill(number)


class Outage(threading.Thread):
    """Looks at the shards' /readyz: how long at most one of them was away. `ports`: theirs, which may change."""

    def __init__(self, ports: list[int]) -> None:
        super().__init__(daemon=True)
        self._ports, self._since = ports, [time.monotonic()] * len(ports)
        self.longest_s = 0.0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.25):
            for number, port in enumerate(self._ports):
                if ready(port):
                    self._since[number] = time.monotonic()
                else:
                    self.longest_s = max(self.longest_s, time.monotonic() - self._since[number])


def stations_there() -> list[str]:
    return [f"station-{number}" for number in range(STATIONS)]


def devices_of_each() -> list[str]:
    """The last one does not number its messages, and speaks only where that is looked at."""
    return [*(f"seat-{number}" for number in range(SEATS)), "plain"]


def ready(port: int) -> bool:
    try:
        return bool(get(port, "/readyz"))
    except (urllib.error.HTTPError, OSError):
        return False


def gaps(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        told = GAPS.search(answer.read().decode())
    return int(float(told[1])) if told else 0


def stored(folder: Path, *, numbered: bool = True) -> Stored:
    """What `yizhan export` has, of the devices that number their messages or of the others."""
    rows = map(
        json.loads, yizhan(folder, "export", "--config", "shard-1.yaml", patience_s=PATIENCE_S).stdout.splitlines()
    )
    return collections.Counter(
        (row["station"], row["device"], row["seq"] if numbered else row["data"]["n"])
        for row in rows
        if (row["device"] != "plain") == numbered
    )


def settled(folder: Path) -> Stored:
    """What is stored once nothing more comes for as long as a broker takes to deliver again."""
    end, before = time.monotonic() + PATIENCE_S, stored(folder)
    while time.monotonic() < end:
        time.sleep(SETTLED_S)
        now = stored(folder)
        if now == before:
            break
        before = now
    return before
