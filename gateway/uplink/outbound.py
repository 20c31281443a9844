"""What a box sends its centre next. Pure: a journal to read, what the centre confirmed, and the time as an argument.

Two walks through the journal give the same numbers. The first is at its end: what it meets is live and goes at once.
The second follows from the cursor, behind what is live, and sends what did not go yet, as late. Whatever is the newest
of its topic when it is sent is never late, so the centre ends with what is true here. What was sent is remembered
until the line breaks or the centre stays silent; then all that it has not confirmed goes once more.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final, Protocol

import msgspec

from gateway import wire
from gateway.evidence import via
from gateway.evidence.seen import Range, holds, insert
from gateway.model import LATE, RETAINED, TS_SUSPECT, Batch, Millis
from gateway.uplink.cursor import Cursor, JournalMessage, Numbering

WINDOW: Final = 3_000
"""So many messages from behind may be on their way before the centre confirms the first of them: what is live waits for
them in the queues of brokers."""
LIVE_MOST: Final = 5_000
"""Beyond it only the newest of each topic goes live, and the rest follows as late."""
EVENTS_LIVE_MS: Final = 600_000
"""An event of a time without a line goes live when the line is back so soon."""
EVENTS_MOST: Final = 256
SILENT_MS: Final = 20_000
"""So long the centre may confirm nothing of what is on its way."""
SLOWER_MOST: Final = 5
"""So often that time doubles: a centre that is slow gets what it has not confirmed less often, and not more."""
PROBES: Final = 3
"""After so many times only one message goes in that time, until the centre confirms something."""


class ReadsJournal(Protocol):
    """The batches of a journal in order, as often as one asks."""

    def after(self, position: int, /) -> Iterator[tuple[int, Batch]]: ...


class Outbound:
    """One box and its centre. `cursor` is how far the centre has everything."""

    def __init__(self, box: str, cursor: Cursor, tip: ReadsJournal, behind: ReadsJournal) -> None:
        """`tip` and `behind` read the same journal; two, so that each keeps its place."""
        self.box, self.cursor = box, cursor
        self.confirmed: dict[str, int] = dict(cursor.counts)
        self.open = False  # the line stands, and the centre answers
        self._journal, self._behind = tip, behind
        self._tip, self._fill = Numbering(cursor), Numbering(cursor)
        self._fill_left: Iterator[JournalMessage] = iter(())
        self._held: JournalMessage | None = None
        self._marks: deque[Cursor] = deque()
        self._live: deque[JournalMessage] = deque()
        self._newest: dict[bytes, JournalMessage] = {}
        self._events: deque[JournalMessage] = deque(maxlen=EVENTS_MOST)
        self._sent: dict[str, list[Range]] = {}
        self._heard_at: Millis = 0
        self._silences = 0
        self.restored = False  # the centre has more of our journal than we do

    # ---- the journal ----

    def read_on(self, most: int) -> bool:
        """Take in what the journal has got, about `most` messages. True if there may be more."""
        count = 0
        for number, batch in self._journal.after(self._tip.position):
            for message in self._tip.walk(number, batch):
                self._note(message)
            count += len(batch)
            if count >= most:
                return True
        return False

    def _note(self, message: JournalMessage) -> None:
        if message.flags & (LATE | RETAINED):
            return
        if message.topic.endswith(b"/event"):
            self._events.append(message)
        else:
            self._newest[message.topic] = message
        if self.open:
            self._live.append(message)
            if len(self._live) > LIVE_MOST and len(self._live) > 2 * len(self._newest):
                self._live = deque(message for message in self._live if self._is_newest(message))

    def _is_newest(self, message: JournalMessage) -> bool:
        newest = self._newest.get(message.topic)
        return newest is not None and newest.n == message.n

    @property
    def backlog(self) -> int:
        """Messages of the journal that the centre has not confirmed."""
        return sum(self._tip.counts.values()) - sum(self.confirmed.values())

    # ---- the centre ----

    def connected(self, now: Millis) -> None:
        """The line stands: all that is not confirmed goes once more, what is true now first."""
        self.open, self._silences = True, 0
        self._begin_again(now)

    def lost(self) -> None:
        self.open = False
        self._live.clear()

    def _begin_again(self, now: Millis) -> None:
        self._walk_from_cursor()
        recent = [event for event in self._events if event.received >= now - EVENTS_LIVE_MS]
        waiting = [message for message in (*self._newest.values(), *recent) if not self._has(message)]
        self._live = deque(sorted(waiting, key=lambda message: (message.received, message.n)))
        self._heard_at = now

    def _walk_from_cursor(self) -> None:
        """The second walk, as if nothing had gone yet."""
        self._sent = {}
        self._fill, self._fill_left, self._held = Numbering(self.cursor), iter(()), None
        self._marks.clear()

    def _has(self, message: JournalMessage) -> bool:
        return message.n <= self.confirmed.get(message.station, 0)

    def told(self, station: str, boot: str, upto: int, now: Millis) -> None:
        """The centre has all of this journal up to `upto`."""
        if boot != self.cursor.boot:
            return
        self._heard_at = now if upto != self.confirmed.get(station) else self._heard_at
        known = self._tip.counts.get(station, 0)
        if upto > known:
            self.restored = True
            return
        probing = self._silences >= PROBES
        if upto > self.confirmed.get(station, 0):
            self.confirmed[station], self._silences = upto, 0
        elif probing:
            self._silences = PROBES - 1  # it knows us, and has not come further
        if probing:
            self._begin_again(now)
        self._advance()

    def _advance(self) -> None:
        while self._marks and all(self.confirmed.get(of, 0) >= n for of, n in self._marks[0].counts.items()):
            self.cursor = self._marks.popleft()

    def tick(self, now: Millis) -> None:
        """A centre that stays silent may have lost what is on its way."""
        if not self.open or not self._on_their_way():
            self._heard_at = now
        elif now - self._heard_at >= SILENT_MS << min(self._silences, SLOWER_MOST):
            self._silences += 1
            self._begin_again(now)

    def _on_their_way(self) -> bool:
        return any(ranges and ranges[-1][1] > self.confirmed.get(of, 0) for of, ranges in self._sent.items())

    def renumber(self, boot: str) -> None:
        """The centre has more of this journal than it holds, so it was put back from a backup: what it holds is there.
        From here on it is another journal."""
        self.cursor = Cursor(boot, self._tip.position)
        self.confirmed, self.restored = {}, False
        self._tip = Numbering(self.cursor)
        self._newest.clear()
        self._events.clear()
        self._live.clear()
        self._walk_from_cursor()

    # ---- what goes next ----

    def next_live(self) -> JournalMessage | None:
        """The next message that is live."""
        if not self.open or (self._silences >= PROBES and self._sent):
            return None
        return self._live.popleft() if self._live else None

    def put_back(self, message: JournalMessage) -> None:
        """Put back a message that could not be sent now."""
        self._live.appendleft(message)

    def next_behind(self) -> JournalMessage | None:
        """The next message from behind what is live, or None where nothing is to be sent now."""
        if not self.open or self._live or (self._silences >= PROBES and self._sent):
            return None
        while True:
            message = self._held or next(self._fill_left, None)
            self._held = None
            if message is None:
                if not self._next_batch():
                    return None
            elif message.n - self.confirmed.get(message.station, 0) > WINDOW:
                self._held = message
                return None
            elif not self._has(message) and not holds(self._sent.get(message.station, []), message.n):
                return message

    def _next_batch(self) -> bool:
        """Walk into the next batch that the first walk has met. False when there is none."""
        fill = self._fill
        if fill.position > self.cursor.position and (not self._marks or self._marks[-1].position < fill.position):
            self._marks.append(fill.cursor(self.cursor.boot))
            self._advance()
        if fill.position >= self._tip.position:
            return False
        for number, batch in self._behind.after(fill.position):
            if number > self._tip.position:
                return False
            self._fill_left = fill.walk(number, batch)
            return True
        return False

    def sent(self, message: JournalMessage) -> None:
        insert(self._sent.setdefault(message.station, []), message.n)

    def written(self, message: JournalMessage, *, live: bool) -> tuple[str, bytes]:
        """Topic and payload for the centre. `live`: it did not come from behind."""
        late = not (live or self._is_newest(message))
        way = via.Via(self.box, self.cursor.boot, message.n)
        payload = via.written(way, message.payload, counted(message), late=late)
        return message.topic.decode(), payload


def counted(message: JournalMessage) -> Millis:
    """The time by which the message counted here."""
    ts = wire_time(message.payload)
    if ts is None or message.flags & TS_SUSPECT:
        return message.received
    return min(ts, message.received)


class _Time(msgspec.Struct, gc=False):
    ts: wire.Time | None = None


_decode_time = msgspec.json.Decoder(_Time).decode


def wire_time(payload: bytes) -> Millis | None:
    """The `ts` of a payload, None where it has none."""
    if b'"ts"' not in payload:
        return None
    try:
        return wire.millis(_decode_time(payload).ts)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
