"""A district under one clock: boxes with their cores, journals and lines, and the core of the centre they tell."""

import json
import random
from typing import Any

from config.schema import Settings
from gateway.core.pipeline import Pipeline
from gateway.core.plan import build
from gateway.live import Live
from gateway.model import Axes, Message, Millis
from gateway.runtime.watermarks import of_boxes
from gateway.uplink.cursor import cursor_of
from gateway.uplink.outbound import Outbound
from tests.gateway.uplink.village import MemoryJournal
from tests.gateway.world import MINUTE, NOON

RESOURCES: tuple[dict[str, Any], ...] = (
    {"id": "seat-01", "kind": "seat", "ttl": 3_600},
    {"id": "pile-01", "kind": "charger", "type": "ebike", "ttl": 3_600},
    {"id": "door-main", "kind": "door", "ttl": 86_400},
)
LONGEST_CUT_H = 30


def live_of(stations: list[str], accept: list[str], now: Millis) -> Live:
    settings = Settings.model_validate(
        {
            "stations": [
                {"id": station, "areas": [{"id": "lounge", "resources": list(RESOURCES)}]} for station in stations
            ],
            "uplinks": {"accept": accept},
        }
    )
    return build(settings, settings.stations, lambda _station, _area: None, now)


class Device:
    """It says what is true every few minutes, restarts now and then, and sometimes sends a message twice or late."""

    def __init__(self, name: str, rng: random.Random, now: Millis) -> None:
        self.name, self._rng = name, rng
        self.boot, self.seq = f"{name}-0", 0
        self._boots = 0
        self.due = now + rng.randint(0, 10) * MINUTE
        self._held: list[bytes] = []

    def says(self, now: Millis) -> list[bytes]:
        rng = self._rng
        self.due = now + rng.randint(4, 30) * MINUTE
        if rng.random() < 0.02:
            self._boots += 1
            self.boot, self.seq = f"{self.name}-{self._boots}", 0
        self.seq += 1
        said = {"ts": now, "boot": self.boot, "seq": self.seq, **self._signals()}
        payload = json.dumps(said).encode()
        if rng.random() < 0.02:
            self._held.append(payload)  # it comes with a later one, after it
            return []
        told, self._held = [payload, *self._held], []
        return told * 2 if rng.random() < 0.02 else told

    def _signals(self) -> dict[str, Any]:
        rng = self._rng
        if self.name == "seat-01":
            return {"occupied": rng.random() < 0.5}
        if self.name == "pile-01":
            return {"status": rng.choice(("Available", "Charging", "Faulted")), "power_w": rng.randint(0, 400)}
        return {"open": rng.random() < 0.3, "locked": False}


class Box:
    """One station with its journal and a line that is cut for hours."""

    def __init__(self, number: int, seed: int) -> None:
        self.name = f"box-{number:02}"
        self._rng = random.Random(f"{seed}/{number}")
        self.live = live_of([self.name], [], NOON)
        self.pipeline = Pipeline(self.live)
        self.devices = [Device(resource["id"], self._rng, NOON) for resource in RESOURCES]
        self.journal = MemoryJournal()
        self.outbound = Outbound(self.name, cursor_of(None, "journal-1"), self.journal, self.journal)
        self.up = False
        self.turns_at = NOON + self._rng.randint(0, 60) * MINUTE
        self.on_line: list[tuple[str, bytes]] = []

    def hear(self, now: Millis) -> None:
        for device in self.devices:
            if now >= device.due:
                for payload in device.says(now):
                    topic = f"yz/{self.name}/{device.name}/state".encode()
                    self.pipeline.handle(Message(topic, payload, now), now)
        self.pipeline.tick(now)
        outcome = self.pipeline.take()
        if len(outcome.batch):
            self.journal.batches.append(outcome.batch)

    def read(self) -> None:
        while self.outbound.read_on(10_000):
            pass

    def turn(self, now: Millis) -> str | None:
        """The line comes or goes when its time has come: online or offline. Now and then the box is killed with it."""
        if now < self.turns_at:
            return None
        self.up = not self.up
        rng = self._rng
        longest_h = 48 if self.up else LONGEST_CUT_H
        self.turns_at = now + rng.randint(1, longest_h * 60) * MINUTE
        if self.up:
            self.read()
            self.outbound.connected(now)
            return "online"
        self.outbound.lost()
        self.on_line = self.on_line[: rng.randint(0, len(self.on_line))]
        if rng.random() < 0.3:
            kept = cursor_of(self.outbound.cursor.encoded(), "")
            self.outbound = Outbound(self.name, kept, self.journal, self.journal)
        return "offline"

    def send(self, now: Millis) -> None:
        self.outbound.tick(now)
        self.read()
        out, rng = self.outbound, self._rng
        for step, live in ((out.next_live, True), (out.next_behind, False)):
            for _ in range(400):
                message = step()
                if message is None:
                    break
                out.sent(message)
                if rng.random() < 0.995:  # a broker that dies takes some along
                    self.on_line += [out.written(message, live=live)] * (1 if rng.random() < 0.99 else 2)


class Centre:
    """What it stores, and what it shows."""

    def __init__(self, boxes: list[Box]) -> None:
        names = [box.name for box in boxes]
        self.live = live_of(names, names, NOON)
        self.pipeline = Pipeline(self.live)
        self.stored = MemoryJournal()

    def word(self, box: Box, state: str, now: Millis) -> None:
        said = json.dumps({"box": box.name, "state": state}).encode()
        self.pipeline.handle(Message(f"yz-box/{box.name}".encode(), said, now), now)

    def hear(self, box: Box, now: Millis) -> None:
        """All that is on its line, stored and confirmed."""
        arrived, box.on_line = box.on_line, []
        for topic, payload in arrived:
            self.pipeline.handle(Message(topic.encode(), payload, now), now)
        outcome = self.pipeline.take()
        assert outcome.rejected == []
        if len(outcome.batch):
            self.stored.batches.append(outcome.batch)
        for topic, told in of_boxes(outcome.boxes):
            word = json.loads(told)
            if topic.endswith(box.name):
                box.outbound.told(box.name, word["boot"], word["upto"], now)


def shown(live: Live, station: str) -> list[Axes]:
    return [facts.axes for facts in live.stations[station].facts()]


def value(axes: Axes) -> tuple[str, ...]:
    """What it says of the thing. A doubt rests on how often a value changed; who hears half of it late, can't tell."""
    return axes.lifecycle, axes.health, axes.access, axes.use, "live" if axes.evidence == "suspect" else axes.evidence
