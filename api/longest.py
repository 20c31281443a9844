"""For how long a value of each resource may be shown as live after its document was made: what the ttl allows."""

from collections.abc import Mapping

from config.kinds import SPECS
from config.resources import values_of
from config.schema import Settings
from gateway.base.local_time import HOUR_MS
from gateway.model import Millis

ANYTHING_MS: Millis = 1_000 * max(spec.ttl_s for spec in SPECS.values())
"""Of a resource that the gateway knows and this configuration does not, and of one whose own announcement says how long
its values hold (`expire_after` of Home Assistant)."""

OPEN_ONE_DAY_IN = 7
"""Only days on which a station is open count for a check; to open once a week is the least that we think of."""

Longest = Mapping[str, Millis]
"""Resource → ms."""


class LongestOf:
    """For each configured station, worked out when asked: an API of 20,000 stations hears of few at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stations = {station.id: station for station in settings.stations}

    def __call__(self, station: str) -> Longest | None:
        """None for a station that is not configured."""
        known = self._stations.get(station)
        if known is None:
            return None
        longest: dict[str, Millis] = {}
        for area in known.areas:
            for item in area.resources:
                ttl_ms = values_of(self._settings, known, area, item)["ttl_ms"]
                own = item.source is not None and item.source.dialect == "homeassistant"
                longest[item.id] = max(ttl_ms, ANYTHING_MS) if own else ttl_ms
        for check in known.checks:
            for name in check.of:
                longest[name] = max(longest.get(name, 0), round(check.every_h * HOUR_MS * 1.5) * OPEN_ONE_DAY_IN)
        return longest
