"""A gateway full of Zigbee2MQTT presence sensors, beside the same gateway full of devices of ours.

    python -m tests.benchmarks.foreign [--rounds 3] [--count 100000]

2,000 devices, the broker's queue filled before the gateway comes, so that nothing but the gateway is measured; the two
take turns and medians are compared.
"""

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import time_ns
from typing import Any

from gateway.model import Millis
from gateway.mqtt import Broker, Session
from tests.benchmarks.brokers import mosquitto
from tests.benchmarks.figures import Figure, table
from tests.benchmarks.places import names, packets, write_config
from tests.benchmarks.publisher import Connection, publish
from tests.benchmarks.runs import child, expect, line

STATIONS, SEATS, FLIP_EVERY = 100, 20, 20
LEAST_SHARE = 0.5
WAYS = ("native", "zigbee2mqtt", "zigbee2mqtt, last_seen")


def payload(turn: int, occupied: bool, seen: str) -> bytes:
    """What a mains-powered presence sensor reports (zigbee2mqtt.io, devices/ZY-M100-24G)."""
    body: dict[str, Any] = {"illuminance": 100 + turn % 50, "linkquality": 120, "presence": occupied}
    if seen:
        body["last_seen"] = seen
    return json.dumps(body | {"target_distance": 1.42, "radar_sensitivity": 7}, separators=(",", ":")).encode()


def foreign_packets(devices: list[tuple[str, str]], count: int, ts: Millis, *, last_seen: bool) -> Iterator[bytes]:
    """As `places.packets`, in Zigbee2MQTT's words."""
    for number in range(count):
        turn, at = divmod(number, len(devices))
        station, device = devices[at]
        topic = f"zigbee2mqtt/{station}/{device}".encode()
        seen = datetime.fromtimestamp((ts + turn) / 1000, UTC).isoformat(timespec="milliseconds") if last_seen else ""
        body = len(topic).to_bytes(2, "big") + topic + (number % 65_535 + 1).to_bytes(2, "big")
        body += payload(turn, bool((turn + at) // FLIP_EVERY % 2), seen)
        yield bytes((0x32, len(body) & 0x7F | 0x80, len(body) >> 7)) + body


def fill(port: int, way: str, count: int) -> None:
    """Have the broker keep `count` messages for the gateway that comes."""
    keeper = Session(Broker("127.0.0.1", port), "subject", filters=["zigbee2mqtt/#", "yz/#"])
    while not keeper.subscribed:
        keeper.poll(0.1)
    keeper.close()
    ts = time_ns() // 1_000_000
    everybody = list(names(STATIONS, SEATS))
    connections = [Connection(port, number) for number in range(4)]
    for number, connection in enumerate(connections):
        devices, share = everybody[number :: len(connections)], count // len(connections)
        if way == "native":
            connection.load(list(packets(devices, share, FLIP_EVERY, ts)))
        else:
            connection.load(list(foreign_packets(devices, share, ts, last_seen=way.endswith("last_seen"))))
    publish(connections, 0)


def never_hold(path: Path) -> None:
    """However slow the disk: a connection that is broken for it would be measured too."""
    text = path.read_text("utf-8")
    path.write_text(text.replace("gateway: {", "gateway: {inbox_max_messages: 1000000, inbox_max_mib: 1024, "), "utf-8")


def make_foreign(path: Path) -> None:
    """Every seat of this configuration is fed by a sensor of another make."""
    lines, station = [], ""
    for text in path.read_text("utf-8").splitlines():
        station = text.partition("id: ")[2] if text.startswith("  - id:") else station
        seat = text.partition("id: ")[2].partition(",")[0]
        source = f", source: {{dialect: zigbee2mqtt, topic: zigbee2mqtt/{station}/{seat}}}}}"
        lines.append(text[:-1] + source if text.endswith("kind: seat}") else text)
    path.write_text("\n".join(lines) + "\n", "utf-8")


def run(way: str, count: int) -> dict[str, Any]:
    """What the gateway tells of itself."""
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as port:
        config = Path(name) / "config.yaml"
        write_config(config, STATIONS, SEATS, f"mqtt://127.0.0.1:{port}")
        never_hold(config)
        if way != "native":
            make_foreign(config)
        with child("foreign", "--fill", port, "--way", way, "--count", count) as filler:
            expect(filler, "done")
        with child("subjects", "gateway", config, count, 0) as subject:
            expect(subject, "ready")
            return dict(json.loads(line(subject)))


def foreign(rounds: int, count: int) -> Iterator[Figure]:
    measured: dict[tuple[str, str], list[float]] = defaultdict(list)
    for _ in range(rounds):
        for way in WAYS:
            told = run(way, count)
            for what in ("rate", "cpu_us"):
                measured[way, what].append(told[what])
    middle = {key: median(values) for key, values in measured.items()}
    for way in WAYS:
        yield Figure(way, middle[way, "rate"], "messages/s")
        yield Figure(f"{way}, CPU", middle[way, "cpu_us"], "µs/message")
        if way != "native":
            share = middle[way, "rate"] / middle["native", "rate"]
            yield Figure(f"{way}, beside native", share, "×", LEAST_SHARE, least=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.foreign")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--fill", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--way", choices=WAYS, default="native", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.fill:
        fill(args.fill, args.way, args.count)
        print("done", flush=True)
        return
    sys.stdout.write(table(foreign(args.rounds, args.count)) + "\n")


if __name__ == "__main__":
    main()
