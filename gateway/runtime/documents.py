"""The documents of stations that have changed: made at their pace, published, given to those that follow them."""

from collections.abc import Callable, Sequence

from gateway.base.clock import monotonic_s
from gateway.live import Live, Station, document
from gateway.live.station_document import Document
from gateway.model import Millis
from gateway.mqtt import Session
from gateway.runtime.pace import DocumentPace


class DocumentPublisher:
    """Belongs to the intake thread. `listeners` get every document made; they must return at once.

    `count`: documents made so far.
    """

    def __init__(self, session: Session, live: Live, interval_ms: Millis) -> None:
        self.session = session
        self.pace = DocumentPace(live, interval_ms)
        self.listeners: list[Callable[[Sequence[Document]], None]] = []
        self.count = 0
        self._live = live

    def publish(self, now: Millis, moment: float, *, messages_wait: bool) -> None:
        """Those that are due. `moment`: of the steady clock, now."""
        if not self.pace.due(now, moment, messages_wait=messages_wait):
            return
        stations = self.pace.take(now)
        made, failed = self._make(stations, now)
        with self._live.mishaps.contained("the pace of documents"):
            self.pace.made(stations, now, moment, monotonic_s())
        for station in failed:
            self._live.tell_again(station, now)
        if made:
            self._tell(made)

    def _make(self, stations: Sequence[Station], now: Millis) -> tuple[list[Document], list[Station]]:
        """The documents, and the stations whose can't be made: the one before ends by its own `valid_until`."""
        made, failed = [], []
        for station in stations:
            try:
                made.append(document(station, now))
            except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
                self._live.mishaps.note(f"document of {station.id}", error, station.id)
                failed.append(station)
        return made, failed

    def _tell(self, documents: list[Document]) -> None:
        self.session.publish_latest([(f"yz-live/{document.station}", document.body) for document in documents])
        self.count += len(documents)
        for listener in self.listeners:
            with self._live.mishaps.contained("who follows documents"):
                listener(documents)
