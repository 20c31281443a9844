"""The gateway put together: what starts before what, and what ends after what."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from zoneinfo import ZoneInfo

from config.building import building
from config.difference import Difference
from config.schema import Settings
from gateway.alerting import Alerting
from gateway.base.clock import monotonic_s, now_ms
from gateway.base.mishaps import Mishaps
from gateway.calendars.thread import CalendarThread
from gateway.commands import SeenNonces, sign
from gateway.homeassistant.announcer import Announcer
from gateway.influx.ship import Ship, ship_of
from gateway.live import Live
from gateway.live.booking import given_up
from gateway.live.station_document import Document
from gateway.mqtt import Will
from gateway.mqtt.embedded import EmbeddedBroker
from gateway.mqtt.parting import Parting
from gateway.policy.activities import Activity
from gateway.runtime.centre import CentreSide
from gateway.runtime.certificates import ShownCertificates
from gateway.runtime.chores import Chores
from gateway.runtime.intake import Intake
from gateway.runtime.other_shards import other_shards_of
from gateway.runtime.parts import (
    Share,
    command_key_of,
    companions_of,
    folder_of,
    limits_of,
    mine,
    replica_of,
    restored,
    session_of,
    store_of,
    suffix,
)
from gateway.runtime.relaying import StaffRelay
from gateway.runtime.reload import GatewayReload
from gateway.runtime.self_report import SelfReport
from gateway.runtime.sites import SiteKeeper
from gateway.runtime.starts import Starts
from gateway.runtime.writer import Writer

log = logging.getLogger(__name__)

STOP_S = 4.0
COPY_GIVES_WAY = 1000  # messages received and not yet durable
VERSION = version("yizhan")


class Gateway:
    """Use: `start()`, watch `dead`, `stop()`; `report` says meanwhile how it is.

    `share` (i, n) takes its part of the stations; for `ending` see `session_of`.
    """

    @building()
    def __init__(self, settings: Settings, *, share: Share | None = None, ending: Parting | None = None) -> None:
        self.settings = settings
        self.id = settings.gateway.id + suffix(share)
        self.started_at = now_ms()
        self.config_version: Callable[[], int | None] = lambda: None  # of the files, where there are any
        self._broker = EmbeddedBroker.of(settings)
        stations = mine(settings.stations, share)
        folder = folder_of(settings, share)
        self.replica = replica_of(settings, folder, self.id)
        self.store = store_of(settings, folder, self.started_at, self.replica)
        self.report = SelfReport(self, VERSION)
        self._starts = starts = Starts.begin(folder, VERSION, self.started_at)
        self.pipeline, self.memory = restored(settings, stations, self.store, self.started_at, starts)
        starts.tell(self.mishaps)
        will = Will(*self.report.told("offline"))
        self.session = session_of(settings, stations, share, self.pipeline.foreign.filters, will, ending, self.memory)
        new = ending is not None or self.memory.taken_over or not self.store.last_id
        self.session.expected = not new and self._broker is None  # ours keeps nothing over a restart
        self.writer = Writer(self.store, self.session.wake, self.mishaps)
        self.alerting = self._alerting()
        tell_entrance = self.alerting.watch.entrance
        self.chores = Chores(
            settings, stations, self.pipeline.live, self.store, folder, tell_entrance, self.started_at,
            first=ending is None and (share is None or share[0] == 1),
        )  # fmt: skip
        self.writer.chores += self.chores.all
        self._command_key = key = command_key_of(settings)
        commands = self.pipeline.commands
        commands.trust(key, SeenNonces.load(self.store.kept("nonces")))
        commands.on_staff, commands.on_done = self.alerting.desk.command, self.alerting.desk.note
        self.alerting.desk.deeds.on_verified = commands.reports.verified
        self.relaying = StaffRelay(self.pipeline, self.session, self.store, self.alerting.desk, self.command)
        self.intake = Intake(
            self.session,
            self.pipeline,
            self.writer,
            self.memory,
            self.alerting,
            limits_of(settings),
            self.report.told,
            starts,
        )
        self.intake.committing.on_durable = self.relaying.durable
        limits = settings.gateway
        self.flood = self.pipeline.flood(limits.device_messages_per_s, limits.device_messages_burst)
        self.intake.flood = self.alerting.watch.flood = self.flood
        self._announce()
        self.calendars = CalendarThread(
            settings, stations, self.intake.programme, self.mishaps, partial(given_up, self.pipeline.live.stations)
        )
        self.ship = ship = self._ship(self.pipeline.live)
        self.certificates = ShownCertificates(lambda: self.settings, self.mishaps)
        if (replica := self.replica) is not None:
            replica.on_change = self.session.wake
            replica.companions = [*companions_of(settings, replica, folder, self.id, self.mishaps)]
        self.other_shards = others = other_shards_of(self, share) if share and ending is None else None
        self.intake.beside = lambda: (
            ship.trouble if ship else None, self.certificates.all(), replica.trouble if replica else None,
            others.verdicts if others else (),
        )  # fmt: skip
        self.centre = CentreSide(self, stations, share, VERSION)
        self.sites = SiteKeeper(settings.store.path, self.mishaps)
        self.pipeline.live.boxes.on_site = self.sites.put
        self._reload = GatewayReload(self, share)

    def _alerting(self) -> Alerting:
        return Alerting(
            self.settings,
            self.pipeline.live,
            self.store,
            gateway=self.id,
            write=self.writer.write,
            wake=self.session.wake,
            publish=self._retain,
            healthy=lambda: self.report.status().ready,
            now=now_ms,
        )

    def _announce(self) -> None:
        """Tell Home Assistant of every station, if that is wanted."""
        wanted = self.settings.homeassistant
        if wanted.announce:
            announcer = Announcer(self.pipeline.live, self.id, wanted.prefix, self._retain)
            self.session.subscribe(announcer.filters)
            self.intake.announcer = announcer
            self.intake.documents.listeners.append(announcer.documents)

    def _ship(self, live: Live) -> Ship | None:
        influx = self.settings.store.influx
        if influx is None:
            return None
        return ship_of(
            influx,
            self.store,
            [facts.resource for station in live.stations.values() for facts in station.facts()],
            ZoneInfo(self.settings.timezone),
            write=self.writer.write,
            busy=lambda: self.intake.backlog > COPY_GIVES_WAY,
            stored=lambda: self.intake.stored,
            mishaps=self.mishaps,
        )

    # ---- life ----

    def start(self) -> None:
        """OSError or RuntimeError when the embedded broker can't have its port."""
        if self._broker is not None:
            self._broker.start()
        self.alerting.begin(now_ms())
        self.writer.start()
        if self.replica is not None:
            self.replica.start()
        if self.ship is not None:
            self.ship.start()
        self.centre.start()
        self.alerting.start()
        self.intake.start()
        self.certificates.start()
        if self.other_shards is not None:
            self.other_shards.start()
        if self.calendars.wanted:
            self.calendars.start()

    @property
    def dead(self) -> str | None:
        """The name of a thread or child that ended without being told to; None while all is well."""
        for thread in (self.intake, self.writer, self.replica, self.ship, self.centre.line, self.calendars):
            if thread is not None and thread.ident is not None and not thread.is_alive():
                return thread.name
        if self._broker is not None and not self._broker.running:
            return "embedded broker"
        return self.alerting.dead

    def stop(self) -> bool:
        """Store and acknowledge what came, then end everything. False if something did not end within STOP_S."""
        end, dead = monotonic_s() + STOP_S, self.dead

        def left(most_s: float) -> float:
            return min(most_s, max(0.1, end - monotonic_s()))

        self.calendars.end()
        self.certificates.end()
        if self.other_shards is not None:
            self.other_shards.end(left(0.5))
        self.intake.end()
        if self.intake.ident is not None:
            self.intake.join(left(STOP_S))
        clean = self.alerting.stop(left(1.0)) and not self.intake.is_alive()
        if self.ship is not None and self.ship.ident is not None:
            self.ship.end(left(0.5))
        self.sites.end(left(0.5))
        self.centre.end(left(0.5))
        clean = self._end_writing(left) and clean
        if clean and dead is None:
            with suppress(OSError):  # then the next start counts this one too
                self._starts.settle()
        if clean:
            self.chores.close()
            self.store.close()
        if self._broker is not None:
            self._broker.stop()
        if not clean:
            log.error("still running after %.1f s: %s", STOP_S, [thread.name for thread in threading.enumerate()])
        if dead is not None:
            log.critical("%s had ended unexpectedly", dead)  # the last line names what to look for
        return clean

    def _end_writing(self, left: Callable[[float], float]) -> bool:
        """False while the writer still works."""
        ended = self.writer.ident is None or self.writer.end(left(1.0))
        if self.replica is not None:
            self.replica.end(left(0.5))
        return ended

    def pulse(self) -> int:
        """How often intake has turned; it turns at least once a second. Any thread may ask."""
        return self.intake.turns

    @property
    def mishaps(self) -> Mishaps:
        """Where faults of ours are noted, for alerts and metrics. Any thread may."""
        return self.pipeline.live.mishaps

    def listen(self, listener: Callable[[Sequence[Document]], None]) -> None:
        """Have `listener` called with every document made, on the intake thread."""
        self.intake.documents.listeners.append(listener)

    def command(self, topic: str, text: bytes) -> None:
        """Sign and carry out what staff of this process change, as if it came on `yz-cmd/…`. Any thread may call it.

        What is for a station with a box goes by our broker, where the box hears it as we do ourselves; while that box
        can't be heard, it waits here.
        """
        line = self.pipeline.live.box_lines.line_of(topic)
        by_broker = line is not None and line.online and self.session.connected
        self.intake.command(topic, sign(self._command_key, topic, text), by_broker=by_broker)

    def reload(self, difference: Difference) -> None:
        """Run with `difference.settings` from now on. UnchangedError, with nothing changed, when that can't be.

        Any thread may call it, one at a time; it returns when all is live.
        """
        self._reload.take_up(difference, now_ms())

    def activities_of(self, station: str) -> Mapping[str, tuple[Activity, ...]]:
        """What the calendars of a station's areas say. Any thread may ask."""
        return self.calendars.activities_of(station)

    def _retain(self, topic: str, payload: bytes) -> None:
        self.session.publish(topic, payload, retain=True)
