"""A box and a centre without threads, brokers or clocks: two cores, a journal in memory, and a line that can be cut."""

import json
from collections.abc import Iterator
from typing import Any

from gateway.model import Batch, Millis
from gateway.runtime.watermarks import of_boxes
from gateway.uplink.cursor import Cursor
from gateway.uplink.outbound import Outbound
from tests.gateway.world import NOON, Town


class MemoryJournal:
    """The batches of a box."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []

    def after(self, position: int) -> Iterator[tuple[int, Batch]]:
        for number in range(position, len(self.batches)):
            yield number + 1, self.batches[number]


class Village:
    """One station `yanshan`, at the box and at the centre."""

    def __init__(self, *resources: dict[str, Any], box: str = "box-1") -> None:
        self.box, self.centre = Town(*resources), Town(*resources)
        self.journal, self.stored = MemoryJournal(), MemoryJournal()
        self.now: Millis = NOON
        self.outbound = Outbound(box, Cursor("journal-1"), self.journal, self.journal)
        self.on_line: list[tuple[str, bytes]] = []

    def said(self, device: str, payload: Any, which: str = "state") -> None:
        """A message that the box hears and stores."""
        self.box.now = self.now
        outcome = self.box.hear(device, payload, which)
        if len(outcome.batch):
            self.journal.batches.append(outcome.batch)

    def wait(self, by: Millis) -> None:
        self.now += by
        self.box.wait(self.now - self.box.now)
        self.centre.wait(self.now - self.centre.now)

    def connect(self) -> None:
        self.read()
        self.outbound.connected(self.now)

    def read(self) -> None:
        while self.outbound.read_on(1000):
            pass

    def send(self) -> int:
        """All that goes now is put on the line; how much that is."""
        self.read()
        out, before = self.outbound, len(self.on_line)
        while (message := out.next_live()) is not None:
            self.on_line.append(out.written(message, live=True))
            out.sent(message)
        while (message := out.next_behind()) is not None:
            self.on_line.append(out.written(message, live=False))
            out.sent(message)
        return len(self.on_line) - before

    def arrive(self, most: int = 10**9) -> None:
        """What is on the line comes to the centre, which stores it and says so."""
        arrived, self.on_line = self.on_line[:most], self.on_line[most:]
        self.centre.now = self.now
        for topic, payload in arrived:
            self.centre.hear_raw(topic.encode(), payload)
            outcome = self.centre.outcome
            if len(outcome.batch):
                self.stored.batches.append(outcome.batch)
            for to, told in of_boxes(outcome.boxes):
                word = json.loads(told)
                self.outbound.told(to.split("/")[1], word["boot"], word["upto"], self.now)

    def exchange(self) -> None:
        """Until nothing goes any more."""
        while self.send():
            self.arrive()
        self.outbound.next_behind()  # which notes that all is there


def content(journal: MemoryJournal) -> list[tuple[str, str]]:
    """Topic and what the device said, sorted."""
    rows = []
    for batch in journal.batches:
        for topic, payload in zip(batch.topics, batch.payloads, strict=True):
            said = json.loads(payload) if payload.startswith(b"{") else {"state": payload.decode()}
            rows.append((topic.decode(), json.dumps({k: v for k, v in said.items() if k not in ("via", "late", "ts")})))
    return sorted(rows)
