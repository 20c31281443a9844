"""Several shards on brokers whose nodes are killed under load: what the broker acknowledged beside what was stored.

    python -m tests.benchmarks.broker_kills [--broker nats] [--kills 3] [--every-s 40] [--down-s 15] [--shards-too]

Whole processes on loopback: the nodes with the configurations of deploy/brokers, `yizhan gateway --shard I/N`, and
devices that number their messages and keep each until a watermark covers it. Every `--every-s` seconds one node, by
chance, gets SIGKILL and is started again `--down-s` later. Stored is what `yizhan export` gives: first while nobody
sends again what the broker had acknowledged, then after the devices have sent again what no watermark covers. With
`--shards-too` one shard, by chance, gets SIGKILL five seconds before each node and is started again after it, so that
the broker holds what it has acknowledged as it dies.
"""

import argparse
import collections
import json
import random
import re
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.schema.base import HostPort
from gateway.mqtt import Broker, Session
from tests.e2e.brokers.programs import MAKES, BrokerNode, hears, started
from tests.e2e.rig import Yizhan, get, yizhan
from tests.patience import until
from tests.ports import free_port

STATIONS, SEATS, HOUSEHOLDS, PATIENCE_S, AHEAD_S, SILENT_S = 12, 5, 4, 300.0, 5.0, 15.0
CONFIG = """\
mqtt: {{url: [{urls}], reconnect_max_s: 2, keepalive_s: 5}}
store: {{path: data, ballast_mib: 0}}
gateway: {{metrics_listen: "127.0.0.1:{metrics}", ack_interval_s: 1}}
stations:
"""
GAPS = re.compile(r"^yizhan_mqtt_session_gaps_total (\S+)", re.MULTILINE)
Device = tuple[str, str]


@dataclass
class Kept:
    """One device: its last number, what no watermark covers yet, and the watermark."""

    seq: int = 0
    held: dict[int, bytes] = field(default_factory=dict)
    upto: int = 0


class Household(threading.Thread):
    """Devices on one line: each sends in order, again what the broker had not acknowledged when the line was lost, and
    what no watermark covers only when it is told to."""

    def __init__(self, number: int, nodes: list[BrokerNode], devices: list[Device], rate: float) -> None:
        super().__init__(name=f"household-{number}", daemon=True)
        first, *others = [HostPort("127.0.0.1", node.port) for node in nodes]
        broker = Broker(first.host, first.port, others=tuple(others)).anywhere()
        watermarks = [f"yz-ack/{station}/{device}" for station, device in devices]
        self.session = Session(
            broker, f"household-{number}", filters=watermarks, keep=False, keepalive_s=5, reconnect_max_s=1
        )
        self.session.on_published = self._published
        self.session.on_connect = self._connected
        self.devices = {device: Kept() for device in devices}
        self.acknowledged = 0
        self.talking = True
        self._order = list(devices)
        self._rate, self._tokens, self._at = rate, 0.0, time.monotonic()
        self._waiting: collections.deque[tuple[Device, int]] = collections.deque()
        self._flying: dict[int, tuple[Device, int]] = {}
        self._confirmed: set[tuple[Device, int]] = set()
        self._next = 0
        self._again = threading.Event()
        self._news_at = time.monotonic()
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.is_set():
            arrivals = self.session.poll(0.02)
            if arrivals is not None:
                self._hear([(topic, payload) for topic, payload, _ in arrivals.frames])
                self.session.ack(arrivals.epoch, arrivals.mids)
            if self._again.is_set():
                self._again.clear()
                self._waiting.extend((name, seq) for name, kept in self.devices.items() for seq in sorted(kept.held))
            if self.talking:
                self._say()
            self._send()
        self.session.close()

    def _say(self) -> None:
        now = time.monotonic()
        self._tokens = min(self._tokens + (now - self._at) * self._rate, self._rate)
        self._at = now
        while self._tokens >= 1:
            self._tokens -= 1
            name = self._order[self._next % len(self._order)]
            self._next += 1
            kept = self.devices[name]
            kept.seq += 1
            body = {
                "boot": "a",
                "seq": kept.seq,
                "oldest": min(kept.held, default=kept.seq),
                "occupied": kept.seq % 2 == 1,
            }
            kept.held[kept.seq] = json.dumps(body).encode()
            self._waiting.append((name, kept.seq))

    def _send(self) -> None:
        while self._waiting and len(self._flying) < 100:
            (station, device), seq = name = self._waiting[0]
            payload = self.devices[name[0]].held.get(seq)
            if payload is None:  # covered meanwhile
                self._waiting.popleft()
                self._count(name)
                continue
            mid = self.session.publish(f"yz/{station}/{device}/state", payload)
            if mid is None:
                return
            if not self._flying:
                self._news_at = time.monotonic()
            self._waiting.popleft()
            self._flying[mid] = name

        if self._flying and time.monotonic() - self._news_at > SILENT_S:
            self._connected(False)  # RabbitMQ owes some acknowledgements for ever

    def _connected(self, _present: bool) -> None:
        self._news_at = time.monotonic()
        self._waiting.extendleft(reversed(self._flying.values()))
        self._flying.clear()

    def _published(self, mid: int) -> None:
        self._news_at = time.monotonic()
        name = self._flying.pop(mid, None)
        if name is not None:
            self._count(name)

    def _count(self, name: tuple[Device, int]) -> None:
        if name not in self._confirmed:
            self._confirmed.add(name)
            self.acknowledged += 1

    def _hear(self, frames: list[tuple[bytes, bytes]]) -> None:
        for topic, payload in frames:
            _, station, device = topic.decode().split("/")
            told, kept = json.loads(payload), self.devices[station, device]
            if told["boot"] == "a":
                for seq in [seq for seq in kept.held if seq <= told["upto"]]:
                    del kept.held[seq]
                kept.upto = max(kept.upto, told["upto"])

    @property
    def idle(self) -> bool:
        return not self._waiting and not self._flying

    @property
    def owed(self) -> int:
        """Messages that no watermark covers."""
        return sum(len(kept.held) for kept in self.devices.values())

    def say_again(self) -> None:
        self._again.set()

    def end(self) -> None:
        self._ended.set()
        self.join(30)


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


def ready(port: int) -> bool:
    try:
        return bool(get(port, "/readyz"))
    except (urllib.error.HTTPError, OSError):
        return False


def gaps(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        found = GAPS.search(answer.read().decode())
    return int(float(found[1])) if found else 0


def stored(folder: Path) -> collections.Counter[tuple[str, str, int]]:
    lines = yizhan(folder, "export", "--config", "shard-1.yaml").stdout.splitlines()
    rows = map(json.loads, lines)
    return collections.Counter((row["station"], row["device"], row["seq"]) for row in rows)


def settled(folder: Path) -> collections.Counter[tuple[str, str, int]]:
    """What is stored once nothing more comes for half a minute (NATS delivers again after that time)."""
    end, before = time.monotonic() + PATIENCE_S, stored(folder)
    while time.monotonic() < end:
        time.sleep(35)
        now = stored(folder)
        if now == before:
            break
        before = now
    return before


class Shards:
    """The gateways, for a `with`; `kill` and `start` one by its number."""

    def __init__(self, folder: Path, nodes: list[BrokerNode], count: int) -> None:
        urls = ", ".join(f'"mqtt://127.0.0.1:{node.port}"' for node in nodes)
        seats = ", ".join(f"{{id: seat-{number}, kind: seat, ttl: 3600}}" for number in range(SEATS))
        stations = "".join(
            f'  - {{id: station-{one}, hours: "24/7", areas: [{{id: lounge, resources: [{seats}]}}]}}\n'
            for one in range(STATIONS)
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

    def __enter__(self) -> "Shards":
        for number in range(1, len(self.ports) + 1):
            self.start(number)
        for port in self.ports:
            until(lambda port=port: ready(port), what="a shard ready")
        return self

    def __exit__(self, *_: object) -> None:
        for number in list(self._running):
            self.kill(number)


def kill_in_turn(nodes: list[BrokerNode], shards: Shards, args: argparse.Namespace, chance: random.Random) -> None:
    for _ in range(args.kills):
        time.sleep(args.every_s - args.down_s)
        shard = chance.randrange(len(shards.ports)) + 1
        if args.shards_too:
            shards.kill(shard)
            time.sleep(AHEAD_S)
        node = chance.choice([node for node in nodes if hears(node)])
        node.kill()
        time.sleep(args.down_s)
        node.start()
        until(lambda: any(map(hears, nodes)), what="a broker listening")
        if args.shards_too:
            shards.start(shard)
    time.sleep(args.every_s - args.down_s)


def figures(make: str, args: argparse.Namespace) -> dict[str, Any]:
    build, program = MAKES[make]
    if program is None:
        raise SystemExit(f"{make}: not installed")
    with tempfile.TemporaryDirectory(prefix="yizhan-kills-") as name:
        folder = Path(name)
        nodes = started(build(folder))
        try:
            until(lambda: all(map(hears, nodes)) or make == "artemis", what="all nodes listening")
            time.sleep(args.rest_s)  # clusters agree
            with Shards(folder, nodes, args.shards) as gateways:
                return run(folder, nodes, gateways, make, args)
        finally:
            for node in nodes:
                node.kill()


def run(folder: Path, nodes: list[BrokerNode], gateways: Shards, make: str, args: argparse.Namespace) -> dict[str, Any]:
    names = [(f"station-{one}", f"seat-{seat}") for one in range(STATIONS) for seat in range(SEATS)]
    houses = [Household(n, nodes, names[n::HOUSEHOLDS], args.rate / HOUSEHOLDS) for n in range(HOUSEHOLDS)]
    watch = Outage(gateways.ports)
    for thread in (*houses, watch):
        thread.start()
    kill_in_turn(nodes, gateways, args, random.Random(args.seed))
    watch.ended.set()
    for house in houses:
        house.talking = False
    until(lambda: all(house.idle for house in houses), what="the broker taking all", patience_s=PATIENCE_S)
    acknowledged = sum(house.acknowledged for house in houses)
    first, owed = settled(folder), owed_to(houses)
    say_all_again(houses)
    last, told = settled(folder), sum(map(gaps, gateways.ports))
    for house in houses:
        house.end()
    if args.logs:
        log = "".join(path.read_text() for path in sorted(folder.glob("gateway-*.log")))
        (Path(args.logs) / f"{make.replace(' ', '-')}.log").write_text(log)
    return {
        "broker": make, "nodes": len(nodes), "shards": len(gateways.ports), "kills": args.kills,
        "shards_too": args.shards_too, "acknowledged": acknowledged,
        "stored": len(first), "missing": acknowledged - len(first), "owed_by_watermarks": owed,
        "stored_after_resending": len(last), "double": sum(last.values()) - len(last),
        "promised_and_missing": len(promised(houses) - set(last)), "still_owed": owed_to(houses),
        "session_gaps": told, "longest_away_s": round(watch.longest_s, 1),
    }  # fmt: skip


def owed_to(houses: list[Household]) -> int:
    return sum(house.owed for house in houses)


def say_all_again(houses: list[Household]) -> None:
    """What no watermark covers, until all is covered or it is of no use."""
    for _ in range(8):
        if not owed_to(houses):
            return
        for house in houses:
            house.say_again()
        end = time.monotonic() + 30
        while owed_to(houses) and time.monotonic() < end:
            time.sleep(0.5)


def promised(houses: list[Household]) -> set[tuple[str, str, int]]:
    """What watermarks cover, so that nobody has it any more but the gateway."""
    kept = [(name, one.upto) for house in houses for name, one in house.devices.items()]
    return {(*name, seq) for name, upto in kept for seq in range(1, upto + 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", action="append", choices=sorted(MAKES), help="default: each that is installed")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--every-s", type=float, default=40)
    parser.add_argument("--down-s", type=float, default=15)
    parser.add_argument("--rest-s", type=float, default=10, help="from the nodes' start to the load")
    parser.add_argument("--rate", type=float, default=200, help="messages a second, of all devices together")
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--shards-too", action="store_true", help="kill a shard before each node")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--logs", help="a folder for the gateways' logs")
    args = parser.parse_args()
    for make in args.broker or [make for make, (_, program) in MAKES.items() if program is not None]:
        sys.stdout.write(json.dumps(figures(make, args)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
