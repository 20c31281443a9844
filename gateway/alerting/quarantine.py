"""How many messages of each station went to quarantine within the hour."""

from collections import deque
from collections.abc import Container, Iterable

from gateway.alerts.facts import Fact
from gateway.alerts.words import Alert
from gateway.model import Millis, Rejected, Signal
from gateway.wire import station_in

HOUR_MS = 3_600_000
ELSEWHERE = ""
"""Where refused messages of no configured station are counted: any other name is whatever a stranger wrote."""


class QuarantineRate:
    """Counts by configured station. True while any count is not yet over."""

    def __init__(self, per_hour: int, stations: Container[str], gateway: str) -> None:
        """`per_hour`: so many are an alert."""
        self._per_hour, self._stations, self._gateway = per_hour, stations, gateway
        self._times: dict[str, deque[Millis]] = {}

    def __bool__(self) -> bool:
        return bool(self._times)

    def resume(self, alert: Alert) -> None:
        """After a start: this was told, and ends when an hour is clean."""
        if alert.station is None or alert.station in self._stations:
            self._times[alert.station or ELSEWHERE] = deque(maxlen=self._per_hour)

    def configure(self, per_hour: int) -> None:
        """From now on. What is counted of stations that went is over."""
        self._per_hour = per_hour
        for name in [name for name in self._times if name != ELSEWHERE and name not in self._stations]:
            del self._times[name]
        if any(times.maxlen != per_hour for times in self._times.values()):
            self._times = {name: deque(times, maxlen=per_hour) for name, times in self._times.items()}

    def count(self, rejected: Iterable[Rejected]) -> None:
        for message in rejected:
            name = station_in(message.topic)
            name = name if name in self._stations else ELSEWHERE
            self._times.setdefault(name, deque(maxlen=self._per_hour)).append(message.received_at)

    @property
    def stations(self) -> list[str]:
        """Those with a count that is not yet over, ELSEWHERE among them."""
        return list(self._times)

    def fact(self, station: str, now: Millis) -> Fact:
        """Whether it is too many; one that is over is forgotten."""
        times = self._times[station]
        while times and times[0] <= now - HOUR_MS:
            times.popleft()
        if not times:
            del self._times[station]
        holds = True if len(times) >= self._per_hour else False if not times else None
        detail: dict[str, Signal] = {"messages": len(times)}
        return Fact(
            "quarantine_rate", now, holds, station or None, station or self._gateway, None, "unreadable", detail
        )
