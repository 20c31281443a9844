"""A running gateway follows another configuration: all is made beside intake, then it changes between two turns."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from config.difference import Difference
from config.schema import Settings, StationSettings
from gateway.alerting.configured import Reconfigured, reconfigured
from gateway.calendars.wanted import wanted_of
from gateway.core.change import Changing, CorePlan, core_plan
from gateway.dialects import BadSource
from gateway.live import Live
from gateway.live.replacing import Moved
from gateway.model import Millis
from gateway.policy.hours import Openings
from gateway.runtime.between import UnchangedError
from gateway.runtime.cleared import Cleared
from gateway.runtime.parts import Share, filters_of, mine, of_boxes, place_of
from gateway.store.jobs import Keep
from gateway.store.place import Place
from gateway.store.reports import ReportBooks

if TYPE_CHECKING:
    from gateway.runtime.gateway import Gateway

MOVED = b"moved"
"""Kept as the layout of the parts of the live state: that of no configuration, so the next start keeps all anew."""


@dataclass(frozen=True, slots=True)
class GatewayPlan:
    """All that a gateway needs to follow a difference. `places`: the stations that are new or others."""

    settings: Settings
    stations: Sequence[StationSettings]
    core: CorePlan
    alerts: Reconfigured
    places: Sequence[Place]
    added: Sequence[StationSettings]


class GatewayReload:
    """`take_up` may be called by any thread but intake, one at a time."""

    def __init__(self, gateway: "Gateway", share: Share | None) -> None:
        self._gateway, self._share = gateway, share
        self._changing = Changing(gateway.pipeline)
        self._cleared = Cleared(gateway.session)
        gateway.intake.on_connected.append(self._cleared.again)

    def take_up(self, difference: Difference, now: Millis) -> None:
        """Returns when it is live. UnchangedError, with nothing changed, when it can't be."""
        try:
            plan = self._plan(difference, now)
        except (BadSource, ValueError, OSError) as error:
            raise UnchangedError(str(error)) from error
        self._wait(self._gateway.intake.between_turns(lambda at: self._apply(plan, at)))
        self._follow_beside(plan)

    def _wait(self, done: "Future[None]") -> None:
        while True:
            try:
                return done.result(0.2)
            except TimeoutError:
                if not self._gateway.intake.is_alive():
                    raise UnchangedError("intake has ended") from None

    # ---- beside intake ----

    def _plan(self, difference: Difference, now: Millis) -> GatewayPlan:
        gateway, settings = self._gateway, difference.settings
        stations = mine(settings.stations, self._share)
        ours = {station.id for station in stations}
        changed = [station for station in (*difference.changed, *difference.added) if station.id in ours]
        core = core_plan(gateway.settings, difference, stations, Openings(settings), now)
        self._recall_checks(core)
        return GatewayPlan(
            settings,
            stations,
            core,
            reconfigured(gateway.settings, difference),
            [place_of(settings, station) for station in changed],
            [station for station in difference.added if station.id in ours],
        )

    def _recall_checks(self, core: CorePlan) -> None:
        """What people said of checks before, in stations that come back."""
        asked = [plan.station for plan in core.added if plan.station.checks]
        if asked:
            reader = ReportBooks(self._gateway.store.folder)
            for station in asked:
                for stored in reader.last(station.id, station.checks).values():
                    station.checks[stored.report.check].take(stored.report)

    def _follow_beside(self, plan: GatewayPlan) -> None:
        """Reconfigure the parts that have threads of their own."""
        gateway, settings = self._gateway, plan.settings
        gateway.settings = settings
        gateway.chores.follow(settings, plan.stations, plan.places, plan.core.removed)
        gateway.calendars.configure(wanted_of(settings, plan.stations))
        gateway.centre.tell_sites()
        if gateway.ship is not None:
            places = [place_of(settings, station) for station in plan.stations]
            gateway.ship.configure([resource for place in places for resource in place.resources])

    # ---- on the intake thread ----

    def _apply(self, plan: GatewayPlan, now: Millis) -> None:
        gateway = self._gateway
        intake = gateway.intake
        listened_to = gateway.pipeline.foreign.filters
        moved = self._changing.apply(plan.core, now)
        gateway.pipeline.live.boxes.configure(plan.settings.uplinks.accept, plan.settings.owners)
        gateway.pipeline.live.boxes.forget(plan.core.removed)
        self._listen(plan, listened_to)
        self._keep(plan, moved)
        intake.tell_watermarks(moved.came)
        gateway.alerting.configure(plan.alerts, moved, now)
        if intake.announcer is not None:
            told = [station_plan.station.id for station_plan in (*plan.core.added, *plan.core.changed)]
            intake.announcer.configure(told, plan.core.removed)
        self._cleared.follow(moved, plan.core.removed, [station.id for station in plan.added])

    def _listen(self, plan: GatewayPlan, before: frozenset[str]) -> None:
        """The broker's subscriptions follow; what is new first."""
        gateway = self._gateway
        after = gateway.pipeline.foreign.filters
        boxes_before, boxes = set(of_boxes(gateway.settings)), set(of_boxes(plan.settings))
        gone, fresh = (before - after) | (boxes_before - boxes), (after - before) | (boxes - boxes_before)
        if self._share is not None:
            gone |= set(filters_of(plan.core.removed))
            fresh |= set(filters_of([station.id for station in plan.added]))
        gateway.session.subscribe(sorted(fresh))
        gateway.session.unsubscribe(sorted(gone))
        gateway.intake.listens_to(after)

    def _keep(self, plan: GatewayPlan, moved: Moved) -> None:
        """A start after this finds what is live now, however it comes to it."""
        gateway = self._gateway
        if moved.came or moved.went:
            gateway.writer.write([Keep("layout", MOVED)])
        gateway.intake.committing.keep_parts(gateway.memory.follow(moved.came, moved.went, moved.unlike))
        if any(station_plan.station.checks for station_plan in (*plan.core.added, *plan.core.changed)):
            gateway.writer.write([Keep("checks_since", _checks_since(gateway.pipeline.live))])


def _checks_since(live: Live) -> bytes:
    return msgspec.json.encode(
        {
            f"{station.id}/{name}": check.since
            for station in live.stations.values()
            for name, check in station.checks.items()
        }
    )
