"""The live view's second feeder: the retained `yz-live/#` documents, for an API in a process of its own."""

import threading

from api.live_view import LiveView
from gateway.clock import now_ms
from gateway.model import Document
from gateway.mqtt import Broker, Session

TOPIC = b"yz-live/"
POLL_S = 0.5


class LiveFeed(threading.Thread):
    """Reads until `end`. An emptied topic changes nothing: what was shown ends by its own deadline."""

    def __init__(self, broker: Broker, client_id: str, view: LiveView) -> None:
        super().__init__(name="live feed")
        self.session = Session(broker, client_id, filters=["yz-live/#"], keep=False)
        self._view = view
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.is_set():
            arrivals = self.session.poll(POLL_S)
            if arrivals is not None:
                self._view.feed_threadsafe(documents(arrivals.frames))
                self.session.ack(arrivals.epoch, arrivals.mids)
        self.session.close()

    def end(self) -> None:
        """Stop reading and take leave of the broker; join afterwards."""
        self._ended.set()
        self.session.wake()


def documents(frames: list[tuple[bytes, bytes, int]]) -> list[Document]:
    """The frames that may be documents; what they say is checked by the view."""
    now = now_ms()
    return [
        Document(topic[len(TOPIC) :].decode("utf-8", "replace"), payload, now, None)
        for topic, payload, _ in frames
        if topic.startswith(TOPIC) and payload
    ]
