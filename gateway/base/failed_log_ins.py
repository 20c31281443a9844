"""Log-ins that fail in numbers, in `failed_log_ins.json` beside the store: the API writes it, alerts read it.

Every way in counts: keys, one-time answers of providers, passkeys. Each process of the API counts for itself.
"""

import contextlib
import json
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path

from config.files import read_text
from gateway.base.told_beside import tell_beside
from gateway.model import Millis

FILE = "failed_log_ins.json"
MANY = 20
WITHIN_MS = 15 * 60_000
AGAIN_MS = 30_000  # how often at most it is written anew


@dataclass(frozen=True, slots=True)
class FailedLogIns:
    """At least `count` within WITHIN_MS before `last`, the last of them from `address`."""

    last: Millis
    count: int
    address: str


class FailedLogInCount:
    """The failed log-ins of one process. `failed` is called at each, on one thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._times: deque[Millis] = deque(maxlen=MANY)
        self._written_at: Millis | None = None

    def failed(self, address: str, now: Millis) -> None:
        """From MANY on the gateway hears of it. A disk that takes nothing is told elsewhere."""
        self._times.append(now)
        if len(self._times) < MANY or now - self._times[0] > WITHIN_MS:
            return
        if self._written_at is None or now - self._written_at >= AGAIN_MS:
            self._written_at = now
            with contextlib.suppress(OSError):
                tell_beside(self._folder, FILE, asdict(FailedLogIns(now, MANY, address)))


def trouble_in(folder: Path, now: Millis) -> str | None:
    """What to tell staff, until a quarter of an hour has gone without."""
    path = folder / FILE
    if not path.exists():
        return None
    try:
        told = FailedLogIns(**json.loads(read_text(path, FILE)))
        over = not 0 <= now - told.last + AGAIN_MS <= WITHIN_MS + AGAIN_MS
        return None if over else f"{int(told.count)} and more within 15 minutes, the last from {str(told.address)[:64]}"
    except (ValueError, TypeError):
        return None
