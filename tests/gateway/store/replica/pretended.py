"""A replica's server in memory that loses answers, hangs and goes away when it is told to."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from gateway.store.replica.words import FencedError, Holder, ReplicaState, ServerAwayError, Standby, StuckError
from gateway.store.step_words import StoreStep


class PretendedServer:
    """What a server keeps, and how it fails. `inserts`: the number of each INSERT that it was sent, in order."""

    def __init__(self) -> None:
        self.line: str | None = None
        self.epoch = 0
        self.holder: Holder | None = None
        self.rows: dict[int, StoreStep] = {}
        self.epochs: dict[int, int] = {}
        self.parts: dict[int, tuple[int, int, bytes]] = {}
        self.inserts: list[int] = []
        self.asked: list[int] = []
        self.away = False
        self.open = threading.Event()  # an INSERT waits for it, as for a standby
        self.open.set()
        self.waiting = threading.Event()
        self.lose: list[str] = []  # for the next INSERTs: "answer", it is done; "question", it is not
        self.whole = True
        self.names = Standby(confirms=True)

    def connect(self) -> "PretendedConnection":
        if self.away:
            raise ServerAwayError("nobody answers")
        return PretendedConnection(self)


class PretendedConnection:
    """See `words.ReplicaServer`."""

    def __init__(self, server: PretendedServer) -> None:
        self._server = server
        self._epoch = 0

    def state(self) -> ReplicaState | None:
        server = self._alive()
        if server.line is None:
            return None
        return ReplicaState(server.line, server.epoch, max(server.rows, default=0), whole=server.whole)

    def take_lease(self, holder: Holder) -> str | None:
        server = self._alive()
        if server.holder not in (None, holder):
            return server.holder.name
        server.holder = holder
        return None

    def claim(self, line: str) -> int:
        server = self._alive()
        if server.line not in (None, line):
            raise StuckError("another store")
        server.line, server.epoch = line, server.epoch + 1
        self._epoch = server.epoch
        return server.epoch

    def resume(self, epoch: int) -> None:
        self._epoch = epoch

    def not_whole(self) -> None:
        self._alive().whole = False

    def lacks_steps(self) -> None:
        self._alive().whole = False

    def insert(self, step: StoreStep) -> None:
        server = self._alive()
        server.inserts.append(step.n)
        how = server.lose.pop(0) if server.lose else ""
        if how == "question":
            raise ServerAwayError("the line broke")
        server.waiting.set()
        server.open.wait()
        if server.epoch != self._epoch:
            raise FencedError("another gateway writes")
        server.rows[step.n], server.epochs[step.n] = step, self._epoch
        if how == "answer":
            raise ServerAwayError("the line broke")

    def has(self, step: StoreStep) -> bool:
        server = self._alive()
        server.asked.append(step.n)
        return server.rows.get(step.n) == step

    def body(self, n: int) -> bytes | None:
        row = self._alive().rows.get(n)
        return None if row is None else row.body

    def epoch_of(self, n: int) -> int | None:
        return self._alive().epochs.get(n)

    def days_after(self, day: int) -> list[int]:
        return sorted({step.day for step in self._alive().rows.values() if step.day is not None and step.day > day})

    def fetch(self, name: str, target: Path) -> int | None:
        return None

    def at_one_moment(self) -> AbstractContextManager[None]:
        return nullcontext()

    def steps(self, after: int) -> Iterator[StoreStep]:
        yield from [step for n, step in sorted(self._alive().rows.items()) if n > after]

    def steps_of(self, day: int | None, after: int, upto: int) -> Iterator[StoreStep]:
        yield from [step for step in self.steps(after) if step.day == day and step.n <= upto]

    def keep_parts(self, rows: Sequence[tuple[int, int, bytes]]) -> None:
        self._alive().parts |= {row[0]: row for row in rows}

    def standby(self) -> Standby:
        return self._alive().names

    def close(self) -> None:
        pass

    def _alive(self) -> PretendedServer:
        if self._server.away:
            raise ServerAwayError("nobody answers")
        return self._server
