"""Whether an activity that is over was held, by who was in the rooms of its area."""

from gateway.evidence.facts import Facts
from gateway.live.booking import rooms
from gateway.live.places import Area
from gateway.model import ActivityEnded, Held, Millis
from gateway.policy.activities import GRACE_MS, Activity, Agenda


class HeldActivities:
    """`ended` collects since the caller last took it."""

    def __init__(self) -> None:
        self.ended: list[ActivityEnded] = []

    def take(self) -> list[ActivityEnded]:
        ended, self.ended = self.ended, []
        return ended

    def leave(self, area: Area, agenda: Agenda, now: Millis) -> None:
        """Before the area gets this agenda: a booking that was given up and is no longer in it was not held, though its
        calendar has cancelled it since."""
        for activity in sorted(area.given_up - set(agenda.activities)):
            if area.station is not None and was_held(area, activity, now) == "not_held":
                ended = ActivityEnded(area.station.id, area.id, activity.start, activity.end, activity.uid, "not_held")
                self.ended.append(ended)

    def look(self, area: Area, now: Millis) -> None:
        """Those that have ended since the last look, each once. One that only tells and keeps no room is none."""
        over = {activity for activity in area.agenda.activities if activity.reserves and activity.end <= now}
        for activity in sorted(over - area.over):
            if area.station is not None:
                held = was_held(area, activity, now)
                self.ended.append(
                    ActivityEnded(area.station.id, area.id, activity.start, activity.end, activity.uid, held)
                )
        area.over = over


def was_held(area: Area, activity: Activity, now: Millis) -> Held:
    """`held` where somebody was there after its first quarter of an hour (of a short one its first half), in as many
    rooms as activities took place at the time: who is there at its beginning may have stayed from before. `not_held`
    where sensors watched all rooms all the time and saw nobody; `unknown` otherwise, as without a sensor.

    Asked later than its end, only what rooms still know of it counts.
    """
    begun = activity.start + min(GRACE_MS, (activity.end - activity.start) // 2)
    there = rooms(area)
    at_once = sum(
        other.reserves and other.start < activity.end and other.end > activity.start for other in area.agenda.activities
    )
    if sum(_somebody(room, begun, activity.end, now) for room in there) >= at_once:
        return "held"
    watched = [room.watched_since is not None and room.watched_since <= activity.start for room in there]
    if there and all(watched) and not any(_there(room, now)[1] >= activity.start for room in there):
        return "not_held"
    return "unknown"


def _somebody(room: Facts, start: Millis, end: Millis, now: Millis) -> bool:
    """Whether the last time at which somebody was there reaches into [start, end)."""
    entered, last = _there(room, now)
    return room.axes.evidence != "suspect" and last >= start and entered < end


def _there(room: Facts, now: Millis) -> tuple[Millis, Millis]:
    """From when to when somebody was there last, as far as it was watched; an end of -1: never."""
    known, watched = room.known, room.watched_since
    last = now if known.status == "occupied" and watched is not None else known.seen_at
    if last is None:
        return 0, -1
    since = last if watched is None or watched > last else watched
    return max(since, getattr(known, "entered_at", None) or 0), last
