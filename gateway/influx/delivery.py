"""Lines to the copy until it has decided about each: taken, refused for good, or older than it keeps.

Lines are the same at every sending, so a write that may or may not have happened is simply sent again.
"""

import logging
import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.base.clock import now_ms
from gateway.base.mishaps import Mishaps
from gateway.influx.client import TEXT_MOST, WriteAnswer
from gateway.influx.lines import time_of
from gateway.model import Millis

log = logging.getLogger(__name__)

REFUSED_SHARE = 20  # one row of so many may be refused; more is a changed schema, not a poisoned row
FIT_AGAIN = 20  # parts taken in a row after which a larger one is tried again

DeadLetter = tuple[Millis, str, str]  # when, the line, the server's words


class CopyTarget(Protocol):
    """Where rows go; `store.influx.InfluxWriter` is one."""

    @property
    def name(self) -> str: ...
    def write(self, lines: Sequence[str], now: Millis) -> WriteAnswer: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class CopyPatience:
    """Pauses in seconds: while rows gather, the first and longest after a failure (full jitter between), and where a
    person must act."""

    linger_s: float = 1.0
    first_s: float = 1.0
    longest_s: float = 60.0
    configuration_s: float = 60.0


class EndedError(Exception):
    """We were told to end in the middle of it."""


class DriftError(Exception):
    """The copy refuses so much that it is no single bad row."""


class CopyDelivery:
    """`trouble` says in words what keeps rows from being taken; None while all is well."""

    def __init__(
        self,
        target: CopyTarget,
        patience: CopyPatience,
        batch_rows: int,
        ending: threading.Event,
        before_pause: Callable[[], None] = lambda: None,
        mishaps: Mishaps | None = None,
    ) -> None:
        self._target, self._patience, self._batch_rows = target, patience, batch_rows
        self._ending, self._before_pause = ending, before_pause
        self._limit, self._fit = batch_rows, 0
        self._mishaps = mishaps or Mishaps()
        self.failures: Counter[str] = Counter()
        self.rows = 0
        self.expired = 0
        self.trouble: str | None = None

    def deliver(self, lines: Sequence[str]) -> list[DeadLetter]:
        """Send all of it; returns what the copy refuses. A refused part is halved until the bad rows stand alone.

        DriftError when that is more than REFUSED_SHARE allows, or when nothing at all is taken: one row alone proves
        nothing about itself, so it waits for company. EndedError when we shall end.
        """
        dead: list[DeadLetter] = []
        parts: list[Sequence[str]] = []
        allowed, taken, expired, at = max(1, len(lines) // REFUSED_SHARE), 0, 0, 0
        while parts or at < len(lines):
            if not parts:
                parts, at = [lines[at : at + self._limit]], at + self._limit
            part = parts.pop()
            answer = self._settle(part)
            if answer.verdict == "taken":
                taken += len(part)
            elif answer.verdict == "expired" and self._all_expired(part):
                expired += len(part)
            elif len(part) > 1:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
            else:
                dead.append((now_ms(), part[0], f"{answer.reason} {answer.text}"))
                if len(dead) > allowed:
                    raise self._drift(answer.text)
        if dead and not taken + expired:
            raise self._drift(dead[-1][2])
        # Once more, now that others were taken: perhaps it was the server, and is mended.
        dead = [refused for refused in dead if self._settle([refused[1]]).verdict != "taken"]
        for _, line, reason in dead:
            log.error("the copy refuses one row (%s): %s", reason, line)
        self.rows += len(lines) - len(dead) - expired
        self.expired += expired
        self._tell(None)
        return dead

    def _drift(self, text: str) -> DriftError:
        self._tell(f"the copy refuses too many rows ({text}): mend it or its schema; nothing is left out")
        return DriftError(text)

    def _tell(self, trouble: str | None) -> None:
        if trouble is not None and self.trouble is None:
            log.error("%s; the journal keeps everything until it works again", trouble)
        elif trouble is None and self.trouble is not None:
            log.info("the copy takes rows again")
        self.trouble = trouble

    def _all_expired(self, part: Sequence[str]) -> bool:
        """Whether its newest row is older than the copy keeps, and so all of it."""
        return len(part) == 1 or self._settle([max(part, key=time_of)]).verdict == "expired"

    def _settle(self, part: Sequence[str]) -> WriteAnswer:
        """Send it until the copy has decided."""
        attempt = 0
        while not self._ending.is_set():
            answer = self._write(part)
            if answer.verdict == "taken":
                self._grow(len(part))
                return answer
            self.failures[answer.reason] += 1
            if answer.verdict == "too_large" and len(part) >= self._limit:
                self._limit, self._fit = max(1, len(part) // 2), 0
            if answer.verdict in ("refused", "expired", "too_large"):
                return answer
            pause_s = self._pause_after(answer, attempt)
            self._before_pause()
            self._ending.wait(pause_s)
            attempt += 1
        raise EndedError

    def _write(self, part: Sequence[str]) -> WriteAnswer:
        """A fault of ours over a part is an answer as well: it is halved down to the rows at fault, like a refusal."""
        try:
            return self._target.write(part, now_ms())
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            self._mishaps.note("writing rows to the copy", error)
            return WriteAnswer("refused", "fault", repr(error)[:TEXT_MOST])

    def _pause_after(self, answer: WriteAnswer, attempt: int) -> float:
        """Seconds until the same is tried again."""
        if answer.verdict == "configuration":
            self._tell(f"configuration of the copy ({self._target.name}): {answer.reason} {answer.text}")
            self._target.close()  # the token may be mended by then
            return self._patience.configuration_s
        self._tell(f"the copy can't be reached ({self._target.name}): {answer.reason} {answer.text}")
        longest = min(self._patience.longest_s, self._patience.first_s * 2 ** min(attempt, 16))
        jitter = random.uniform(0, longest)  # noqa: S311  so that many gateways do not come at once
        return jitter if answer.wait_s is None else answer.wait_s

    def _grow(self, size: int) -> None:
        """Who said 413 once need not say it for ever."""
        if size >= self._limit < self._batch_rows:
            self._fit += 1
            if self._fit >= FIT_AGAIN:
                self._limit, self._fit = min(self._limit * 2, self._batch_rows), 0
