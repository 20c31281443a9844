"""What the starts before this one came to, so that a message that ends the process does not end it for ever.

A start that ends within its first minute is counted, unless it was told to end. After `PLAIN` of those in a row each
message is marked before it is handled, live or from the journal; one that was under way at `GUILTY` such ends is set
aside from then on, and so is whatever comes on a topic that brought `MANY` of those. Another version of the program
tries them again.

Two files in the store's folder: `starts.json`, written durably at a start and when it has settled, and `under-way`,
which outlives the process and need not outlive the machine. Neither holds what a message said: only fingerprints, and
the station.
"""

import contextlib
import logging
import os
from collections import Counter
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

import msgspec

from config.edit import whole
from config.files import LIST_BYTES, read_bytes
from gateway.base.mishaps import Mishaps
from gateway.model import Millis
from gateway.wire import NAME, carries_identity, station_in

log = logging.getLogger(__name__)
T = TypeVar("T")

PLAIN = 2
GUILTY = 2
MANY = 3
SETTLED_S = 60.0
KEPT = 1_000  # fingerprints of each kind; the newest stay
MARK_BYTES = 256
FILE, MARK = "starts.json", "under-way"


class EndedProcessError(Exception):
    """A message was under way when the process ended, and when it ended before."""


class Guilty(msgspec.Struct):
    """A message that is set aside: fingerprint of its topic, its station if it names one, since when. `bare`: even to
    look at what is to be kept of it ends the process.
    """

    topic: str
    station: str
    at: Millis
    bare: bool = False


class History(msgspec.Struct):
    """`early`: starts in a row that ended within their first minute; `suspects`: how often each was under way then."""

    version: str
    early: int = 0
    suspects: dict[str, int] = {}
    guilty: dict[str, Guilty] = {}


_decode = msgspec.json.Decoder(History).decode


class Starts:
    """`begin` at a start, `settle` when it went well. While `careful`, `mark` each message and `clear` behind it."""

    def __init__(self, folder: Path, history: History) -> None:
        self._folder, self._history = folder, history
        self._file: int | None = None
        self.careful = history.early > PLAIN
        self.settled = False
        self._topics = _many(history)
        self.fresh: list[str] = []  # stations of messages that are set aside since this start

    @classmethod
    def begin(cls, folder: Path, version: str, now: Millis) -> "Starts":
        """Count this start, and judge what was under way when the one before ended."""
        history = read(folder)
        if history is None or history.version != version:
            history = History(version)
        guilty_at = _judge(history, _read_mark(folder), now)
        history.early += 1
        starts = cls(folder, history)
        starts.fresh = [] if guilty_at is None else [guilty_at]
        try:
            starts._write()
        except OSError as error:
            log.error("%s can't be written (%s): should a message end us, the next start won't know", FILE, error)
        if starts.careful:
            log.error(
                "the last %d starts ended within %.0f s: one message at a time until it is known which of them it is",
                history.early - 1, SETTLED_S,
            )  # fmt: skip
        return starts

    def tell(self, mishaps: Mishaps) -> None:
        """Have it told what this start has found."""
        for station in self.fresh:
            mishaps.note("a message that was under way each time", EndedProcessError(station), station)
        self.fresh = []

    # ---- whether a message may be handled ----

    @property
    def watchful(self) -> bool:
        """Whether messages must be asked about at all."""
        return self.careful or bool(self._history.guilty)

    def unseen(self, topic: bytes, payload: bytes, received_at: Millis = 0) -> bool | None:
        """None for a message that may be handled; else it ended the process before and is to be set aside, if True
        `bare`. `received_at`: of one in the journal. While careful it is marked, whatever becomes of it.
        """
        if self.careful:
            self.mark(topic, payload, received_at)
        guilty = self._history.guilty.get(_print(topic, payload, received_at))
        if guilty is not None:
            return guilty.bare
        return False if _print(topic) in self._topics else None

    def mark(self, topic: bytes, payload: bytes, received_at: Millis = 0) -> None:
        """This one is under way. It stands in the page cache, which outlives us."""
        self._put(" ".join((_print(topic, payload, received_at), _print(topic), _station(topic))))

    def clear(self) -> None:
        """Note that no message is under way."""
        if self._file is not None:
            self._put("")

    def _put(self, text: str) -> None:
        """On a full disk nothing is marked, and the message is handled all the same."""
        with contextlib.suppress(OSError):
            if self._file is None:
                self._file = os.open(self._folder / MARK, os.O_RDWR | os.O_CREAT, 0o600)
            os.pwrite(self._file, text.encode().ljust(MARK_BYTES), 0)

    # ---- the end of the beginning ----

    def settle(self) -> None:
        """This start went well, or ends as it was told: the next one counts from 1. OSError if that can't be kept."""
        if self.settled:
            return
        self._history.early, self._history.suspects = 0, {}
        self._write()
        self.settled, self.careful = True, False
        file, self._file = self._file, None
        if file is not None:
            os.close(file)
        (self._folder / MARK).unlink(missing_ok=True)

    def _write(self) -> None:
        whole.replace(self._folder / FILE, msgspec.json.encode(self._history))


def read(folder: Path) -> History | None:
    """What was kept; None where nothing can be read. For any process."""
    with contextlib.suppress(OSError, msgspec.MsgspecError, ValueError):
        return _decode(read_bytes(folder / FILE, "store.path", LIST_BYTES))
    return None


def _read_mark(folder: Path) -> list[str]:
    """Fingerprint, the topic's, and station of what was under way; nothing where nothing was."""
    words: list[str] = []
    with contextlib.suppress(OSError, ValueError):
        words = read_bytes(folder / MARK, "store.path").decode("ascii")[:MARK_BYTES].split()
        (folder / MARK).unlink()
    return words if len(words) == 3 else []


def _judge(history: History, mark: list[str], now: Millis) -> str | None:
    """Enter what was under way. The station of a message that is set aside from now on."""
    if not mark:
        return None
    message, topic, station = mark
    known = history.guilty.get(message)
    if known is not None:
        known.bare = True
        return None
    ends = history.suspects.pop(message, 0) + 1
    if ends < GUILTY:
        history.suspects = _newest({**history.suspects, message: ends})
        return None
    history.guilty = _newest({**history.guilty, message: Guilty(topic, station, now)})
    log.error("a message of %s was under way at %d ends of the process: it is set aside unseen", station, ends)
    return station


def _newest(kept: dict[str, T]) -> dict[str, T]:
    return dict(list(kept.items())[-KEPT:])


def _many(history: History) -> set[str]:
    """Topics that brought so many that all they bring is set aside."""
    brought = Counter(message.topic for message in history.guilty.values())
    return {topic for topic, count in brought.items() if count >= MANY}


def _station(topic: bytes) -> str:
    """A station's name in the topic, or `-`: anybody may have written it, so it may be a person's number."""
    name = station_in(topic) if topic.startswith(b"yz") else ""
    return name if NAME.match(name) and not carries_identity(name.encode()) else "-"


def _print(topic: bytes, payload: bytes = b"", received_at: Millis = -1) -> str:
    head = b"%d %d " % (received_at, len(topic))
    return blake2b(head + topic + payload, digest_size=16).hexdigest()
