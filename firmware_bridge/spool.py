"""What the gateway has not confirmed yet, on disk. A message leaves only when the gateway's watermark covers it.

The bridge gives each message its number here, in the commit that stores it; `boot` is born with the file. So a restart
goes on counting where it stopped, what was sent before it is still covered by the same watermark, and nothing can be
told twice under two names. Only a lost file begins a new boot.
"""

import logging
import sqlite3  # noqa: TID251  the spool has its own file
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from firmware_bridge.devices.base import DeviceReading, Heard
from firmware_bridge.spool_charges import ChargeBook
from firmware_bridge.spool_file import FILE, open_file, spool_errors, transaction
from firmware_bridge.spool_relay import HeldFrame, RelayBook, RelayedBefore
from gateway.model import Millis, Signal

log = logging.getLogger(__name__)

ROW_BYTES = 96  # what a row costs beside its body, rounded up
ROOM = 20  # a full spool frees one part in so many at once, not a row a time


@dataclass(frozen=True, slots=True)
class HeldReading:
    """One message that waits for the gateway."""

    seq: int
    ts: Millis
    event: str | None
    signals: dict[str, Signal]


_decode = msgspec.json.Decoder(dict[str, Signal]).decode


class Spool:
    """Any thread may call anything; each `put` is one commit and on disk when it returns. SpoolError from all of it."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._lock = threading.Lock()
        self._path = folder / FILE
        with spool_errors(self._path):
            folder.mkdir(parents=True, exist_ok=True)
            self._db = db = open_file(self._path)
            db.execute("INSERT OR IGNORE INTO about (name, value) VALUES ('boot', ?)", (uuid.uuid4().hex[:16],))
            self.boot: str = db.execute("SELECT value FROM about WHERE name='boot'").fetchone()[0]
            self._ids: dict[str, int] = dict(db.execute("SELECT name, id FROM device"))
            self._bytes: int = db.execute(
                f"SELECT coalesce(sum(length(body) + {ROW_BYTES}), 0) FROM held"  # noqa: S608
            ).fetchone()[0]
            self.dropped: int = db.execute("SELECT coalesce(sum(lost), 0) FROM device").fetchone()[0]
        self._new: list[str] = []  # devices that the present commit gives a number
        self._max = max_bytes
        self._stuck = False  # no room could be made; told once

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def _asked(self) -> Iterator[sqlite3.Connection]:
        """The database, for one thread at a time."""
        with self._lock, spool_errors(self._path):
            yield self._db

    def put(self, heard: Iterable[Heard], now: Millis) -> tuple[str, ...]:
        """Store all readings in one commit; returns the devices that have news. A frame told twice is stored once.

        SpoolError when the disk does not take it: nothing of it is stored then.
        """
        fresh: list[str] = []
        with self._asked() as db:
            self._new.clear()
            try:
                with transaction(db):
                    grown = sum(self._take(frame, now, fresh) for frame in heard)
            except BaseException:
                for device in self._new:
                    del self._ids[device]
                raise
            self._bytes += grown
            if self._bytes > self._max:
                self._try_to_make_room()
        return tuple(dict.fromkeys(fresh))

    def _take(self, heard: Heard, now: Millis, fresh: list[str]) -> int:
        if heard.wire is not None:
            device, mark = heard.wire
            key = self._id(device)
            known = self._db.execute("SELECT mark FROM device WHERE id=?", (key,)).fetchone()[0]
            if mark and known == mark:
                return 0
            if known != mark:
                self._db.execute("UPDATE device SET mark=? WHERE id=?", (mark, key))
        grown, readings = 0, heard.readings
        if heard.step is not None:
            readings += tuple(heard.step(ChargeBook(self._db), now))
        for reading in readings:
            grown += self._insert(reading, now)
            fresh.append(reading.device)
        return grown

    def _insert(self, reading: DeviceReading, now: Millis) -> int:
        key = self._id(reading.device)
        body = msgspec.json.encode(reading.signals)
        row = self._db.execute(
            "UPDATE device SET next_seq = next_seq + 1 WHERE id=? RETURNING next_seq - 1", (key,)
        ).fetchone()
        self._db.execute(
            "INSERT INTO held (device, seq, ts, event, body) VALUES (?,?,?,?,?)",
            (key, row[0], now, reading.event, body),
        )
        return len(body) + ROW_BYTES

    def _id(self, device: str) -> int:
        if device not in self._ids:
            row = self._db.execute("INSERT INTO device (name) VALUES (?) RETURNING id", (device,)).fetchone()
            self._ids[device] = row[0]
            self._new.append(device)
        return self._ids[device]

    def _try_to_make_room(self) -> None:
        """What was put is stored, whatever becomes of this: a spool beyond its bound is tried again with the next."""
        try:
            self._make_room()
        except sqlite3.Error as error:
            if not self._stuck:
                log.error("the spool is full, and old readings can't be dropped: %s", error)
            self._stuck = True
        else:
            self._stuck = False

    def _make_room(self) -> None:
        """The oldest telemetry goes, counted for each device; events never go."""
        target = self._bytes - self._max + self._max // ROOM
        doomed: list[tuple[int, int]] = []
        freed = 0
        for device, seq, size in self._db.execute(
            f"SELECT device, seq, length(body) + {ROW_BYTES} FROM held WHERE event IS NULL ORDER BY ts, device, seq"  # noqa: S608
        ):
            doomed.append((device, seq))
            freed += size
            if freed >= target:
                break
        if not doomed:
            return
        with transaction(self._db):
            self._db.executemany("DELETE FROM held WHERE device=? AND seq=?", doomed)
            self._db.executemany("UPDATE device SET lost = lost + 1 WHERE id=?", [(device,) for device, _ in doomed])
        self._bytes -= freed
        self.dropped += len(doomed)
        log.error("the spool is full: %d old readings dropped, %d since it was made", len(doomed), self.dropped)

    def devices(self) -> dict[str, tuple[int, int]]:
        """For each device that has messages here: the lowest and the highest seq."""
        with self._asked() as db:
            rows = db.execute(
                "SELECT name, min(seq), max(seq) FROM held JOIN device ON device.id = held.device GROUP BY held.device"
            ).fetchall()
        return {name: (low, high) for name, low, high in rows}

    def oldest(self, device: str) -> int | None:
        """The lowest seq still held; everything below it that is not covered is lost for good."""
        with self._asked() as db:
            row = db.execute("SELECT min(seq) FROM held WHERE device=?", (self._ids.get(device),)).fetchone()
        return row[0] if row else None

    def after(self, device: str, seq: int, limit: int) -> Sequence[HeldReading]:
        """The next messages behind `seq`, in order."""
        with self._asked() as db:
            rows = db.execute(
                "SELECT seq, ts, event, body FROM held WHERE device=? AND seq>? ORDER BY seq LIMIT ?",
                (self._ids.get(device), seq, limit),
            ).fetchall()
        return [HeldReading(number, ts, event, _decode(body)) for number, ts, event, body in rows]

    def cover(self, device: str, boot: str, upto: int) -> int:
        """The gateway has all up to `upto`: let go of it. Returns how many went; none for another boot."""
        if boot != self.boot or device not in self._ids:
            return 0
        with self._asked() as db:
            size, count = db.execute(
                f"SELECT coalesce(sum(length(body) + {ROW_BYTES}), 0), count(*) FROM held WHERE device=? AND seq<=?",  # noqa: S608
                (self._ids[device], upto),
            ).fetchone()
            if count:
                db.execute("DELETE FROM held WHERE device=? AND seq<=?", (self._ids[device], upto))
                self._bytes -= size
        return int(count)

    def lost(self) -> dict[str, int]:
        """Readings dropped for want of room, for each device that lost any."""
        with self._asked() as db:
            return dict(db.execute("SELECT name, lost FROM device WHERE lost > 0"))

    def open_charge(self, device: str) -> tuple[int, str] | None:
        """The number that the pile has and its own name of the transaction that goes on there."""
        with self._asked() as db:
            row = ChargeBook(db).open_at(device)
        return None if row is None else (row.given, row.mark)

    def relayed_before(self, now: Millis) -> RelayedBefore:
        """What a bus with an operator goes on from."""
        with self._asked() as db:
            return RelayBook(db).before(now)

    def relay_next(self, pile: str, after: int, limit: int) -> Sequence[HeldFrame]:
        """The next frames that wait for the pile's operator behind the number `after`, in order."""
        with self._asked() as db:
            return RelayBook(db).next(pile, after, limit)

    def out_of_service(self) -> dict[str, Millis]:
        """Devices that staff took out of service, and until when."""
        with self._asked() as db:
            return dict(db.execute("SELECT device, until FROM out_of_service"))

    def keep_out_of_service(self, device: str, until: Millis | None) -> None:
        """Until then; None for no longer."""
        with self._asked() as db:
            if until is None:
                db.execute("DELETE FROM out_of_service WHERE device=?", (device,))
            else:
                db.execute("INSERT OR REPLACE INTO out_of_service (device, until) VALUES (?, ?)", (device, until))

    def first_use(self, nonce: str, until: Millis, now: Millis) -> bool:
        """True once for each nonce; it is remembered, restart or not, until its command has expired."""
        with self._asked() as db:
            db.execute("DELETE FROM nonce WHERE until < ?", (now,))
            done = db.execute("INSERT OR IGNORE INTO nonce (value, until) VALUES (?, ?)", (nonce, until))
            return done.rowcount == 1
