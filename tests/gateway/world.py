"""A small town for tests of the core: stations from settings, a pipeline, messages by hand and a clock by argument."""

import json
from collections.abc import Iterable
from typing import Any

from config.schema import Settings
from gateway.core.outcome import Outcome
from gateway.core.pipeline import Pipeline
from gateway.core.plan import build
from gateway.live import Device, document
from gateway.model import Axes, Change, Message, Millis

NOON = 1_780_056_000_000  # 2026-05-29T12:00:00Z
SECOND, MINUTE = 1_000, 60_000


class Town:
    """One station `yanshan` with one area `lounge`; `resources` as in the configuration."""

    def __init__(self, *resources: dict[str, Any], opening: Any = None, now: Millis = NOON) -> None:
        area = {"id": "lounge", "name": {"zh": "休息区"}, "resources": list(resources)}
        self.settings = Settings.model_validate(
            {"stations": [{"id": "yanshan", "name": {"zh": "雁山", "en": "Yanshan"}, "areas": [area]}]}
        )
        openings = opening if opening is not None else (lambda _station, _area: None)
        self.live = build(self.settings, self.settings.stations, openings, now)
        self.pipeline = Pipeline(self.live)
        self.now = now
        self.outcome = self.pipeline.take()

    def hear(
        self, device: str, payload: Any, which: str = "state", *, retained: bool = False, dup: bool = False
    ) -> Outcome:
        """A message now; what it leads to."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return self.hear_raw(f"yz/yanshan/{device}/{which}".encode(), body, retained=retained, dup=dup)

    def hear_raw(self, topic: bytes, payload: bytes, *, retained: bool = False, dup: bool = False) -> Outcome:
        self.pipeline.handle(Message(topic, payload, self.now, retained, dup), self.now)
        self.outcome = self.pipeline.take()
        return self.outcome

    def wait(self, by: Millis) -> list[Change]:
        """Let time pass, firing every deadline at its own moment; the changes of it."""
        end, changes = self.now + by, []
        while (due := self.live.next_deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.pipeline.tick(self.now)
            changes += self.pipeline.take().changes
        self.now = end
        self.pipeline.tick(end)
        return changes + self.pipeline.take().changes

    def device(self, name: str) -> Device:
        return self.live.devices["yanshan", name]

    def axes(self, resource: str) -> Axes:
        return next(facts.axes for facts in self.live.stations["yanshan"].facts() if facts.resource.id == resource)

    def document(self) -> dict[str, Any]:
        """Made now, as the intake does."""
        station = self.live.stations["yanshan"]
        made = document(station, self.now)
        self.live.made(station, self.now)
        self.live.dirty.clear()
        return dict(json.loads(made.body))


def reasons(outcome: Outcome) -> list[str]:
    return [message.reason for message in outcome.rejected]


def stored(outcome: Outcome) -> Iterable[bytes]:
    return outcome.batch.payloads
