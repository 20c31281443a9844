"""What a month was: everything the report says, in figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from api.alert_books import AlertBooks
from api.charges import Charge, charges
from api.lessons import Lessons, lessons
from api.occupations import months
from api.promises import changes_of, held_of
from api.usage import Usage, together, usage
from config.kinds import INSTRUMENTS
from config.schema import AreaSettings, Settings, StationSettings
from gateway.alerts.words import Alert
from gateway.base.local_time import day_start, local_of, month_of
from gateway.history.activities import HeldCount
from gateway.history.occupations import Shares
from gateway.history.promises import Promised, promised
from gateway.model import ActivityEnded, Millis, Resource
from gateway.runtime import place_of
from gateway.store.base import Reader, StoreError
from gateway.store.place import METERED, Asked
from gateway.store.rollup_reader import RollupReader

ALERTS_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Month:
    """A local month. `upto` is where what is known of it ends: its end, or now."""

    year: int
    month: int
    start: Millis
    end: Millis
    upto: Millis

    @property
    def name(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    def other(self, step: int) -> str:
        """The name of the month so many later."""
        year, month = divmod(self.year * 12 + self.month - 1 + step, 12)
        return f"{year:04}-{month + 1:02}"


@dataclass(frozen=True, slots=True)
class AreaUse:
    area: AreaSettings
    total: Usage
    days: dict[Millis, Usage]


@dataclass(frozen=True, slots=True)
class ResourceUse:
    """`charges` is empty for what is no charger."""

    resource: Resource
    total: Usage
    charges: Sequence[Charge]


@dataclass(frozen=True, slots=True)
class MonthBefore:
    """The month before; of one that goes on, as much of it as has passed of this one. `areas` by id."""

    month: Month
    total: Usage
    areas: Mapping[str, Usage]
    alerts: Sequence[Alert] | None
    promised: Promised


@dataclass(frozen=True, slots=True)
class MonthReport:
    """`alerts` None: they can't be read here, which is not the same as none. `held`: by day.

    `before` None: the month before lies before all counting.
    """

    station: StationSettings
    zone: ZoneInfo
    month: Month
    total: Usage
    days: dict[Millis, Usage]
    week: dict[int, Usage]
    areas: Sequence[AreaUse]
    resources: Sequence[ResourceUse]
    alerts: Sequence[Alert] | None
    promised: Promised
    occupations: Shares | None
    held: dict[Millis, HeldCount]
    before: MonthBefore | None
    lessons: Lessons


def month_at(name: str, zone: ZoneInfo, now: Millis) -> Month:
    """The month of this name (2026-11). ValueError when it is none, or has not begun."""
    year, _, month = name.partition("-")
    start, end = month_of(int(year), int(month), zone)
    if not 0 <= start <= now:
        raise ValueError(f"{name} is not past")
    return Month(int(year), int(month), start, end, min(end, now))


def this_month(zone: ZoneInfo, now: Millis) -> Month:
    """The month that goes on in this zone."""
    return month_at(f"{local_of(now, zone):%Y-%m}", zone, now)


def gather(settings: Settings, station: StationSettings, month: Month, reader: Reader, now: Millis) -> MonthReport:
    """StoreError when the journal can't be read."""
    rollups, place = RollupReader(settings.store.path, reader), place_of(settings, station)
    window, alerts = (month.start, month.upto), _alerts(settings, station)
    days = usage(rollups, Asked([place]), *window, "day")
    areas = [(area, usage(rollups, Asked([place], area=area.id), *window, "day")) for area in station.areas]
    resources = []
    for resource in place.resources:
        if resource.kind in INSTRUMENTS:
            continue  # nobody uses them
        total = together(usage(rollups, Asked([place], resource=resource.id), *window, "day").values())
        charged = charges(reader, rollups, [resource], window, now) if resource.kind in METERED else ()
        resources.append(ResourceUse(resource, total, charged))
    return MonthReport(
        station,
        place.zone,
        month,
        together(days.values()),
        days,
        usage(rollups, Asked([place]), *window, "hour_of_week"),
        [AreaUse(area, together(of.values()), of) for area, of in areas if of],
        resources,
        _within(alerts, month),
        promised(changes_of(settings, [station], window)[station.id], *window),
        months(settings, [station], now)[station.id].get(month.name),
        _held(held_of(settings, [station], window)[station.id], place.zone),
        _before(settings, station, month, rollups, alerts),
        lessons(settings, station, reader, window),
    )


def month_before(month: Month, zone: ZoneInfo) -> Month | None:
    """As much of it as has passed of `month`; None before 1970."""
    try:
        whole = month_at(month.other(-1), zone, month.start)
    except ValueError:
        return None
    upto = whole.end if month.upto >= month.end else min(whole.end, whole.start + month.upto - month.start)
    return replace(whole, upto=upto)


def _before(
    settings: Settings, station: StationSettings, month: Month, rollups: RollupReader, alerts: Sequence[Alert] | None
) -> MonthBefore | None:
    place = place_of(settings, station)
    before = month_before(month, place.zone)
    if before is None:
        return None
    window = before.start, before.upto
    areas = {area.id: usage(rollups, Asked([place], area=area.id), *window, "day") for area in station.areas}
    return MonthBefore(
        before,
        together(usage(rollups, Asked([place]), *window, "day").values()),
        {name: together(days.values()) for name, days in areas.items()},
        _within(alerts, before),
        promised(changes_of(settings, [station], window)[station.id], *window),
    )


def _held(activities: Sequence[ActivityEnded], zone: ZoneInfo) -> dict[Millis, HeldCount]:
    """By the start of the local day on which they began."""
    days: dict[Millis, HeldCount] = {}
    for activity in activities:
        days.setdefault(day_start(activity.start, zone), HeldCount()).add(HeldCount.of([activity]))
    return days


def _alerts(settings: Settings, station: StationSettings) -> Sequence[Alert] | None:
    """All alerts of the station, the newest first."""
    try:
        reader = AlertBooks(settings.store.path)
        try:
            return reader.alerts(None, [station.id], ALERTS_MOST)
        finally:
            reader.close()
    except StoreError:
        return None


def _within(alerts: Sequence[Alert] | None, month: Month) -> Sequence[Alert] | None:
    """What stood open in this month, the oldest first."""
    if alerts is None:
        return None
    return [
        alert
        for alert in reversed(alerts)
        if alert.since < month.upto and (alert.state != "closed" or alert.changed_at > month.start)
    ]
