"""Most messages say again what is known and live. They are good for a ttl more, and nothing else follows from them."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import UNSET

from gateway.live.places import Device, Station
from gateway.model import Millis


class Repeats:
    """Takes them without judging anything anew."""

    def __init__(self, stations: Mapping[str, Station], touch: Callable[[Station], None]) -> None:
        self._stations, self._touch = stations, touch

    def take(self, device: Device, signals: Any, observed_at: Millis, now: Millis) -> bool:
        """A fresh message. False: it may be news, which `Live.observe` takes.

        Whatever is raised here, nothing has changed.
        """
        facts = device.facts[0] if len(device.facts) == 1 else None
        if facts is None or (alarm := facts.alarm) is None or now >= alarm:
            return False  # its deadlines are looked at
        known, fresh = facts.known, facts.fresh
        battery, until = signals.battery_pct, observed_at + fresh.ttl_ms
        if (
            until - until % fresh.step_ms < alarm  # it would end sooner than we look
            or facts.axes.evidence != "live"
            or not fresh.heard
            or facts.effect is not None
            or facts.checks
            or signals.fault is not UNSET
            or (battery is not UNSET and battery != known.battery_pct)
            or not facts.kind.repeats(known, signals)
        ):
            return False
        if now >= facts.renew_at:
            self._touch(self._stations[facts.resource.station])
        fresh.told(observed_at)
        device.seen_at = now
        return True
