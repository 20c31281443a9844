"""Several shards on brokers whose nodes are killed under load: what the broker acknowledged beside what was stored.

    python -m tests.benchmarks.broker_kills [--broker nats] [--kills 3] [--every-s 40] [--down-s 15] [--rate 200]

Whole processes on loopback: the nodes with the configurations of deploy/brokers, `yizhan gateway --shard I/N`, and
devices that number their messages and keep each until a watermark covers it. Every `--every-s` seconds one node, by
chance, gets SIGKILL and is started again `--down-s` later. Stored is what `yizhan export` gives: first while nobody
sends again what the broker had acknowledged, then after the devices have sent again what no watermark covers.
"""

import argparse
import collections
import contextlib
import json
import random
import re
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from config.schema.base import HostPort
from gateway.mqtt import Broker, Session
from tests.e2e.brokers.programs import MAKES, BrokerNode, hears, started
from tests.e2e.rig import Yizhan, get, yizhan
from tests.patience import until
from tests.ports import free_port

STATIONS, SEATS, HOUSEHOLDS, PATIENCE_S = 12, 5, 4, 300.0
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
        super().__init__(name=f"household-{number}")
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
            self._waiting.popleft()
            self._flying[mid] = name

    def _connected(self, _present: bool) -> None:
        self._waiting.extendleft(reversed(self._flying.values()))
        self._flying.clear()

    def _published(self, mid: int) -> None:
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
    """Looks at the shards' /readyz: how long at most one of them was away."""

    def __init__(self, ports: list[int]) -> None:
        super().__init__(daemon=True)
        self._since = dict.fromkeys(ports, time.monotonic())
        self.longest_s = 0.0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.25):
            for port in self._since:
                if ready(port):
                    self._since[port] = time.monotonic()
                else:
                    self.longest_s = max(self.longest_s, time.monotonic() - self._since[port])


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


@contextlib.contextmanager
def shards(folder: Path, nodes: list[BrokerNode], count: int) -> Iterator[list[int]]:
    """Ports of their metrics."""
    urls = ", ".join(f'"mqtt://127.0.0.1:{node.port}"' for node in nodes)
    seats = ", ".join(f"{{id: seat-{number}, kind: seat, ttl: 3600}}" for number in range(SEATS))
    stations = "".join(
        f'  - {{id: station-{one}, hours: "24/7", areas: [{{id: lounge, resources: [{seats}]}}]}}\n'
        for one in range(STATIONS)
    )
    ports = [free_port() for _ in range(count)]
    with contextlib.ExitStack() as stack:
        for number, port in enumerate(ports, 1):
            path = folder / f"shard-{number}.yaml"
            path.write_text(CONFIG.format(urls=urls, metrics=port) + stations)
            stack.enter_context(Yizhan(folder, "gateway", "--config", path.name, "--shard", f"{number}/{count}"))
        for port in ports:
            until(lambda port=port: ready(port), what="a shard ready")
        yield ports


def kill_in_turn(nodes: list[BrokerNode], args: argparse.Namespace, chance: random.Random) -> None:
    for _ in range(args.kills):
        time.sleep(args.every_s - args.down_s)
        node = chance.choice([node for node in nodes if hears(node)])
        node.kill()
        time.sleep(args.down_s)
        node.start()
        until(lambda: any(map(hears, nodes)), what="a broker listening")
    time.sleep(args.every_s - args.down_s)


def figures(make: str, args: argparse.Namespace) -> dict[str, object]:
    build, program = MAKES[make]
    if program is None:
        raise SystemExit(f"{make}: not installed")
    with tempfile.TemporaryDirectory(prefix="yizhan-kills-") as name:
        folder = Path(name)
        nodes = started(build(folder))
        try:
            until(lambda: all(map(hears, nodes)) or make == "artemis", what="all nodes listening")
            time.sleep(args.rest_s)  # clusters agree
            with shards(folder, nodes, args.shards) as ports:
                return run(folder, nodes, ports, make, args)
        finally:
            for node in nodes:
                node.kill()


def run(
    folder: Path, nodes: list[BrokerNode], ports: list[int], make: str, args: argparse.Namespace
) -> dict[str, object]:
    names = [(f"station-{one}", f"seat-{seat}") for one in range(STATIONS) for seat in range(SEATS)]
    houses = [Household(n, nodes, names[n::HOUSEHOLDS], args.rate / HOUSEHOLDS) for n in range(HOUSEHOLDS)]
    watch = Outage(ports)
    for thread in (*houses, watch):
        thread.start()
    kill_in_turn(nodes, args, random.Random(args.seed))
    watch.ended.set()
    for house in houses:
        house.talking = False
    until(lambda: all(house.idle for house in houses), what="the broker taking all", patience_s=PATIENCE_S)
    acknowledged = sum(house.acknowledged for house in houses)
    first, owed = settled(folder), owed_to(houses)
    say_all_again(houses)
    last, told = settled(folder), sum(map(gaps, ports))
    for house in houses:
        house.end()
    if args.logs:
        log = "".join(path.read_text() for path in sorted(folder.glob("gateway-*.log")))
        (Path(args.logs) / f"{make.replace(' ', '-')}.log").write_text(log)
    return {
        "broker": make, "nodes": len(nodes), "shards": len(ports), "kills": args.kills, "acknowledged": acknowledged,
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
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--logs", help="a folder for the gateways' logs")
    args = parser.parse_args()
    for make in args.broker or [make for make, (_, program) in MAKES.items() if program is not None]:
        sys.stdout.write(json.dumps(figures(make, args)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
