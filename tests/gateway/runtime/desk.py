"""The real intake with its alert side and store, turned by hand: no thread, no broker, a clock that the test moves."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from config.schema import Settings
from gateway.alerting import Alerting
from gateway.core import plan
from gateway.core.pipeline import Pipeline
from gateway.homeassistant.announcer import Announcer
from gateway.model import Millis
from gateway.mqtt.reader import Arrivals, Frame
from gateway.policy.hours import Openings
from gateway.runtime import committing, documents, intake
from gateway.runtime.intake import Intake
from gateway.runtime.limits import IntakeLimits
from gateway.runtime.memory import Memory
from gateway.runtime.restoring import restore
from gateway.runtime.starts import Starts
from gateway.runtime.writer import Commit, Writer, _Write
from gateway.store.jobs import Done, Job
from gateway.store.sqlite import SqliteStore

NOON = 1_795_226_400_000  # 2026-11-21 10:00 in Shanghai

FEW = 4
"""Messages that come where little is asked for."""


class Broker:
    """A session as the intake sees it; what is published with `retain` stands in `retained`."""

    connected = subscribed = True
    epoch = 1
    trouble = None
    takeover_suspected = held = False
    client_id = "gateway"

    def __init__(self) -> None:
        self.coming: list[Frame] = []
        self.retained: dict[str, bytes] = {}
        self.acknowledged: list[int] = []
        self.on_connect: Callable[[bool], None] = lambda _: None
        self._mid = 0

    def poll(self, _timeout_s: float, *, reading: bool = True, little: bool = False) -> Arrivals | None:
        at_once = (FEW if little else len(self.coming)) if reading else 0
        frames, self.coming = self.coming[:at_once], self.coming[at_once:]
        if not frames:
            return None
        first = self._mid + 1
        self._mid += len(frames)
        return Arrivals(frames, list(range(first, self._mid + 1)), self.epoch)

    def ack(self, _epoch: int, mids: Iterable[int]) -> None:
        self.acknowledged += mids

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        if retain:
            self.retained[topic] = payload

    def publish_many(self, messages: Iterable[tuple[str, bytes]]) -> None:
        self.retained.update(messages)

    publish_latest = publish_many

    def subscribe(self, _filters: Iterable[str]) -> None:
        pass

    def wake(self) -> None:
        pass


class AtOnce(Writer):
    """Writes while it is asked to."""

    def put(self, job: Commit) -> None:
        self._commit(job)

    def write(self, jobs: Sequence[Job], done: Done | None = None, *, patient: bool = True) -> None:
        self._do(_Write(jobs, done, patient))


class Clock:
    def __init__(self, now: Millis) -> None:
        self.now = now

    def read(self) -> tuple[Millis, Millis]:
        return self.now, 0

    def peek(self) -> Millis:
        return self.now


class Desk:
    """`stations` and `more` as in the configuration. `turn` is one look at the socket."""

    def __init__(
        self, folder: Path, patch: pytest.MonkeyPatch, stations: list[dict[str, Any]], now: Millis = NOON, **more: Any
    ) -> None:
        config = {"store": {"path": folder, "ballast_mib": 0, "profile": "sd_card"}, "stations": stations, **more}
        self.settings = Settings.model_validate(config, context={"base": folder, "check_files": False})
        self.folder, self.clock, self.session = folder, Clock(now), Broker()
        for module in (intake, committing, documents):
            patch.setattr(module, "monotonic_s", lambda: self.clock.now / 1000)
        self.store = SqliteStore(folder, now, ballast_mib=0)
        self.live = plan.build(self.settings, self.settings.stations, Openings(self.settings), now)
        self.pipeline = Pipeline(self.live, plan.foreign(self.settings, self.live))
        self.memory = Memory(self.live)
        restore(self.pipeline, self.store, now)
        self.writer = AtOnce(self.store, lambda: None)
        self.alerting = Alerting(
            self.settings, self.live, self.store, gateway="gateway", write=self.writer.write, wake=lambda: None,
            publish=self._retain, healthy=lambda: True, now=lambda: self.clock.now,
        )  # fmt: skip
        self.intake = Intake(
            self.session, self.pipeline, self.writer, self.memory, self.alerting,  # type: ignore[arg-type]
            IntakeLimits(ack_interval_s=1.0), lambda state: ("yz-sys/gateway", state.encode()),
            Starts.begin(folder, "test", now),
        )  # fmt: skip
        self.intake._clock = self.clock  # type: ignore[assignment]
        if self.settings.homeassistant.announce:
            self.intake.announcer = announcer = Announcer(self.live, "gateway", "homeassistant", self._retain)
            self.intake.documents.listeners.append(announcer.documents)
        self._seq = dict.fromkeys(self.live.devices, 0)
        self.alerting.begin(now)
        self.session.on_connect(False)

    def _retain(self, topic: str, payload: bytes) -> None:
        self.session.publish(topic, payload, retain=True)

    def close(self) -> None:
        for part in range(len(self.memory.parts)):
            self.store.checkpoint(part, self.store.last_id, self.memory.dump(part, self.clock.now))
        self.alerting.stop()
        self.store.close()

    def hear(self, topic: str, body: bytes) -> None:
        self.session.coming.append((topic.encode(), body, 0))

    def say(self, station: str, device: str, which: str = "state", **said: Any) -> None:
        """A numbered message; it is read at the next turn."""
        self._seq[station, device] += 1
        body = {"boot": "b", "seq": self._seq[station, device], **said}
        self.hear(f"yz/{station}/{device}/{which}", json.dumps(body).encode())

    def turn(self, later_ms: Millis = 0) -> None:
        self.clock.now += later_ms
        self.intake._turn(0.0)

    def wait(self, ms: Millis, step_ms: Millis = 1_000) -> None:
        for _ in range(0, ms, step_ms):
            self.turn(step_ms)
