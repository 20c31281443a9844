"""Some weeks of a station, lived by the real core: seats, a room, metered chargers, a door, and what goes wrong."""

import asyncio
import atexit
import json
import random
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from prometheus_client import CollectorRegistry

from api.app import App, create_app
from api.live_view import LiveView
from config.schema import Settings
from gateway.alerts.words import Alert, AlertEvent, AlertState
from gateway.base.local_time import DAY_MS, HOUR_MS, local_of
from gateway.core.pipeline import Pipeline
from gateway.core.plan import build
from gateway.model import Millis
from gateway.policy.hours import Openings
from gateway.runtime.parts import rollups_of
from gateway.runtime.status import Status
from gateway.store.jobs import KeepAlerts, KeepOpenings
from gateway.store.reader import SqliteReader
from gateway.store.sqlite import SqliteStore

ZONE = ZoneInfo("Asia/Shanghai")
MINUTE = 60_000
STEP = 10 * MINUTE
START = 1_793_462_400_000  # 2026-11-01T00:00+08:00
SILENT = range(START + 2 * DAY_MS + 9 * HOUR_MS, START + 2 * DAY_MS + 15 * HOUR_MS)  # nobody hears anything
BROKEN = range(START + 4 * DAY_MS + 8 * HOUR_MS, START + 4 * DAY_MS + 20 * HOUR_MS)  # pile-02 is out of order
RESET = START + 5 * DAY_MS + 12 * HOUR_MS  # pile-01 gets another meter
BUSY = (0, 0, 0, 0, 0, 0, 1, 3, 5, 5, 4, 6, 9, 8, 4, 3, 3, 5, 7, 6, 4, 3, 1, 0)  # of ten, by local hour

TTL = 1800
AREAS: list[dict[str, Any]] = [
    {
        "id": "lounge",
        "name": {"zh": "休息区", "en": "Lounge"},
        "resources": [{"id": f"seat-{n:02}", "kind": "seat", "ttl": TTL} for n in range(1, 7)]
        + [{"id": "door-main", "kind": "door", "ttl": TTL, "name": {"zh": "正门", "en": "Main door"}}],
    },
    {
        "id": "dance",
        "name": {"zh": "舞蹈室", "en": "Dance room"},
        "resources": [{"id": "room", "kind": "room", "ttl": TTL}],
    },
    {
        "id": "yard",
        "name": {"zh": "院子", "en": "Yard"},
        "resources": [{"id": f"pile-{n:02}", "kind": "charger", "type": "ebike", "ttl": TTL} for n in (1, 2)],
    },
]
CONFIG: dict[str, Any] = {
    "stations": [
        {
            "id": "yanshan",
            "name": {"zh": "雁山社区爱心驿站", "en": "Yanshan rest station"},
            "region": ["广东", "江门", "鹤山"],
            "hours": "06:30-22:30",
            "areas": AREAS,
        },
        {
            "id": "shaping",
            "name": {"zh": "沙坪驿站"},
            "region": ["广东", "江门"],
            "hours": "24/7",
            "areas": [{"id": "hall", "resources": [{"id": "seat-01", "kind": "seat", "ttl": TTL}]}],
        },
        {
            "id": "club",
            "region": ["广东", "佛山"],
            "hours": "24/7",
            "areas": [{"id": "hall", "resources": [{"id": "room", "kind": "room"}]}],
        },
        {"id": "abroad", "region": ["Berlin"], "timezone": "Europe/Berlin", "areas": []},
    ]
}


def settings_in(folder: Path) -> Settings:
    return Settings.model_validate(CONFIG | {"store": {"path": folder}}, context={"base": folder, "check_files": False})


class Pile:
    """A charging point: its counter, and until when somebody charges."""

    def __init__(self, name: str) -> None:
        self.name, self.counter, self.until = name, 120_000.0, 0

    def says(self, at: Millis, rng: random.Random, busy: int) -> dict[str, object]:
        if at >= self.until and rng.random() < busy / 30:
            self.until = at + rng.randint(3, 15) * STEP
        charging = at < self.until
        self.counter += rng.randint(60, 90) if charging else 0
        if self.name == "pile-01" and RESET <= at < RESET + STEP:
            self.counter = 0.0
        return {"status": "Charging" if charging else "Available", "energy_wh": self.counter}


def said(start: Millis, end: Millis) -> Iterator[tuple[Millis, str, Mapping[str, object]]]:
    """(when, topic, payload) of everything that the devices say."""
    rng = random.Random(7)
    piles = {name: Pile(name) for name in ("pile-01", "pile-02")}
    taken: dict[str, Millis] = {}
    number = 0
    for at in range(start, end, STEP):
        local = local_of(at, ZONE)
        busy = BUSY[local.hour] + (2 if local.weekday() >= 5 else 0)
        messages: list[tuple[str, dict[str, object]]] = []
        for seat in [f"yanshan/seat-{n:02}" for n in range(1, 7)] + ["shaping/seat-01"]:
            if at >= taken.get(seat, 0) and rng.random() < busy / 20:
                taken[seat] = at + rng.randint(1, 7) * STEP
            messages.append((f"{seat}/state", {"occupied": at < taken.get(seat, 0)}))
        messages.append(("yanshan/room/state", {"people": busy * 2 if local.hour in (9, 10, 19, 20) else 0}))
        messages.append(("yanshan/door-main/state", {"open": False}))
        for pile, charger in piles.items():
            says = charger.says(at, rng, busy)
            messages.append(
                (f"yanshan/{pile}/state", {"status": "Faulted"} if pile == "pile-02" and at in BROKEN else says)
            )
        messages += [
            ("yanshan/door-main/event", {"type": "card", "granted": True}) for _ in range(rng.randint(0, busy // 2))
        ]
        for topic, payload in messages:
            number += 1
            if at not in SILENT or topic.startswith("shaping"):
                yield at, f"yz/{topic}", {"ts": at, "boot": "b", "seq": number, **payload}


def live(folder: Path, days: int) -> Millis:
    """Fill a store, roll it up, and return when that was. A process lives the same days once, and copies them then."""
    shutil.copytree(_lived(START, days), folder, dirs_exist_ok=True)
    return START + days * DAY_MS


@cache
def _lived(start: Millis, days: int) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="yizhan-month-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _fill(folder, start + days * DAY_MS)
    return folder


def _fill(folder: Path, end: Millis) -> None:
    settings = settings_in(folder)
    pipeline = Pipeline(build(settings, settings.stations, Openings(settings), START))
    store = SqliteStore(folder, START, profile="sd_card", ballast_mib=0)
    committed = START
    for at, topic, payload in said(START, end):
        while (deadline := pipeline.live.next_deadline()) is not None and deadline <= at:
            pipeline.tick(deadline)
        pipeline.handle_all([(topic.encode(), json.dumps(payload).encode(), 0)], at)
        if at - committed > HOUR_MS:
            outcome, committed = pipeline.take(), at
            store.commit(outcome.batch, outcome.changes, (), at)
            store.write([KeepOpenings(outcome.openings)])
    outcome = pipeline.take()
    store.commit(outcome.batch, outcome.changes, (), end)
    store.write([KeepOpenings(outcome.openings)])
    _alerts(store)
    rollups = rollups_of(settings, settings.stations, pipeline.live, folder, reader := SqliteReader(folder), end)
    while rollups.tidy(end):
        pass
    for part in (rollups, reader, store):
        part.close()


def _alerts(store: SqliteStore) -> None:
    for alert_id, resource, kind, begin, end in (
        ("a1", "pile-02", "charger_fault", BROKEN.start, BROKEN.stop),
        ("a2", "seat-03", "device_silent", SILENT.start, SILENT.stop),
        ("a3", "door-main", "door_held", START + 6 * DAY_MS, None),
    ):
        state: AlertState = "open" if end is None else "closed"
        alert = Alert(
            alert_id, "yanshan", resource, resource, kind, "warning", state, begin, begin, end or begin, "E07"
        )
        store.write([KeepAlerts([AlertEvent(alert, begin, "opened")])])


class Client:
    """Asks the whole application without a socket."""

    def __init__(self, folder: Path, now: Millis) -> None:
        settings = settings_in(folder)
        self.app: App = create_app(
            LiveView(settings.stations, lambda: now),
            lambda: SqliteReader(folder),
            settings,
            lambda: Status(connected=True, subscribed=True, store_ok=True, troubles=(), started_at=now),
            registry=CollectorRegistry(),
            now=lambda: now,
        )
        self.now = now

    def get(self, path: str, **more: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://yz.local") as client:
                return await client.get(path, **more)

        return asyncio.run(ask())

    def key(self, *stations: str) -> dict[str, str]:
        token = self.app.context.keyring.create("tester", "viewer", self.now, stations=stations)
        return {"authorization": f"Bearer {token}"}
