"""When partners by OCPI and apps by webhook last took anything: what nobody uses for a week is told, for it may be
broken on their side and nobody knows.

One small file, which doctor reads, too; several processes may share it.
"""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from api.private_files import locked, replace_private
from config.files import UnusableFileError, read_bytes
from gateway.model import Millis

FILE: Final = "outward_use.json"
MOST_BYTES: Final = 16 << 20
WEEK_MS: Final = 7 * 86_400_000


class LastUse(msgspec.Struct, frozen=True):
    """`since`: known since then; `told`: when it was last told that nobody uses it."""

    since: Millis
    used: Millis | None = None
    told: Millis | None = None

    def unused_since(self, now: Millis) -> Millis | None:
        """The last use, or since when it is known; None where that is less than a week ago."""
        last = self.since if self.used is None else max(self.since, self.used)
        return last if now - last >= WEEK_MS else None


class OutwardUse:
    """Names are for people: `subscription sub_1f`, `OCPI partner app`."""

    def __init__(self, folder: Path) -> None:
        self._path, self._lock = folder / FILE, threading.Lock()
        self._marks: dict[str, Millis] = {}

    def used(self, name: str, at: Millis) -> None:
        """It took something. Any thread; costs no file."""
        with self._lock:
            self._marks[name] = at

    def look(self, known: Mapping[str, tuple[Millis, Millis | None]], now: Millis) -> dict[str, Millis]:
        """Those unused for a week and not told of for a week, with since when; they count as told.

        `known`: all there are, with since when and when last used, as far as the caller knows. OSError where the file
        can't be written.
        """
        with self._lock:
            marks, self._marks = self._marks, {}
        with locked(self._path.parent):
            before = uses_in(self._path.parent)
            kept, news = dict[str, LastUse](), dict[str, Millis]()
            for name, (since, used) in known.items():
                old = before.get(name, LastUse(since))
                latest = max(filter(None, (old.used, used, marks.get(name))), default=None)
                last = LastUse(min(old.since, since), latest, old.told)
                unused = last.unused_since(now)
                if unused is not None and (last.told is None or now - last.told >= WEEK_MS):
                    news[name] = unused
                    last = LastUse(last.since, last.used, now)
                kept[name] = last
            if kept != before:
                replace_private(self._path, msgspec.json.encode(kept))
        return news


def uses_in(folder: Path) -> dict[str, LastUse]:
    """What the file of a store's folder has; nothing where there is none that can be read."""
    try:
        return msgspec.json.decode(read_bytes(folder / FILE, "last use", MOST_BYTES), type=dict[str, LastUse])
    except (UnusableFileError, msgspec.MsgspecError):
        return {}
