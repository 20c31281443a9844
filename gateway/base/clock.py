"""The only file that asks the machine for the time. Everybody else is told it."""

import time

from gateway.model import Millis

JUMP_MS = 2_000


def now_ms() -> Millis:
    """Wall clock, milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000  # noqa: TID251  this is the one place


def monotonic_s() -> float:
    """Seconds that never jump, for waits and durations."""
    return time.monotonic()


class SteadyClock:
    """Wall time that moves like the monotonic clock between jumps, so that no deadline fires early or late.

    `read()` returns `(now, jump)`: `jump` is 0, or by how many ms the wall clock was set since the last reading.
    """

    def __init__(self) -> None:
        self._offset = now_ms() - self._mono()

    @staticmethod
    def _mono() -> Millis:
        return time.monotonic_ns() // 1_000_000

    def read(self) -> tuple[Millis, Millis]:
        mono, wall = self._mono(), now_ms()
        jump = wall - (mono + self._offset)
        if -JUMP_MS <= jump <= JUMP_MS:
            return mono + self._offset, 0
        self._offset = wall - mono
        return wall, jump

    def peek(self) -> Millis:
        """Now, without looking for a jump: for working out how long to wait."""
        return self._mono() + self._offset
