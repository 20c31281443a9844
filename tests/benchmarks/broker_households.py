"""Devices behind one line that keep what they say until a watermark covers it, for the rigs of brokers."""

import collections
import json
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from config.schema.base import HostPort
from gateway.mqtt import Broker, Session
from tests.e2e.brokers.programs import BrokerNode

AT_ONCE = 100
"""Messages that a household has unacknowledged at the broker at most."""
SILENT_S = 15.0
"""After so long without an answer it connects anew, as docs/broker.md asks of devices."""
Device = tuple[str, str]


def note(words: str) -> None:
    """Beside the figures, for whoever reads the log of a run."""
    sys.stderr.write(time.strftime("%H:%M:%S ") + words + "\n")
    sys.stderr.flush()


@dataclass
class Kept:
    """One device: its last number, what no watermark covers yet, and the watermark."""

    seq: int = 0
    held: dict[int, bytes] = field(default_factory=dict)
    upto: int = 0


class Household(threading.Thread):
    """Devices on one line: each sends in order, again what the broker had not acknowledged when the line was lost, and
    what no watermark covers only when it is told to.

    `numbered=False`: devices that don't number their messages, so no watermark ever covers them.
    """

    def __init__(
        self, name: str, nodes: Sequence[BrokerNode], devices: Sequence[Device], rate: float, *, numbered: bool = True
    ) -> None:
        super().__init__(name=name, daemon=True)
        first, *others = [HostPort("127.0.0.1", node.port) for node in nodes]
        broker = Broker(first.host, first.port, others=tuple(others)).anywhere()
        watermarks = [f"yz-ack/{station}/{device}" for station, device in devices] if numbered else []
        self.session = Session(broker, name, filters=watermarks, keep=False, keepalive_s=5, reconnect_max_s=1)
        self.session.on_published = self._published
        self.session.on_connect = self._connected
        self.devices = {device: Kept() for device in devices}
        self.numbered = numbered
        self.acknowledged = self.silences = 0
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
            self._say()
            self._send()
            self._leave_who_is_silent()
        self.session.close()

    def _say(self) -> None:
        now = time.monotonic()
        self._tokens = min(self._tokens + (now - self._at) * self._rate, self._rate) if self.talking else 0.0
        self._at = now
        while self._tokens >= 1:
            self._tokens -= 1
            name = self._order[self._next % len(self._order)]
            self._next += 1
            kept = self.devices[name]
            kept.seq += 1
            kept.held[kept.seq] = json.dumps(self._body(kept)).encode()
            self._waiting.append((name, kept.seq))

    def _body(self, kept: Kept) -> dict[str, object]:
        occupied = {"occupied": kept.seq % 2 == 1}
        if not self.numbered:
            return {"n": kept.seq, **occupied}
        return {"boot": "a", "seq": kept.seq, "oldest": min(kept.held, default=kept.seq), **occupied}

    def _send(self) -> None:
        while self._waiting and len(self._flying) < AT_ONCE:
            (station, device), seq = name = self._waiting[0]
            payload = self.devices[name[0]].held.get(seq)
            if payload is None:  # covered meanwhile
                self._count(name)
                self._waiting.popleft()
                continue
            mid = self.session.publish(f"yz/{station}/{device}/state", payload)
            if mid is None:
                return
            if not self._flying:
                self._news_at = time.monotonic()
            self._waiting.popleft()
            self._flying[mid] = name

    def _leave_who_is_silent(self) -> None:
        if self.session.held:
            if not self.session.connected:
                self.session.resume()
        elif self.session.connected and self._flying and time.monotonic() - self._news_at > SILENT_S:
            self.silences += 1
            note(f"{self.name}: {self.session.broker} owes {len(self._flying)} answers")
            self._news_at = time.monotonic()
            self.session.hold()

    def _connected(self, _present: bool) -> None:
        self._news_at = time.monotonic()
        self._waiting.extendleft(reversed(self._flying.values()))
        self._flying.clear()

    def _published(self, mid: int) -> None:
        self._news_at = time.monotonic()
        if mid in self._flying:
            self._count(self._flying[mid])
            del self._flying[mid]

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


def owed_to(houses: Sequence[Household]) -> int:
    return sum(house.owed for house in houses)


def say_all_again(houses: Sequence[Household]) -> None:
    """What no watermark covers, until all is covered or it is of no use."""
    for _ in range(8):
        if not owed_to(houses):
            return
        for house in houses:
            house.say_again()
        end = time.monotonic() + 30
        while owed_to(houses) and time.monotonic() < end:
            time.sleep(0.5)


def promised(houses: Sequence[Household]) -> set[tuple[str, str, int]]:
    """What watermarks cover, so that nobody has it any more but the gateway."""
    kept = [(name, device.upto) for house in houses for name, device in house.devices.items()]
    return {(*name, seq) for name, upto in kept for seq in range(1, upto + 1)}
