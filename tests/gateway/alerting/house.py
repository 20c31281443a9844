"""A gateway without threads and broker: real pipeline, store, alert side and post office, on a clock we move."""

import json
import threading
from pathlib import Path
from typing import Any

from config.schema import Settings
from gateway.alerting import Alerting, Ourselves
from gateway.alerting.desk import Act
from gateway.alerts.words import AlertEvent
from gateway.core.pipeline import Pipeline
from gateway.core.plan import build
from gateway.model import Message
from gateway.policy.hours import Openings
from gateway.runtime.memory import Memory
from gateway.runtime.restoring import restore
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.writing import at_once

T0 = 1_795_262_400_000  # 2026-11-21T12:00:00Z
STATION = {
    "id": "yanshan",
    "name": {"zh": "雁山驿站"},
    "hours": "24/7",
    "areas": [
        {
            "id": "yard",
            "resources": [
                {"id": "seat-01", "kind": "seat", "ttl": 60},
                {"id": "pile-01", "kind": "charger", "type": "ebike", "ttl": 3600},
                {"id": "door", "kind": "door", "ttl": 3600},
                {"id": "aed", "kind": "safety", "type": "aed", "ttl": 86400},
            ],
        }
    ],
}


class House:
    def __init__(self, folder: Path, alerts: dict[str, Any] | None = None, now: int = T0, **more: Any) -> None:
        config = {"store": {"path": folder, "ballast_mib": 0}, "stations": [STATION], "alerts": alerts or {}} | more
        self.settings = Settings.model_validate(config, context={"base": folder, "check_files": False})
        self.folder, self.now = folder, now
        self.seq = 0
        self.published: dict[str, bytes] = {}
        self.ourselves = Ourselves()
        self.woken = threading.Event()  # the intake thread, where there is one
        self.open()

    def open(self) -> None:
        self.store = SqliteStore(self.folder, self.now, ballast_mib=0)
        live = build(self.settings, self.settings.stations, Openings(self.settings), self.now)
        self.pipeline = Pipeline(live)
        self.memory = Memory(live)
        restore(self.pipeline, self.store, self.now)
        self.said: list[AlertEvent] = []
        self.alerting = Alerting(
            self.settings, live, self.store, gateway="gateway", write=at_once(self.store, live.mishaps),
            wake=self.woken.set, publish=self.published.__setitem__, healthy=lambda: True, now=lambda: self.now,
        )  # fmt: skip
        self.alerting.dispatch.listeners.append(self.said.append)
        self.alerting.begin(self.now)

    def restart(self, *, clean: bool = True) -> None:
        if clean:
            for part in range(len(self.memory.parts)):
                self.store.checkpoint(part, self.number, self.memory.dump(part, self.now))
        self.close()
        self.open()

    def close(self) -> None:
        self.alerting.stop()
        self.store.close()

    def send(self, device: str, topic: str = "state", *, follow: bool = True, **signals: Any) -> None:
        self.seq += 1
        payload = json.dumps({"boot": "b1", "seq": self.seq, **signals}).encode()
        self.pipeline.handle(Message(f"yz/yanshan/{device}/{topic}".encode(), payload, self.now), self.now)
        self.commit(follow=follow)

    def commit(self, *, follow: bool = True) -> None:
        self.pipeline.tick(self.now)
        outcome = self.pipeline.take()
        self.number = self.store.commit(outcome.batch, outcome.changes, outcome.rejected, self.now)
        if follow:
            self.alerting.follow(outcome, self.number, self.now)
            self.alerting.tick(self.now, self.ourselves)

    def wait(self, seconds: int, *, step_s: int = 1) -> None:
        for _ in range(0, seconds, step_s):
            self.now += step_s * 1000
            self.commit()

    def ask(self, act: Act) -> list[AlertEvent]:
        future = self.alerting.desk.ask(act)
        self.alerting.tick(self.now, self.ourselves)
        return future.result(timeout=0)

    def lines(self) -> list[str]:
        return [f"{event.alert.kind} {event.alert.subject} {event.action}" for event in self.said]
