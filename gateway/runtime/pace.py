"""When stations that have changed get their documents: a quiet one at once, a busy one after its interval."""

from gateway.live import Live, Station
from gateway.model import Millis

DOCUMENTS_A_TURN = 25  # so that a start with 20,000 stations does not keep messages waiting
REST_SHARE = 8  # while messages wait, documents rest so many times as long as they took: a ninth of the time is theirs


class DocumentPace:
    """`now` is the time in ms that documents carry, `moment_s` the monotonic clock."""

    def __init__(self, live: Live, interval_ms: Millis) -> None:
        self._live, self._interval_ms = live, interval_ms
        self._due: Millis = 0  # when the first of the waiting stations may have its next document
        self._waiting = 0  # stations whose interval has not passed; the further ones have just changed
        self._rest_until_s = 0.0

    def wait_s(self, now: Millis) -> float:
        """How long until a station may have its document; 0 for now. Ask only while stations wait."""
        if len(self._live.dirty) > self._waiting:
            return 0.0
        return max(0.0, (self._due - now) / 1000)

    def due(self, now: Millis, moment_s: float, *, messages_wait: bool) -> bool:
        """Whether to make documents now. While nobody else needs the time, they need not rest."""
        rests = messages_wait and moment_s < self._rest_until_s
        return bool(self._live.dirty) and not rests and self.wait_s(now) == 0

    def take(self, now: Millis) -> list[Station]:
        """The stations whose interval has passed, at most `DOCUMENTS_A_TURN`; call `made` with them afterwards."""
        earliest = now - self._interval_ms
        ready = [station for station in self._live.dirty if not earliest < station.made_at <= now]
        return ready[:DOCUMENTS_A_TURN]

    def made(self, stations: list[Station], now: Millis, began_s: float, ended_s: float) -> None:
        """The documents of these stations are made; it took from `began_s` to `ended_s`."""
        live = self._live
        for station in stations:
            try:
                live.made(station, now)
            except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
                station.dirty = True  # so that it is scheduled with the next one
                live.mishaps.note(f"the next document of {station.id}", error, station.id)
        live.dirty = [station for station in live.dirty if station.dirty]
        more = len(stations) == DOCUMENTS_A_TURN
        self._waiting = 0 if more else len(live.dirty)
        self._due = now if more else min([station.made_at + self._interval_ms for station in live.dirty], default=now)
        self._rest_until_s = ended_s + (ended_s - began_s) * REST_SHARE
