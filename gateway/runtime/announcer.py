"""Each station as a device in Home Assistant: announced when we or it come up, its states with every document."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from gateway.announce import announce, states
from gateway.live import Live
from gateway.model import Document
from gateway.mqtt.reader import Frame

_decode = msgspec.json.Decoder().decode


class Announcer:
    """Belongs to the intake thread. `filters` is what to subscribe to."""

    def __init__(self, live: Live, gateway: str, prefix: str, publish: Callable[[str, bytes], None]) -> None:
        self._live, self._gateway, self._prefix, self._publish = live, gateway, prefix, publish
        self._status = f"{prefix}/status".encode()
        self.filters = (f"{prefix}/status",)

    def heard(self, frames: Iterable[Frame]) -> None:
        """Home Assistant says that it has (re)started: it has forgotten what it does not find retained."""
        if any(topic == self._status and payload == b"online" for topic, payload, _ in frames):
            self.announce()

    def announce(self) -> None:
        for station in self._live.stations.values():
            resources = [facts.resource for facts in station.facts()]
            said = announce(station.id, station.name, resources, gateway=self._gateway, prefix=self._prefix)
            self._publish(*said)

    def documents(self, made: Sequence[Document]) -> None:
        for one in made:
            self._publish(*states(_decode(one.body)))
