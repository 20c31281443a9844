"""Bytes a reading, exact export and history times, on days that virtual devices live through the real core and store.

    python -m tests.benchmarks.week STATIONS DAYS FOLDER

Time is virtual; the store works as in the product (batches every few seconds, hours sealed, days closed), with
`synchronous=NORMAL` because no power fails here.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import Any

from config.schema import Settings
from firmware_bridge.emulator.configured import town_of
from firmware_bridge.emulator.stations import demo_stations
from gateway.core.pipeline import Pipeline
from gateway.core.plan import build
from gateway.model import Millis
from gateway.policy.hours import Openings
from gateway.runtime.memory import Memory
from gateway.store.reader import SqliteReader
from gateway.store.sqlite import SqliteStore

START: Millis = 1_790_000_000_000 // 86_400_000 * 86_400_000  # a midnight UTC
DAY_MS, HOUR_MS = 86_400_000, 3_600_000
BATCH_MS = 10_000  # how long messages gather for a commit
ON_THE_WAY_MS = 20  # from the device's stamp to our receipt, at most
QUESTIONS = 60


class Life:
    """A town, the core and a store under one virtual clock."""

    def __init__(self, stations: int, folder: Path) -> None:
        settings = Settings.model_validate(
            {"mqtt": {"url": "mqtt://127.0.0.1"}, "store": {"path": folder}, "stations": demo_stations(stations)}
        )
        self.live = build(settings, settings.stations, Openings(settings), START)
        self.pipeline = Pipeline(self.live)
        self.memory = Memory(self.live)
        self.store = SqliteStore(folder, START, profile="sd_card", ballast_mib=0)
        self.town = town_of(settings, START)
        self.fed = hashlib.blake2b()
        self.readings = self.changes = 0
        self._rng = Random(1)

    def run(self, end: Millis) -> None:
        commit_at, keep_at = START + BATCH_MS, START + HOUR_MS
        while (now := self.town.next_due()) < end:
            for message in self.town.step(now):
                self._take(message.topic.encode(), message.payload, now + self._rng.randrange(ON_THE_WAY_MS))
            if now >= commit_at:
                commit_at = now + BATCH_MS
                self._commit(now)
            if now >= keep_at:
                keep_at = now + HOUR_MS
                self._keep(now)
        self._commit(end)
        self._keep(end + HOUR_MS)
        self.store.close()

    def _take(self, topic: bytes, payload: bytes, now: Millis) -> None:
        self.pipeline.tick(now)
        self.pipeline.handle_all([(topic, payload, 0)], now)

    def _commit(self, now: Millis) -> None:
        outcome = self.pipeline.take()
        for device in outcome.heard:
            boot, upto = device.seen.boot, device.seen.upto()
            if boot is not None and upto is not None:
                self.town.acked(device.station, device.id, boot, upto)
        batch = outcome.batch
        self.number = self.store.commit(batch, outcome.changes, outcome.rejected, now)
        digest(self.fed, zip(batch.topics, batch.payloads, batch.received, strict=True))
        self.readings, self.changes = self.readings + len(batch), self.changes + len(outcome.changes)

    def _keep(self, now: Millis) -> None:
        for part in range(len(self.memory.parts)):
            self.store.checkpoint(part, self.number, self.memory.dump(part, now))
        while self.store.tidy(now):
            pass


def digest(into: Any, messages: Iterable[tuple[bytes, bytes, Millis]]) -> None:
    for topic, payload, received in messages:
        into.update(b"%b %b %d\n" % (topic, payload, received))


def exported(folder: Path) -> str:
    """The digest of everything the store gives back, in order."""
    digest_of_all = hashlib.blake2b()
    reader = SqliteReader(folder)
    for reading in reader.readings():
        topic = f"yz/{reading.station}/{reading.device}/{reading.topic}".encode()
        digest(digest_of_all, [(topic, reading.payload, reading.received_at)])
    reader.close()
    return digest_of_all.hexdigest()


def history_ms(folder: Path, life: Life, span: Millis, end: Millis, *, fresh: bool) -> list[float]:
    """How long it took to read `span` of one resource's history. `fresh`: with all files closed before."""
    rng, took = Random(2), []
    resources = [facts.resource for station in life.live.stations.values() for facts in station.facts()]
    reader = SqliteReader(folder)
    for _ in range(QUESTIONS):
        resource = rng.choice(resources)
        start = end - span if span >= end - START else START + rng.randrange((end - START) // DAY_MS) * DAY_MS
        if fresh:
            reader.close()
            reader = SqliteReader(folder)
        took.append(timed(lambda: reader.history(resource.station, resource.id, start, start + span)))  # noqa: B023
    reader.close()
    return took


def timed(work: Callable[[], object]) -> float:
    begin = perf_counter()
    work()
    return (perf_counter() - begin) * 1000


def main() -> None:
    stations, days, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    begin, end = perf_counter(), START + days * DAY_MS
    life = Life(stations, folder)
    life.run(end)
    ran_s = perf_counter() - begin
    size = sum(path.stat().st_size for path in folder.iterdir())
    resources = sum(len(station.facts()) for station in life.live.stations.values())
    told: dict[str, object] = {
        "resources": resources, "readings": life.readings, "changes": life.changes, "bytes": size,
        "bytes_a_reading": size / life.readings, "change_share": life.changes / life.readings, "ran_s": ran_s,
        "exact": exported(folder) == life.fed.hexdigest(),
    }  # fmt: skip
    for name, span in (("day", DAY_MS), ("all", days * DAY_MS)):
        for how in ("open", "fresh"):
            took = sorted(history_ms(folder, life, span, end, fresh=how == "fresh"))
            told[f"{name}_{how}_ms"] = median(took)
            told[f"{name}_{how}_worst_ms"] = took[-1]
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
