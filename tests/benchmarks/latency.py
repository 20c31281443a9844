"""From a device's publish to the document on `yz-live/…` and to a listener inside the gateway, under a steady load.

    python -m tests.benchmarks.latency CONFIG       (the gateway's process; the load is the caller of `measure`)

Both processes read the same monotonic clock. A flip counts once its station's document shows the new value.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from time import monotonic, sleep, time_ns
from typing import NamedTuple

from config.load import load
from gateway.live.station_document import Document
from gateway.mqtt import Broker, Session
from gateway.runtime import Gateway
from tests.benchmarks.brokers import mosquitto
from tests.benchmarks.places import FIRST_SEQ, names, payload, write_config
from tests.benchmarks.runs import child, expect, line, say

STATIONS, SEATS = 100, 20
FLIP_SHARE = 0.05


class Flip(NamedTuple):
    station: str
    device: str
    use: str
    at: float


Seen = list[tuple[float, str, bytes]]  # when, station, document


class Load:
    """Publishes at a steady rate, all devices in turn; notes every flip."""

    def __init__(self, session: Session, rate: float) -> None:
        self.flips: list[Flip] = []
        self._session, self._gap_s, self._rng = session, 1 / rate, Random(0)
        self._devices = list(names(STATIONS, SEATS))
        self._occupied = dict.fromkeys(self._devices, False)

    def run(self, count: int, first: int, *, flipping: bool) -> Seen:
        seen: Seen = []
        begin = monotonic()
        for number in range(count):
            self._publish(first + number, flipping)
            while (rest := begin + (number + 1) * self._gap_s - monotonic()) > 0:
                self._listen(rest, seen)
        return seen

    def _publish(self, number: int, flipping: bool) -> None:
        lap, at = divmod(number, len(self._devices))
        station, device = self._devices[at]
        flips = flipping and self._rng.random() < FLIP_SHARE
        self._occupied[station, device] ^= flips
        occupied = self._occupied[station, device]
        body = payload(FIRST_SEQ + lap, occupied, time_ns() // 1_000_000)
        if flips:
            self.flips.append(Flip(station, device, "occupied" if occupied else "free", monotonic()))
        self._session.publish(f"yz/{station}/{device}/state", body)

    def _listen(self, timeout_s: float, seen: Seen) -> None:
        arrivals = self._session.poll(timeout_s)
        if arrivals is not None:
            now = monotonic()
            seen += [(now, topic.decode().removeprefix("yz-live/"), body) for topic, body, _ in arrivals.frames]
            self._session.ack(arrivals.epoch, arrivals.mids)


def measure(seconds: float = 15, rate: float = 500) -> dict[str, float]:
    """p50 and p99 in ms of both ways."""
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name), "set_tcp_nodelay true") as port:
        config = Path(name) / "config.yaml"
        write_config(config, STATIONS, SEATS, f"mqtt://127.0.0.1:{port}")
        with child("latency", config) as gateway:
            expect(gateway, "ready")
            session = Session(Broker("127.0.0.1", port), "load", filters=["yz-live/#"], keep=False)
            while not session.subscribed:
                session.poll(0.1)
            work = Load(session, rate)
            work.run(STATIONS * SEATS, 0, flipping=False)
            seen = work.run(int(seconds * rate), STATIONS * SEATS, flipping=True)
            session.close()
            say(gateway, "enough")
            told = [(at, station, body.encode()) for at, station, body in json.loads(line(gateway))]
    figures: dict[str, float] = {"flips": len(work.flips)}
    for way, documents in (("yz_live", seen), ("listener", told)):
        took = sorted(delays_ms(work.flips, documents))
        figures |= {
            f"{way}_p50_ms": took[len(took) // 2],
            f"{way}_p99_ms": took[int(len(took) * 0.99)],
            f"{way}_seen": len(took),
        }
    return figures


def delays_ms(flips: Sequence[Flip], seen: Seen) -> list[float]:
    """For each flip, how long until a document showed it; those that flipped back sooner, or too late, are left out."""
    by_station: dict[str, list[tuple[float, dict[str, str]]]] = {}
    for at, station, body in seen:
        uses = {resource["id"]: resource["use"] for area in json.loads(body)["areas"] for resource in area["resources"]}
        by_station.setdefault(station, []).append((at, uses))
    took = []
    for flip in flips:
        shown = (at for at, uses in by_station.get(flip.station, ()) if at > flip.at and uses[flip.device] == flip.use)
        first = next(shown, None)
        if first is not None:
            took.append((first - flip.at) * 1000)
    return took


def main() -> None:
    gateway = Gateway(load(Path(sys.argv[1])))
    told: list[tuple[float, str, str]] = []

    def listen(documents: Sequence[Document]) -> None:
        now = monotonic()
        told.extend((now, document.station, document.body.decode()) for document in documents)

    gateway.listen(listen)
    gateway.start()
    while not gateway.report.status().ready:
        sleep(0.01)
    print("ready", flush=True)
    sys.stdin.readline()
    gateway.stop()
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
