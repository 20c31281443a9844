"""Each station as a device in Home Assistant: announced when we or it come up, its states with every document."""

from collections.abc import Callable, Iterable, Sequence

from gateway.homeassistant.announce import announce, states, withdraw
from gateway.live import Live
from gateway.live.station_document import Document
from gateway.mqtt.reader import Frame


class Announcer:
    """Belongs to the intake thread. `filters` is what to subscribe to."""

    def __init__(self, live: Live, gateway: str, prefix: str, publish: Callable[[str, bytes], None]) -> None:
        self._live, self._gateway, self._prefix, self._publish = live, gateway, prefix, publish
        self._status = f"{prefix}/status".encode()
        self._ours = f"{prefix}/device/yizhan-".encode()
        self._signed = f'"yz-sys/{gateway}"'.encode()
        self.filters = (f"{prefix}/status", f"{prefix}/device/+/config")

    def heard(self, frames: Iterable[Frame]) -> None:
        """Home Assistant says that it has (re)started: it has forgotten what it does not find retained.

        What stands retained of a station that was taken out of the configuration is taken back.
        """
        for topic, payload, _ in frames:
            if topic == self._status and payload == b"online":
                self.announce()
            elif topic.startswith(self._ours) and self._signed in payload:
                station = topic.removeprefix(self._ours).removesuffix(b"/config").decode(errors="replace")
                if station not in self._live.stations:
                    self._publish(*withdraw(station, prefix=self._prefix))

    def announce(self) -> None:
        """Tell of every station anew."""
        for station in self._live.stations.values():
            resources = [facts.resource for facts in station.facts()]
            said = announce(station.id, station.name, resources, gateway=self._gateway, prefix=self._prefix)
            self._publish(*said)

    def documents(self, made: Sequence[Document]) -> None:
        """Tell the states that go with these documents."""
        for document in made:
            self._publish(*states(document.shown))
