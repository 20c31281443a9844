"""A small house of real parts: configuration → plan → pipeline, with a clock that the test moves."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from config.schema import Settings
from gateway.core.pipeline import Pipeline
from gateway.core.plan import build
from gateway.live import document
from gateway.model import ActivityEnded, Change, Message
from gateway.policy.hours import Openings

START = 1_780_279_200_000  # Monday 2026-06-01, 10:00 in Shanghai
MINUTE, HOUR = 60_000, 3_600_000


class House:
    """One station `yanshan`; `areas` or, shorter, the resources of its only area `lounge`."""

    def __init__(
        self,
        resources: Sequence[dict[str, Any]] = (),
        *,
        areas: Sequence[dict[str, Any]] | None = None,
        now: int = START,
        settings: dict[str, Any] | None = None,
        **station: Any,
    ) -> None:
        areas = areas if areas is not None else [{"id": "lounge", "resources": list(resources)}]
        described = {"id": "yanshan", "hours": "24/7", "areas": list(areas), **station}
        self.settings = Settings.model_validate({"stations": [described], **(settings or {})})
        self.now = self.started = now
        self.live = build(self.settings, self.settings.stations, Openings(self.settings), now)
        self.pipeline = Pipeline(self.live)
        self.changes: list[Change] = []
        self.ended: list[ActivityEnded] = []
        self._seq: dict[str, int] = {}

    def say(self, device: str, **signals: Any) -> None:
        """A numbered state message of `device`, stamped with this moment."""
        self.send(f"yz/yanshan/{device}/state", self._numbered(device, signals))

    def tell(self, device: str, type: str, **fields: Any) -> None:  # noqa: A002
        """A numbered event."""
        self.send(f"yz/yanshan/{device}/event", self._numbered(device, {"type": type, **fields}))

    def send(self, topic: str, body: object, *, retained: bool = False) -> None:
        payload = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
        self.pipeline.handle(Message(topic.encode(), payload, self.now, retained), self.now)
        self._take()

    def wait(self, ms: int) -> None:
        """Time passes; every deadline fires at its own moment."""
        end = self.now + ms
        while (due := self.live.next_deadline()) is not None and due <= end:
            self.now = max(due, self.now)
            self.pipeline.tick(self.now)
            self._take()
        self.now = end

    def wait_while(self, ms: int, *devices: tuple[str, dict[str, Any]], every: int = MINUTE) -> None:
        """Time passes, and these devices say the same every minute."""
        for _ in range(ms // every):
            self.wait(every)
            for device, signals in devices:
                self.say(device, **signals)

    def document(self) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(document(self.live.stations["yanshan"], self.now).body)
        self.live.made(self.live.stations["yanshan"], self.now)
        return made

    def shown(self, resource: str) -> dict[str, Any]:
        return next(row for area in self.document()["areas"] for row in area["resources"] if row["id"] == resource)

    def instrument(self, name: str) -> dict[str, Any]:
        """A counter, detector or gauge as published."""
        return next(row for area in self.document()["areas"] for row in area["instruments"] if row["id"] == name)

    def seen(self, resource: str, *axes: str) -> tuple[Any, ...]:
        """Some fields of a resource as published."""
        shown = self.shown(resource)
        return tuple(shown[axis] for axis in axes)

    def facts(self, resource: str) -> Any:
        return next(shown for shown in self.live.stations["yanshan"].facts() if shown.resource.id == resource)

    def _numbered(self, device: str, fields: dict[str, Any]) -> dict[str, Any]:
        seq = self._seq[device] = self._seq.get(device, 0) + 1
        return {"ts": self.now, "boot": "b1", "seq": seq, **fields}

    def _take(self) -> None:
        outcome = self.pipeline.take()
        self.changes += outcome.changes
        self.ended += outcome.ended
