"""Activities of an area and its rooms: whether a booking keeps them, and what is on now and next for whoever waits."""

from collections.abc import Mapping

from msgspec import UNSET, UnsetType

from config.kinds import SPECS
from gateway.evidence.facts import Facts
from gateway.live.places import Area, Station, utc
from gateway.live.station_document import ActivityNext, ActivityNow, Programme
from gateway.model import Millis
from gateway.policy.activities import Activity, OnNow, gives_up_at, nobody_came, use_with


def rooms(area: Area) -> list[Facts]:
    return [facts for facts in area.facts if SPECS[facts.resource.kind].holds_people]


def book(area: Area, now: Millis) -> Millis | None:
    """Mark the area's rooms as booked or not; when to ask again, None for never.

    A booking once given up stays so: who comes late finds the room as it is.
    """
    on = area.agenda.at(now)
    seen, watched = presence(rooms(area), now)
    gone = {
        activity for activity in on.reserving if activity in area.given_up or nobody_came(activity, now, seen, watched)
    }
    area.given_up = gone
    area.on_now = on
    booked = use_with("free", on, gone) == "reserved"
    for facts in rooms(area):
        facts.booked = booked
    ahead = [gives_up_at(activity) for activity in on.reserving if gives_up_at(activity) > now]
    return min([*ahead, *([] if on.until is None else [on.until])], default=None)


def given_up(stations: Mapping[str, Station], place: tuple[str, str]) -> frozenset[Activity]:
    """The bookings of now in an area (station, area) to which nobody came. Any thread may ask."""
    station = stations.get(place[0])
    areas = station.areas if station is not None else ()
    return frozenset(activity for area in areas if area.id == place[1] for activity in area.given_up)


def presence(facts: list[Facts], now: Millis) -> tuple[Millis | None, Millis | None]:
    """(when anybody was last in one of these rooms, since when all of them are watched without a gap)."""
    seen = [now if fact.known.status == "occupied" else fact.known.seen_at for fact in facts]
    watched = [fact.watched_since for fact in facts]
    last_seen = max((at for at in seen if at is not None), default=None)
    since = [at for at in watched if at is not None]
    return last_seen, max(since) if since and len(since) == len(watched) else None


def programme(on: OnNow) -> Programme | UnsetType:
    """What the pages show of it, UNSET for nothing; a private activity has no title."""
    if not on.on and on.next is None:
        return UNSET
    return Programme(
        ActivityNow(_title(on.on[0]), utc(on.on[0].end)) if on.on else UNSET,
        UNSET if on.next is None else ActivityNext(_title(on.next), utc(on.next.start)),
    )


def _title(activity: Activity) -> dict[str, str]:
    return {"zh": activity.title} if activity.title else {}
