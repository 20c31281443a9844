"""The live view's second feeder: the retained `yz-live/#` documents, for an API in a process of its own."""

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from api.left_out import left_out
from api.live_view import LiveView
from api.longest import Longest
from api.wire_documents import received
from gateway.base.clock import monotonic_s, now_ms
from gateway.base.mishaps import Mishaps
from gateway.commands import CommandKey, sign
from gateway.live.station_document import Document
from gateway.mqtt import Broker, Session
from gateway.mqtt.reader import Frame
from gateway.wire import NAME

LIVE, SYS = b"yz-live/", b"yz-sys/"
GATEWAYS_MOST = 1_024  # as many as a network may have shards
TOLD_MOST = 20
POLL_S = 0.5
TELL_S = 60.0

log = logging.getLogger(__name__)


class _Report(msgspec.Struct):
    """What a gateway retains about itself; its last will says `offline`."""

    state: Literal["online", "offline", "stopped"]


class LiveFeed(threading.Thread):
    """Reads until `end`. An emptied topic changes nothing: what was shown ends by its own deadline."""

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        view: LiveView,
        key: CommandKey,
        longest: Callable[[str], Longest | None],
        mishaps: Mishaps | None = None,
        stations: Iterable[str] | None = None,
    ) -> None:
        """`longest` knows of each configured station how long its values may hold; None for any other. `stations`:
        those to listen for, each by its whole topic, since some brokers retain nothing for a wildcard; None for all.
        """
        super().__init__(name="live feed")
        live = ["yz-live/#"] if stations is None else [f"yz-live/{station}" for station in stations]
        self.session = Session(broker, client_id, filters=[*live, "yz-sys/#"], keep=False)
        self._view, self._key, self._mishaps = view, key, mishaps or Mishaps()
        self._longest = longest
        self._all = stations is None
        self._next: deque[tuple[Callable[[str], Longest | None], list[str]]] = deque()
        self._gateways: dict[str, str] = {}
        self._left_out: dict[str, dict[str, int]] = {}
        self._outbox: deque[tuple[str, bytes]] = deque()
        self._ended = threading.Event()
        self._told_s = -TELL_S
        self._too_many = False
        self.refused = 0

    def configure(self, longest: Callable[[str], Longest | None], stations: Iterable[str]) -> None:
        """Listen for these stations from now on. Any thread."""
        self._next.append((longest, list(stations)))
        self.session.wake()

    def _follow(self) -> None:
        while self._next:
            self._longest, stations = self._next.popleft()
            if not self._all:
                before, after = set(self.session.filters), {f"yz-live/{station}" for station in stations}
                self.session.subscribe(sorted(after - before))
                self.session.unsubscribe(sorted(before - after - {"yz-sys/#"}))

    def run(self) -> None:
        while not self._ended.is_set():
            self._follow()
            arrivals = self.session.poll(POLL_S)
            if arrivals is not None:
                self._view.feed_threadsafe(self._documents(arrivals.frames))
                with self._mishaps.contained("what gateways report of themselves"):
                    self._hear_of(gateways(arrivals.frames))
                    told = self._left_out | left_out(arrivals.frames)
                    self._left_out = {name: counts for name, counts in told.items() if name in self._gateways}
                self.session.ack(arrivals.epoch, arrivals.mids)
            while self._outbox and self.session.connected:
                topic, payload = self._outbox.popleft()
                self.session.publish(topic, payload)
        self.session.close()

    def _documents(self, frames: list[Frame]) -> list[Document]:
        """Those among the frames. What is no document, or of no gateway of ours, is refused, counted and told."""
        now = now_ms()
        good = []
        for station, payload in documents(frames):
            longest = self._longest(station)
            if longest is None:
                continue  # of another part of the network, which we do not show
            try:
                good.append(received(station, payload, now, longest))
            except ValueError as error:
                self._refuse(station, error)
            except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
                self._mishaps.note(f"the live document of {station[:64]}", error, station)
        return good

    def _hear_of(self, states: dict[str, str | None]) -> None:
        """What gateways report; of strangers' names on an open broker so many are kept, and the rest counted as one.

        A new dictionary each time: other threads iterate over the old one.
        """
        known = dict(self._gateways)
        for name, state in states.items():
            if state is None:
                known.pop(name, None)
            elif name in known or len(known) < GATEWAYS_MOST:
                known[name] = state
            else:
                self.refused += 1
                self._too_many = True
        self._gateways = known

    def _refuse(self, station: str, why: ValueError) -> None:
        """Refuse a document; the log tells of it once a minute."""
        self.refused += 1
        if monotonic_s() - self._told_s >= TELL_S:
            self._told_s = monotonic_s()
            log.warning("the live document of station %s is refused: %s", station[:64], why)

    def left_out(self) -> dict[str, int]:
        """What running gateways leave out, each its most frequent. Any thread may ask."""
        return {what: count for told in self._left_out.values() for what, count in told.items()}

    @property
    def gateways(self) -> dict[str, str]:
        """What each gateway that was heard of says of itself. Any thread may ask."""
        return self._gateways

    @property
    def troubles(self) -> list[str]:
        """What is wrong with the line or with those who feed it, in words."""
        down = [f"gateway {name} is {state}" for name, state in sorted(self._gateways.items()) if state != "online"]
        lost = down[:TOLD_MOST]
        if len(down) > TOLD_MOST:
            lost.append(f"{len(down) - TOLD_MOST} more gateways are down")
        if self._too_many:
            lost.append(
                f"more than {GATEWAYS_MOST} gateways report on yz-sys: others may write there; see docs/broker.md"
            )
        if self._key() is None:
            lost.append(
                f"there is no command key {self._key.path}, so staff can change nothing here; copy the gateway's"
            )
        return [self.session.trouble, *lost] if self.session.trouble else lost

    def send(self, topic: str, text: bytes) -> None:
        """Publish a signed command on the feed's own line, not retained; any thread may call it.

        ConnectionError while the line is down, or there is no key to sign with.
        """
        key = self._key()
        if key is None:
            raise ConnectionError("no command key")
        if not self.session.connected:
            raise ConnectionError("no broker")
        self._outbox.append((topic, sign(key, topic, text)))
        self.session.wake()

    def end(self) -> None:
        """Stop reading and take leave of the broker; join afterwards."""
        self._ended.set()
        self.session.wake()


def documents(frames: list[Frame]) -> list[tuple[str, bytes]]:
    """The station and the payload of each frame that may be a document."""
    return [
        (topic[len(LIVE) :].decode("utf-8", "replace"), payload)
        for topic, payload, _ in frames
        if topic.startswith(LIVE) and payload
    ]


def gateways(frames: list[Frame]) -> dict[str, str | None]:
    """The state that each gateway reports of itself, None for one whose report was taken away.

    What can't be read says nothing.
    """
    states: dict[str, str | None] = {}
    for topic, payload, _ in frames:
        name = topic[len(SYS) :].decode("utf-8", "replace")
        if topic.startswith(SYS) and NAME.match(name):
            with contextlib.suppress(msgspec.DecodeError, ValueError, RecursionError):
                states[name] = msgspec.json.decode(payload, type=_Report).state if payload else None
    return states
