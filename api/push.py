"""Changes to browsers as Server-Sent Events: the newest document of each station to each client, and never a queue.

A client that reads slowly skips what is outdated; one that reads nothing is let go. Frames are made once for all.
"""

import asyncio
import logging
import random
import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from api.live_view import Entry, LiveView
from api.times import rfc3339
from api.walls import PER_ADDRESS
from gateway.base.mishaps import Mishaps

log = logging.getLogger(__name__)

HEARTBEAT_S = 5
SWEEP_S = 0.5
LIFE_S = (1800, 3600)  # then the browser reconnects, so that replicas stay evenly loaded
GONE = -1.0  # a stream's end, when its station has gone
_HEARTBEAT = ""  # the key of the heartbeat among a client's pending frames: no station's name


Covers = Callable[[str | None], bool]


def nothing(_station: str | None) -> bool:
    """What the public may see of alerts."""
    return False


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How many streams at a time; `reserved` of the total are kept for station screens.

    An address has `walls_per_address` of these beside its `per_address`; one more counts as anybody.
    """

    total: int = 2000
    per_address: int = 30
    reserved: int = 100
    send_timeout_s: float = 10
    walls_per_address: int = PER_ADDRESS


class TooManyStreamsError(Exception):
    """No slot left: for everybody (503), or for this address (429)."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class Client:
    """One open stream. `pending` holds at most one frame for each station or alert, the oldest change first.

    `covers` says of a station (None: ourselves) whether this client may see its alerts.
    """

    __slots__ = ("abort", "address", "covers", "ends_at", "pending", "screen", "sending_since", "station", "wake")

    def __init__(
        self, station: str | None, address: str | None, screen: str | None, ends_at: float, covers: Covers = nothing
    ) -> None:
        self.station, self.address, self.screen, self.ends_at = station, address, screen, ends_at
        self.covers = covers
        self.pending: dict[str, bytes] = {}
        self.wake = asyncio.Event()
        self.sending_since: float | None = None
        self.abort: Callable[[], None] = lambda: None

    def offer(self, key: str, frame: bytes) -> None:
        self.pending.pop(key, None)  # to the end, so that ids rise
        self.pending[key] = frame
        self.wake.set()

    def take(self) -> bytes:
        self.wake.clear()
        frames = b"".join(self.pending.values())
        self.pending.clear()
        return frames


class Hub:
    """Every open stream of this process. Belongs to the asyncio thread."""

    def __init__(self, view: LiveView, limits: StreamLimits, mishaps: Mishaps | None = None) -> None:
        self.view, self.limits = view, limits
        self._mishaps = mishaps or Mishaps()
        self._epoch = secrets.token_hex(4)
        self._clients: set[Client] = set()
        self._by_station: dict[str | None, set[Client]] = {}
        self._addresses: Counter[str] = Counter()
        self._walls: Counter[str] = Counter()
        self._task: asyncio.Task[None] | None = None
        self.closed = False
        view.listeners.append(self._changed)
        view.on_removed.append(self._removed)

    def __len__(self) -> int:
        return len(self._clients)

    def start(self) -> None:
        """Begin heartbeats and the watch over stalled readers on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._tick(), name="stream heartbeat")

    def close(self) -> None:
        """End every stream; no new one is let in."""
        self.closed = True
        if self._task is not None:
            self._task.cancel()
            self._task = None  # what it ended with holds its frame, and that holds us: all of an ended API would stay
        for client in self._clients:
            client.wake.set()

    def join(
        self,
        station: str | None,
        address: str | None,
        screen: str | None,
        last_id: str | None,
        covers: Covers = nothing,
    ) -> Client:
        """Let a stream in with its snapshot pending. `address` None is not counted. TooManyStreamsError: no slot.

        `screen` is the name of a proved wall: a line that the same name has from the same address is dead and ends.
        """
        screen = self._admit(station, address, screen)
        life_s = random.uniform(*LIFE_S)  # noqa: S311  spreads load, guards nothing
        client = Client(station, address, screen, asyncio.get_running_loop().time() + life_s, covers)
        self._clients.add(client)
        self._by_station.setdefault(station, set()).add(client)
        if address is not None:
            self._counter(screen)[address] += 1
        self._snapshot(client, last_id)
        return client

    def leave(self, client: Client) -> None:
        if client not in self._clients:
            return
        self._clients.discard(client)
        self._by_station[client.station].discard(client)
        if not self._by_station[client.station]:
            del self._by_station[client.station]
        if client.address is not None:
            counter = self._counter(client.screen)
            counter[client.address] -= 1
            if not counter[client.address]:
                del counter[client.address]

    def alert(self, station: str | None, alert_id: str, body: bytes) -> None:
        """Show an alert to the staff whom it concerns. `body` is its JSON."""
        frame = b"event: alert\ndata: %b\n\n" % body
        for client in self._clients:
            if client.station in (None, station) and client.covers(station):
                client.offer(f"alert/{alert_id}", frame)

    def _counter(self, screen: str | None) -> Counter[str]:
        return self._addresses if screen is None else self._walls

    def _admit(self, station: str | None, address: str | None, screen: str | None) -> str | None:
        """As which screen the stream comes in; None: as anybody."""
        limits = self.limits
        if screen is not None:
            same = (station, address, screen)
            for older in [
                client for client in self._clients if (client.station, client.address, client.screen) == same
            ]:
                older.abort()
                self.leave(older)
            if address is not None and self._walls[address] >= limits.walls_per_address:
                screen = None
        slots = limits.total if screen is not None else limits.total - limits.reserved
        if self.closed or len(self._clients) >= slots:
            raise TooManyStreamsError(503, "every stream is taken; ask again later, or poll /api/v1/stations")
        if screen is None and address is not None and self._addresses[address] >= limits.per_address:
            raise TooManyStreamsError(429, f"one address has at most {limits.per_address} streams; close one first")
        return screen

    def _snapshot(self, client: Client, last_id: str | None) -> None:
        """A station's own stream always starts with its document; one of all skips what the client has seen."""
        epoch, _, seen = (last_id or "").partition("-")
        since = int(seen) if epoch == self._epoch and seen.isascii() and seen.isdecimal() and len(seen) < 16 else 0
        if client.station is not None:
            entry = self.view.get(client.station)
            entries: Iterable[Entry] = [entry] if entry is not None else []
        else:
            entries = sorted((news for news in self.view if news.version > since), key=lambda entry: entry.version)
        for entry in entries:
            client.offer(entry.station, self._frame(entry, "snapshot"))
        if not client.pending:
            client.offer(_HEARTBEAT, self._heartbeat())

    def _frame(self, entry: Entry, event: str) -> bytes:
        return b"id: %b-%d\nevent: %b\ndata: %b\n\n" % (
            self._epoch.encode(), entry.version, event.encode(), entry.body,
        )  # fmt: skip

    def _heartbeat(self) -> bytes:
        return f'event: heartbeat\ndata: {{"time": "{rfc3339(self.view.now())}"}}\n\n'.encode()

    def _changed(self, entry: Entry) -> None:
        own, every = self._by_station.get(entry.station, ()), self._by_station.get(None, ())
        if own or every:
            frame = self._frame(entry, "availability")
            for client in (*own, *every):
                client.offer(entry.station, frame)

    def _removed(self, station: str) -> None:
        """It is no longer configured: its own streams end, the others forget it."""
        frame = f'event: removed\ndata: {{"station": "{station}"}}\n\n'.encode()
        for client in self._by_station.get(station, ()):
            client.offer(station, frame)
            client.ends_at = GONE
        for client in self._by_station.get(None, ()):
            client.offer(station, frame)

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        next_beat = loop.time() + HEARTBEAT_S
        while True:
            await asyncio.sleep(SWEEP_S)
            now = loop.time()
            due = now >= next_beat
            next_beat += HEARTBEAT_S if due else 0
            with self._mishaps.contained("a turn of the streams' heartbeat"):
                self._sweep(now)
                if due:
                    self._beat()

    def _beat(self) -> None:
        frame = self._heartbeat()
        for client in self._clients:
            client.offer(_HEARTBEAT, frame)

    def _sweep(self, now: float) -> None:
        for client in [*self._clients]:
            if client.sending_since is not None and now - client.sending_since > self.limits.send_timeout_s:
                self.leave(client)
                client.abort()
            elif now > client.ends_at:
                client.wake.set()
