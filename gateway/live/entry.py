"""What happens at a station, as far as it tells whether one can come in. The verdict is that of `evidence/opening`."""

from typing import Literal

from config.kinds import SPECS
from gateway.evidence.facts import Facts
from gateway.live.places import Station
from gateway.model import Millis
from gateway.policy.privacy import PERSONAL
from gateway.wire import Event

Kept = Literal["closed", "unproved", "proved", "contradicted"]
"""What history keeps of a station's promise; closed: it promises nothing."""


def entered(facts: Facts, station: Station, now: Millis) -> bool:
    """Take note of what a door or a room has told. True if it bears on the promise. Doubtful sensors prove nothing."""
    known, sign = facts.known, False
    if known.entered_at != facts.entered_at:
        facts.entered_at, sign = known.entered_at, facts.axes.evidence == "live"
    if sign:
        station.promise.sign(now, personal=facts.resource.kind in PERSONAL)
    return (SPECS[facts.resource.kind].entrance and look_at_doors(station, now)) or sign


def carded(station: Station, event: Event, at: Millis, now: Millis) -> None:
    """A reader let somebody in, or did not."""
    if event.granted is False:
        station.promise.refused(str(event.card), min(at, now))
    elif event.granted is True:
        station.promise.granted(min(at, now))


def look_at_doors(station: Station, now: Millis) -> bool:
    """Take note of whether all live doors say closed and locked, and no reader lives: by it who has a card comes in.

    True if that is news.
    """
    doors = [facts for facts in station.facts() if SPECS[facts.resource.kind].entrance]
    live = [door for door in doors if door.axes.evidence == "live" and door.axes.lifecycle == "active"]
    shut = bool(live) and all(door.known.status == "locked" and not door.known.reads_cards for door in live)
    return station.promise.shut(shut, now)


def kept(station: Station) -> Kept:
    return station.judged.proof if station.access == "open" else "closed"
