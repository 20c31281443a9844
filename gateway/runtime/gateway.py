"""The gateway put together: what starts before what, and what ends after what."""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from config.load import collector_paused
from config.schema import Settings
from config.schema import Station as StationSettings
from gateway.alerting import Alerting
from gateway.broker import EmbeddedBroker
from gateway.clock import monotonic_s, now_ms
from gateway.hours import Openings
from gateway.live import Live
from gateway.live.places import utc
from gateway.model import Document, Millis
from gateway.mqtt import Session, Will
from gateway.mqtt.configured import broker_of
from gateway.pipeline import Pipeline
from gateway.plan import build, foreign
from gateway.runtime.announcer import Announcer
from gateway.runtime.calendars import CalendarThread
from gateway.runtime.forecasts import Forecasts
from gateway.runtime.intake import Intake, Limits
from gateway.runtime.memory import Memory
from gateway.runtime.ship import Ship, ship_of
from gateway.runtime.status import Metrics, Status
from gateway.runtime.writer import Writer
from gateway.store.cards import CardRetention
from gateway.store.day import DAY_MS, HOUR_MS
from gateway.store.reader import SqliteReader
from gateway.store.rollups import Place, Rollups
from gateway.store.sqlite import SYNCHRONOUS, SqliteStore, day_files, number_of

log = logging.getLogger(__name__)

STOP_S = 4.5
COPY_GIVES_WAY = 1000  # messages received and not yet durable
VERSION = version("yizhan")


class Gateway:
    """Use: `start()`, watch `dead`, `stop()`. One for each process; `share` (i, n) takes its part of the stations."""

    @collector_paused()
    def __init__(self, settings: Settings, *, share: tuple[int, int] | None = None) -> None:
        self.settings = settings
        self.id = settings.gateway.id + (f"-{share[0]}of{share[1]}" if share else "")
        self.started_at = now_ms()
        self._broker = EmbeddedBroker.of(settings)
        stations = list(settings.stations if share is None else mine(settings.stations, share))
        folder = settings.store.path / self.id if share else settings.store.path
        self.store = SqliteStore(
            folder,
            self.started_at,
            profile=settings.store.profile,
            keep_days=settings.store.retention.raw_days,
            ballast_mib=settings.store.ballast_mib,
            quarantine_rows=settings.gateway.quarantine_max_messages,
            quarantine_mib=settings.gateway.quarantine_max_mib,
            quarantine_days=settings.store.retention.quarantine_days,
        )
        live = build(settings, stations, Openings(settings), self.started_at)
        self.pipeline = Pipeline(live, foreign(settings, live))
        begin = monotonic_s()
        replayed = Memory.restore(self.pipeline, self.store, now_ms())
        log.info(
            "%d stations, %d devices; %d messages replayed in %.2f s",
            len(live.stations), len(live.devices), replayed, monotonic_s() - begin,
        )  # fmt: skip
        memory = Memory(live)
        if self.store.kept("layout") != memory.layout:
            # Devices moved between parts: keep all at once, or a crash could find one in neither.
            parts = range(len(memory.parts))
            self.store.checkpoint_all([(part, memory.dump(part)) for part in parts], self.store.last_id)
            self.store.drop_parts(len(parts))
            self.store.keep("layout", memory.layout)
        topic, payload = self._report("offline")
        filters = ["yz/#", "yz-cmd/#"]
        if share is not None:
            filters = [f"{root}/{station.id}/#" for root in ("yz", "yz-cmd") for station in stations]
        filters += sorted(self.pipeline.foreign.filters)
        self.session = Session(
            broker_of(settings),
            f"{settings.client_id}" + (f"-{share[0]}of{share[1]}" if share else ""),
            filters=filters,
            will=Will(topic, payload),
            expiry_s=settings.mqtt.session_expiry_s,
            keepalive_s=settings.mqtt.keepalive_s,
            receive_maximum=settings.mqtt.receive_maximum,
            reconnect_max_s=settings.mqtt.reconnect_max_s,
            fast=settings.mqtt.fast == "auto",
        )
        self.writer = Writer(self.store, self.session.wake)
        self._reader = SqliteReader(folder)
        self._rollups = Rollups(
            folder, [place_of(settings, one) for one in stations], self._reader, first_of(folder, self.started_at),
            synchronous=SYNCHRONOUS[settings.store.profile], keep_days=settings.store.retention.rollups_days,
        )  # fmt: skip
        cards = CardRetention(self.store, settings.store.retention.door_events_days)
        forecasts = Forecasts(live, self._reader, {one.id: settings.zone_of(one) for one in stations})
        self.writer.chores += [self._rollups.tidy, cards.tidy, forecasts.tidy]
        announcer = self._announcer()
        if announcer is not None:
            self.session.subscribe(announcer.filters)
        self.alerting = Alerting(
            settings,
            live,
            self.store,
            gateway=self.id,
            call=self.writer.call,
            wake=self.session.wake,
            publish=self._retain,
            healthy=lambda: self.status().ready,
            now=now_ms,
        )
        self.pipeline.on_staff = self.alerting.command
        self.intake = Intake(
            self.session, self.pipeline, self.writer, memory, self.alerting, _limits(settings), self._report
        )
        self.intake.announcer = announcer
        if announcer is not None:
            self.intake.listeners.append(announcer.documents)
        self.calendars = CalendarThread(settings, stations, self.intake.programme)
        self.ship = self._ship(live)

    def _ship(self, live: Live) -> Ship | None:
        influx = self.settings.store.influx
        if influx is None:
            return None
        return ship_of(
            influx,
            self.store,
            [facts.resource for station in live.stations.values() for facts in station.facts()],
            call=self.writer.call,
            busy=lambda: self.intake.backlog > COPY_GIVES_WAY,
            stored=lambda: self.intake.stored,
        )

    def _announcer(self) -> Announcer | None:
        wanted = self.settings.homeassistant
        return Announcer(self.pipeline.live, self.id, wanted.prefix, self._retain) if wanted.announce else None

    # ---- life ----

    def start(self) -> None:
        """OSError or RuntimeError when the embedded broker can't have its port."""
        if self._broker is not None:
            self._broker.start()
        self.alerting.begin(now_ms())
        self.writer.start()
        if self.ship is not None:
            self.ship.start()
        self.alerting.start()
        self.intake.start()
        if self.calendars.wanted:
            self.calendars.start()

    @property
    def dead(self) -> str | None:
        """The name of a thread or child that ended without being told to; None while all is well."""
        for thread in (self.intake, self.writer, self.ship, self.calendars):
            if thread is not None and thread.ident is not None and not thread.is_alive():
                return thread.name
        if self._broker is not None and not self._broker.running:
            return "embedded broker"
        return self.alerting.dead

    def stop(self) -> bool:
        """Store and acknowledge what came, then end everything. False if something did not end in time."""
        clean, dead = True, self.dead
        self.calendars.end()
        self.intake.end()
        if self.intake.ident is not None:
            self.intake.join(STOP_S)
            clean = not self.intake.is_alive()
        clean = self.alerting.stop() and clean
        if self.ship is not None and self.ship.ident is not None:
            self.ship.end(0.5)
        if self.writer.ident is not None:
            clean = self.writer.end(1.0) and clean
        if clean:
            for one in (self._rollups, self._reader, self.store):
                one.close()
        if self._broker is not None:
            self._broker.stop()
        if not clean:
            log.error("still running after %.1f s: %s", STOP_S, [one.name for one in threading.enumerate()])
        if dead is not None:
            log.critical("%s had ended unexpectedly", dead)  # the last line names what to look for
        return clean

    def listen(self, listener: Callable[[Sequence[Document]], None]) -> None:
        """Have `listener` called with every document made, on the intake thread."""
        self.intake.listeners.append(listener)

    def command(self, topic: str, payload: bytes) -> None:
        """Carry out what staff of this process change, as if it came on `yz-cmd/…`. Any thread may call it."""
        self.intake.command(topic, payload)

    # ---- telling how it is ----

    def status(self) -> Status:
        copy = self.ship.trouble if self.ship is not None else None
        troubles = [text for text in (self.session.trouble, self.writer.trouble, copy, self.dead) if text]
        if self.session.takeover_suspected:
            troubles.append(f"another gateway seems to use the client id {self.session.client_id}")
        return Status(
            self.session.connected, self.session.subscribed, self.writer.trouble is None, tuple(troubles),
            self.started_at,
        )  # fmt: skip

    def metrics(self) -> Metrics:
        counters, intake = self.pipeline.counters, self.intake
        return Metrics(
            received=counters["received"],
            stored=intake.stored,
            duplicate=counters["duplicate"],
            late=counters["late"],
            ignored_fields=counters["ignored_fields"],
            unknown_status=counters["unknown_status"],
            quarantined=dict(self.pipeline.quarantined),
            backlog=intake.backlog,
            commits=intake.commits.cumulative(),
            commit_seconds=intake.commits.total_s,
            connected=self.session.connected,
            reconnects=self.session.reconnects,
            session_gaps=self.session.gaps,
            documents=intake.documents,
            alerts_open=len(self.alerting.core.open_alerts()),
            copy=self.ship.metrics() if self.ship is not None else None,
        )

    def _retain(self, topic: str, payload: bytes) -> None:
        self.session.publish(topic, payload, retain=True)

    def _report(self, state: str) -> tuple[str, bytes]:
        """What we retain about ourselves on `yz-sys/{gateway}`; with state `offline` it is our last will."""
        body: dict[str, Any] = {"gateway": self.id, "version": VERSION, "state": state, "since": utc(self.started_at)}
        if state == "online":
            counters = self.pipeline.counters
            body["at"] = utc(now_ms())
            body["counters"] = {
                "received": counters["received"], "stored": self.intake.stored, "duplicate": counters["duplicate"],
                "quarantined": self.pipeline.quarantined.total(),
            }  # fmt: skip
        return f"yz-sys/{self.id}", msgspec.json.encode(body)


def place_of(settings: Settings, station: StationSettings) -> Place:
    """A station as the roll-ups see it."""
    areas = {area.id: [one.id for one in area.resources] for area in station.areas}
    return Place(station.id, settings.zone_of(station), areas)


def first_of(folder: Path, now: Millis) -> Millis:
    """Where roll-ups begin: with the first day of the journal, or now."""
    days = day_files(folder)
    return number_of(days[0]) * DAY_MS if days else now // HOUR_MS * HOUR_MS


def mine(stations: Iterable[StationSettings], share: tuple[int, int]) -> Iterable[StationSettings]:
    """The stations of shard i of n (1 ≤ i ≤ n) by rendezvous hashing: a changed n moves as few as possible."""
    index, shards = share
    for station in stations:
        if max(range(1, shards + 1), key=lambda shard: _weight(station.id, shard)) == index:
            yield station


def _weight(station: str, shard: int) -> int:
    from hashlib import blake2b

    return int.from_bytes(blake2b(f"{shard}/{station}".encode(), digest_size=8).digest(), "big")


def _limits(settings: Settings) -> Limits:
    gateway = settings.gateway
    return Limits(
        inbox_messages=gateway.inbox_max_messages,
        inbox_bytes=gateway.inbox_max_mib << 20,
        document_interval_s=gateway.document_interval_ms / 1000,
        ack_interval_s=gateway.ack_interval_s,
        snapshot_interval_s=gateway.snapshot_interval_s,
        restart_grace_ms=round(gateway.restart_grace_s * 1000),
    )
