"""Faults injected into a simulated town: which are told, which are missed, what is told for nothing, and how soon.

    python -m tests.benchmarks.alert_week [DAYS] [FAULTS]

The emulator's devices speak; faults are put over what they say, or are its own. The real pipeline, alert side, store
and post office follow on a virtual clock, with a provider that takes everything at once.
"""

import json
import random
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

from config.schema import Settings
from firmware_bridge.emulator.configured import town_of
from firmware_bridge.emulator.device import Publish
from firmware_bridge.emulator.faults import Misbehaviour as TownFault
from gateway.alerting import Alerting, Ourselves
from gateway.alerts.words import Alert, AlertEvent
from gateway.core.pipeline import Pipeline
from gateway.core.plan import build
from gateway.model import Millis
from gateway.notify.base import StaffMessage
from gateway.notify.post import Outlet, Post
from gateway.policy.hours import Openings
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.writing import at_once

START = 1_795_219_200_000  # 2026-11-21T00:00:00Z
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
STATIONS = 3
MARGIN_MS = 45 * MINUTE
TTL_MS = 180_000
# What is injected, how often among a thousand, and the kind of alert it must raise: None for none at all.
MIX: dict[str, tuple[int, str | None]] = {
    "silence": (150, "device_silent"),
    "offline": (150, "device_silent"),
    "garbage": (50, "device_silent"),
    "wrong_type": (50, "device_silent"),
    "charger_fault": (150, "charger_fault"),
    "ghost_power": (60, "power_without_session"),
    "dead_session": (40, "session_without_power"),
    "aed_not_ready": (60, "safety_not_ready"),
    "door_forced": (60, "door_forced"),
    "door_held": (40, "door_held"),
    "clock_years_off": (40, "clock_skew"),
    "site_silent": (30, "station_offline"),
    "site_wills": (30, "station_offline"),
    "broker_lost": (10, "broker_lost"),
    "blip": (40, None),
    "duplicates": (20, None),
    "reboot": (20, None),
}
OWN = ("silence", "garbage", "wrong_type", "duplicates", "reboot", "offline")
WHOLE_SITE = ("site_silent", "site_wills")


@dataclass
class Injected:
    kind: str
    station: str
    device: str
    begins: Millis
    ends: Millis
    opened_at: Millis | None = None
    told_at: Millis | None = None
    register_wh: float | None = None  # where the energy register stood when no more power came

    def hold_register(self, said: dict[str, Any]) -> None:
        """Without power no energy is counted."""
        if "energy_wh" in said:
            self.register_wh = said["energy_wh"] if self.register_wh is None else self.register_wh
            said["energy_wh"] = self.register_wh

    @property
    def expected(self) -> str | None:
        return MIX[self.kind][1]

    def explains(self, alert: Alert) -> bool:
        """The alert that this fault must raise, the first of its kind, in its time."""
        in_time = self.begins <= alert.opened_at <= self.ends + TTL_MS + 5 * MINUTE
        here = alert.station in (self.station, None) and alert.subject == self.subject
        return here and in_time and alert.kind == self.expected and self.opened_at is None

    @property
    def subject(self) -> str:
        if self.kind == "broker_lost":
            return "gateway"
        return self.station if self.kind in WHOLE_SITE else self.device


@dataclass
class Result:
    faults: list[Injected]
    false_alarms: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    notifications: int = 0

    def table(self) -> Iterator[str]:
        yield f"{'fault':16}{'alert':24}{'injected':>9}{'told':>6}{'recall':>8}{'p50 s':>8}{'p99 s':>8}"
        for kind, (_, expected) in MIX.items():
            mine = [fault for fault in self.faults if fault.kind == kind]
            told = [(fault.told_at - fault.begins) / 1000 for fault in mine if fault.told_at is not None]
            recall = f"{len(told) / len(mine):.3f}" if mine and expected else "-"
            p50, p99 = percentiles(told)
            yield f"{kind:16}{expected or 'none':24}{len(mine):9}{len(told):6}{recall:>8}{p50:>8}{p99:>8}"
        yield f"false alarms: {dict(self.false_alarms) or 'none'}"
        yield f"{self.messages} messages from devices, {self.notifications} notifications to staff"


def percentiles(values: list[float]) -> tuple[str, str]:
    if len(values) < 2:
        return ("-", "-") if not values else (f"{values[0]:.0f}",) * 2
    cuts = quantiles(values, n=100, method="inclusive")
    return f"{cuts[49]:.0f}", f"{cuts[98]:.0f}"


def settings_in(folder: Path) -> Settings:
    resources: list[dict[str, Any]] = [{"id": f"seat-{number:02}", "kind": "seat"} for number in range(1, 9)]
    resources += [{"id": f"pile-{number:02}", "kind": "charger", "type": "ebike"} for number in range(1, 6)]
    resources += [{"id": f"phone-{number:02}", "kind": "charger", "type": "phone"} for number in range(1, 4)]
    resources += [
        {"id": "door", "kind": "door", "features": ["reader"]},
        {"id": "aed", "kind": "safety", "type": "aed"},
    ]
    for resource in resources:
        resource["ttl"] = TTL_MS // 1000
    stations = [
        {
            "id": f"site-{number}",
            "name": {"zh": f"站{number}"},
            "hours": "24/7",
            "areas": [{"id": "a", "resources": resources}],
        }
        for number in range(1, STATIONS + 1)
    ]
    hook = {"id": "hook", "kind": "webhook", "url": "http://127.0.0.1:9/x", "cap_per_hour": 1_000_000}
    config = {
        "store": {"path": folder},
        "stations": stations,
        "alerts": {"channels": [hook], "routes": [{"channels": ["hook"]}]},
    }
    return Settings.model_validate(config, context={"base": folder, "check_files": False})


def planned(count: int, span: Millis, rng: random.Random) -> list[Injected]:
    """Faults that do not overlap on a device, each 10 to 30 minutes (a blip some seconds)."""
    busy: dict[tuple[str, str], list[tuple[Millis, Millis]]] = defaultdict(list)
    faults: list[Injected] = []
    total = sum(number for number, _ in MIX.values())
    order = sorted(MIX, key=lambda kind: kind not in (*WHOLE_SITE, "broker_lost"))  # the widest first
    for kind in order:
        for _ in range(max(1, round(MIX[kind][0] * count / total))):
            faults.append(_placed(kind, span, rng, busy))
    return sorted(faults, key=lambda fault: fault.begins)


def _placed(kind: str, span: Millis, rng: random.Random, busy: dict[Any, list[tuple[Millis, Millis]]]) -> Injected:
    for _ in range(10_000):
        station = f"site-{rng.randrange(1, STATIONS + 1)}"
        device = _device_for(kind, rng)
        begins = START + 30 * MINUTE + rng.randrange(span - 2 * HOUR)
        ends = begins + (rng.randrange(2_000, 8_000) if kind in ("blip", "reboot") else rng.randrange(10, 30) * MINUTE)
        where = [(station, device), (station, ""), ("", "")]
        if kind in WHOLE_SITE:
            where = [key for key in busy if key[0] in (station, "")] + [(station, "")]
        elif kind == "broker_lost":
            where = [*busy, ("", "")]
        if all(ends + MARGIN_MS < start or end + MARGIN_MS < begins for key in where for start, end in busy[key]):
            busy[{"broker_lost": ("", "")}.get(kind, (station, "" if kind in WHOLE_SITE else device))].append(
                (begins, ends)
            )
            return Injected(kind, station, device, begins, ends)
    raise ValueError(f"no room for another {kind}: give it more days")


def _device_for(kind: str, rng: random.Random) -> str:
    if kind in ("charger_fault", "ghost_power", "dead_session"):
        return f"pile-{rng.randrange(1, 6):02}"
    if kind.startswith(("aed", "door")):
        return kind.partition("_")[0]
    return rng.choice(
        [f"seat-{rng.randrange(1, 9):02}", f"pile-{rng.randrange(1, 6):02}", f"phone-{rng.randrange(1, 4):02}"]
    )


class Week:
    """One run. `step` is one second."""

    def __init__(self, folder: Path, faults: list[Injected], seed: int) -> None:
        self.now = START
        self.settings = settings_in(folder)
        self.town = town_of(self.settings, START, seed=seed)
        self.store = SqliteStore(folder, START, profile="sd_card", ballast_mib=0)
        live = build(self.settings, self.settings.stations, Openings(self.settings), START)
        self.pipeline = Pipeline(live)
        self.alerting = Alerting(
            self.settings, live, self.store, gateway="gateway", write=at_once(self.store), wake=lambda: None,
            publish=lambda _topic, _payload: None, healthy=lambda: True, now=lambda: self.now,
        )  # fmt: skip
        self.alerting.dispatch.listeners.append(self._opened)
        self.alerting.begin(START)
        dispatch, outlets = self.alerting.dispatch, {"hook": Outlet("hook", self, cap_per_hour=1_000_000)}
        self.post = Post(dispatch._outbox, dispatch._record, outlets, dispatch._places, lambda: self.now)
        self.result = Result(faults)
        self.waiting = list(faults)
        self.active: list[Injected] = []
        self.by_alert: dict[str, Injected] = {}
        self.unsent = False

    def send(self, message: StaffMessage) -> None:
        self.result.notifications += 1
        fault = self.by_alert.get(message.alerts[0].id)
        if fault is not None and fault.told_at is None:
            fault.told_at = self.now

    def _opened(self, event: AlertEvent) -> None:
        self.unsent = True
        alert = event.alert
        if event.action != "opened":
            return
        if alert.kind in ("door_forced", "help"):  # somebody looked; staff close what only staff can judge
            self.alerting.desk.ask(lambda core, now: (core.desk.close(alert.id, "staff", now), [], []))
        fits = [fault for fault in self.result.faults if fault.explains(alert)]
        if fits:
            fits[0].opened_at = alert.opened_at
            self.by_alert[alert.id] = fits[0]
        elif not self._true(alert):
            self.result.false_alarms[alert.kind] += 1

    def _true(self, alert: Alert) -> bool:
        """Also so in the town, or a second alert for a fault: an AED taken out, a device that sends only garbage."""
        if alert.kind == "safety_not_ready":
            return self.town.truth()[alert.station or "", "aed"].use == "occupied"
        garbled = [fault for fault in self.result.faults if fault.kind in ("garbage", "wrong_type")]
        return alert.kind == "quarantine_rate" and any(fault.begins < self.now < fault.ends + HOUR for fault in garbled)

    def run(self, end: Millis) -> Result:
        while self.now < end:
            self.now += 1000
            self._begin_and_end()
            self._speak()
            self.pipeline.tick(self.now)
            outcome = self.pipeline.take()
            self.alerting.follow(outcome, 0, self.now)
            lost = any(fault.kind == "broker_lost" for fault in self.active)
            self.alerting.tick(self.now, Ourselves(broker="connection refused" if lost else None))
            if self.unsent:
                self.unsent = False
                self.post.run()
        self.alerting.stop()
        self.store.close()
        return self.result

    def _begin_and_end(self) -> None:
        while self.waiting and self.waiting[0].begins <= self.now:
            fault = self.waiting.pop(0)
            if fault.kind in OWN:
                self.town.inject(TownFault(fault.kind, fault.station, fault.device, fault.begins, fault.ends))
                continue
            self.active.append(fault)
            if fault.kind == "site_wills":
                self._wills(fault.station, "offline")
            elif fault.kind == "blip":
                self._frame(f"yz/{fault.station}/{fault.device}/availability", b"offline")
            elif fault.kind == "door_forced":
                self._frame(f"yz/{fault.station}/door/event", b'{"type":"door_forced"}')
        for fault in [fault for fault in self.active if fault.ends <= self.now]:
            self.active.remove(fault)
            if fault.kind == "site_wills":
                self._wills(fault.station, "online")
            elif fault.kind == "blip":
                self._frame(f"yz/{fault.station}/{fault.device}/availability", b"online")

    def _wills(self, station: str, word: str) -> None:
        for name, device in self.town.devices:
            if name == station:
                self._frame(f"yz/{name}/{device}/availability", word.encode())

    def _frame(self, topic: str, payload: bytes) -> None:
        self.result.messages += 1
        self.pipeline.handle_all([(topic.encode(), payload, 0)], self.now)

    def _speak(self) -> None:
        frames = [self._overlaid(message) for message in self.town.step(self.now)]
        kept = [frame for frame in frames if frame is not None]
        self.result.messages += len(kept)
        if kept:
            self.pipeline.handle_all(kept, self.now)

    def _overlaid(self, message: Publish) -> tuple[bytes, bytes, int] | None:
        payload = message.payload
        for fault in self.active:
            if fault.kind == "broker_lost" or (fault.kind in WHOLE_SITE and fault.station == message.station):
                return None
            if (fault.station, fault.device) == (message.station, message.device) and message.topic.endswith("/state"):
                payload = _worse(payload, fault)
        return message.topic.encode(), payload, 0


def _worse(payload: bytes, fault: Injected) -> bytes:
    said = json.loads(payload)
    if fault.kind == "dead_session":
        fault.hold_register(said)
    said |= {
        "charger_fault": {"status": "Faulted", "error": "GroundFailure", "power_w": 0},
        "ghost_power": {"status": "Available", "power_w": 800},
        "dead_session": {"status": "Charging", "power_w": 0},
        "aed_not_ready": {"ready": False},
        "door_held": {"open": True},
        "clock_years_off": {"ts": START - 400 * DAY},
    }.get(fault.kind, {})
    return json.dumps(said).encode()


def run(days: float, faults: int, seed: int = 1) -> Result:
    span = int(days * DAY)
    with tempfile.TemporaryDirectory() as folder:
        plan = planned(faults, span, random.Random(seed))
        return Week(Path(folder), plan, seed).run(START + span + HOUR)


if __name__ == "__main__":
    days, faults = (float(value) for value in (*sys.argv[1:], *("7", "1000")[len(sys.argv) - 1 :]))
    print("\n".join(run(days, int(faults)).table()))
