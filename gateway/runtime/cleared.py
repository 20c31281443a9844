"""What stands retained of things that the configuration no longer has is taken back from the broker."""

from collections.abc import Iterable

from gateway.live.replacing import Moved
from gateway.mqtt import Session

KEPT = 100_000
"""Topics that are cleared once more after a reconnect: the broker may have missed it."""


class Cleared:
    """Belongs to the intake thread."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._topics: dict[str, None] = {}  # in order

    def follow(self, moved: Moved, removed: Iterable[str], added: Iterable[str]) -> None:
        """These devices and stations went; what came speaks for itself."""
        gone = [f"yz-live/{name}" for name in removed]
        gone += [f"yz-ack/{device.station}/{device.id}" for device in moved.went]
        self._topics.update(dict.fromkeys(gone))
        while len(self._topics) > KEPT:
            del self._topics[next(iter(self._topics))]
        for name in added:
            self._topics.pop(f"yz-live/{name}", None)
        for device in moved.came:
            self._topics.pop(f"yz-ack/{device.station}/{device.id}", None)
        self._session.publish_latest([(topic, b"") for topic in gone if topic in self._topics])

    def again(self) -> None:
        """Clear the topics once more, after a reconnect."""
        self._session.publish_latest([(topic, b"") for topic in self._topics])
