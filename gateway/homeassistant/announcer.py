"""Each station as a device in Home Assistant: announced when we or it come up, its states with every document."""

from collections.abc import Callable, Iterable, Sequence

from gateway.homeassistant.announce import announce, state_topic, states, withdraw
from gateway.live import Live, Station
from gateway.live.station_document import Document
from gateway.mqtt.reader import Frame


class Announcer:
    """Belongs to the intake thread. `filters` is what to subscribe to."""

    def __init__(self, live: Live, gateway: str, prefix: str, publish: Callable[[str, bytes], None]) -> None:
        self._live, self._gateway, self._prefix, self._publish = live, gateway, prefix, publish
        self._status = f"{prefix}/status".encode()
        self._ours = f"{prefix}/device/yizhan-".encode()
        self._signed = f'"yz-sys/{gateway}"'.encode()
        self._mishaps = live.mishaps
        self._owed: set[str] = set()  # stations that have to be announced
        self.filters = (f"{prefix}/status", f"{prefix}/device/+/config")

    def heard(self, frames: Iterable[Frame]) -> None:
        """Home Assistant says that it has (re)started: it has forgotten what it does not find retained.

        What stands retained of a station that was taken out of the configuration is taken back.
        """
        for topic, payload, _ in frames:
            if topic == self._status or topic.startswith(self._ours):
                if payload == b"online":
                    self._owed.update(self._live.stations)
                with self._mishaps.contained("what Home Assistant said"):
                    self._hear(topic, payload)

    def _hear(self, topic: bytes, payload: bytes) -> None:
        if topic == self._status and payload == b"online":
            self.announce()
        elif topic.startswith(self._ours) and self._signed in payload:
            station = topic.removeprefix(self._ours).removesuffix(b"/config").decode(errors="replace")
            if station not in self._live.stations:
                self._publish(*withdraw(station, prefix=self._prefix))

    def configure(self, told_anew: Iterable[str], removed: Iterable[str]) -> None:
        """These stations are new or others: they are announced with their next document. Those went."""
        self._owed.update(told_anew)
        for station in removed:
            self._owed.discard(station)
            with self._mishaps.contained(f"taking {station} back from Home Assistant", station):
                self._publish(*withdraw(station, prefix=self._prefix))
                self._publish(state_topic(station), b"")

    def announce(self) -> None:
        """Tell of every station anew. One that fails is told with its next document."""
        self._owed.update(self._live.stations)
        for station in self._live.stations.values():
            with self._mishaps.contained(f"announcing {station.id} to Home Assistant", station.id):
                self._announce(station)

    def _announce(self, station: Station) -> None:
        resources = [facts.resource for facts in station.facts()]
        said = announce(station.id, station.name, resources, gateway=self._gateway, prefix=self._prefix)
        self._publish(*said)
        self._owed.discard(station.id)

    def documents(self, made: Sequence[Document]) -> None:
        """Tell the states that go with these documents. Of one that fails another document is made in a while."""
        for document in made:
            try:
                self._follow(document)
            except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
                self._mishaps.note(f"telling Home Assistant of {document.station}", error, document.station)
                self._live.tell_again(self._live.stations[document.station], document.made_at)

    def _follow(self, document: Document) -> None:
        if document.station in self._owed:
            self._announce(self._live.stations[document.station])
        self._publish(*states(document.shown))
