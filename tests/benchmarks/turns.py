"""CPU time of whole turns of intake with their commits, in one thread and without a socket.

    python -m tests.benchmarks.turns [MESSAGES_A_TURN [FLIP_EVERY [MESSAGES]]]

A turn comes every quarter of a millisecond a message, 4,000 messages a second; the store is in memory where the
machine has a folder for it. Prints the microseconds a message, the least of five laps.
"""

import sys
import tempfile
from pathlib import Path
from time import thread_time
from typing import Any

from config.load import load
from gateway.base.clock import now_ms
from gateway.core.outcome import Frame
from gateway.mqtt.reader import Arrivals
from gateway.runtime import Gateway
from tests.benchmarks.places import FIRST_SEQ, names, payload, write_config

STATIONS, SEATS, LAPS, MS_A_MESSAGE = 100, 20, 5, 0.25
MEMORY = Path("/dev/shm")


class Sender:
    """Stands in for the session: gives what is put into it, and says yes to all else."""

    connected = subscribed = True
    held = takeover_suspected = False
    epoch, trouble, client_id, protocol = 1, None, "bench", "5"
    arrivals: Arrivals | None = None

    def poll(self, *_: Any, **__: Any) -> Arrivals | None:
        arrivals, self.arrivals = self.arrivals, None
        return arrivals

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


class StandingClock:
    """Says what it was set to."""

    def __init__(self) -> None:
        self.ms = float(now_ms())

    def read(self) -> tuple[int, int]:
        return int(self.ms), 0

    def peek(self) -> int:
        return int(self.ms)


class Turns:
    def __init__(self, folder: Path, flip_every: int) -> None:
        write_config(folder / "config.yaml", STATIONS, SEATS, "mqtt://127.0.0.1")
        self.gateway, self.clock, self.sender = Gateway(load(folder / "config.yaml")), StandingClock(), Sender()
        self._devices, self._flip_every, self._number = list(names(STATIONS, SEATS)), flip_every, 0
        intake: Any = self.gateway.intake
        intake._clock, intake.writer.put = self.clock, intake.writer._commit
        for part in (intake, intake.committing, intake.documents):
            part.session = self.sender
        self.intake = intake
        self.gateway.alerting.begin(self.clock.peek())

    def take(self, count: int) -> float:
        """One turn with so many messages; its CPU time in seconds."""
        frames = [self._frame() for _ in range(count)]
        self.sender.arrivals = Arrivals(frames=frames, mids=list(range(count)), epoch=1) if count else None
        begin = thread_time()
        self.intake._patience()
        self.intake._turn(0.0)
        self.clock.ms += count * MS_A_MESSAGE
        return thread_time() - begin

    def _frame(self) -> Frame:
        lap, at = divmod(self._number, len(self._devices))
        self._number += 1
        station, device = self._devices[at]
        value = bool((lap + at) // self._flip_every % 2)
        return f"yz/{station}/{device}/state".encode(), payload(FIRST_SEQ + lap, value, self.clock.peek()), 0


def main() -> None:
    a_turn, flip_every, messages = [*map(int, sys.argv[1:]), *(10, 20, 4_000)[len(sys.argv) - 1 :]]
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        turns = Turns(Path(name), flip_every)
        for _ in range(3 * STATIONS * SEATS // 100):
            turns.take(100)
        laps = [sum(turns.take(a_turn) for _ in range(messages // a_turn)) for _ in range(LAPS)]
    sys.stdout.write(f"{min(laps) / messages * 1e6:.1f} µs a message\n")


if __name__ == "__main__":
    main()
