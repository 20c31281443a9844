"""Steps of a replica done again in the files of a store: for one that lags behind it, or is made from it."""

import sqlite3  # noqa: TID251
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from gateway.store.apply import apply
from gateway.store.day_steps import repeat_day_step
from gateway.store.days import CORE, day_path
from gateway.store.files import connect, new_file, store_errors, transaction
from gateway.store.step_words import StoreStep, unpack_jobs
from gateway.store.steps import MAKE

AT_ONCE = 500  # steps of one file in one transaction


class Repeater:
    """Does steps in order, those of one file together. `flush()` at the end; durable when that returns. StoreError."""

    def __init__(self, folder: Path, core: sqlite3.Connection, synchronous: str = "FULL") -> None:
        self._folder, self._core, self._synchronous = folder, core, synchronous
        self._waiting: list[StoreStep] = []
        self.batch = 0  # the newest that was among them
        self.steps = 0  # how many there were

    def put(self, step: StoreStep) -> None:
        if self._waiting and (self._waiting[0].day != step.day or len(self._waiting) >= AT_ONCE):
            self.flush()
        self._waiting.append(step)
        self.steps += 1

    def flush(self) -> None:
        steps, self._waiting = self._waiting, []
        if not steps:
            return
        if steps[0].day is None:
            with store_errors(self._folder / CORE):
                self._do(self._core, steps, _repeat_jobs)
            return
        path = day_path(self._folder, steps[0].day)
        with store_errors(path):
            if not path.exists():
                with new_file(path, "day", synchronous=self._synchronous):
                    pass
            with closing(connect(path, "day", synchronous=self._synchronous)) as db:
                self._do(db, steps, self._repeat_day)

    def _do(
        self, db: sqlite3.Connection, steps: Sequence[StoreStep], work: Callable[[sqlite3.Connection, StoreStep], None]
    ) -> None:
        db.execute(MAKE)
        with transaction(db):
            for step in steps:
                work(db, step)

    def _repeat_day(self, db: sqlite3.Connection, step: StoreStep) -> None:
        self.batch = max(self.batch, repeat_day_step(db, step))


def _repeat_jobs(db: sqlite3.Connection, step: StoreStep) -> None:
    for job in unpack_jobs(step.body):
        apply(db, job)
    db.execute("DELETE FROM replica_step")
    db.execute("INSERT INTO replica_step (n, batch, body) VALUES (?, 0, ?)", (step.n, step.body))


def take_parts(core: sqlite3.Connection, parts: Sequence[tuple[int, int, bytes]]) -> None:
    """Checkpoints of a replica, where they are newer than those that are there."""
    with transaction(core):
        core.executemany(
            "INSERT INTO checkpoint (part, upto, blob) VALUES (?, ?, ?) ON CONFLICT (part) DO UPDATE"
            " SET upto = excluded.upto, blob = excluded.blob WHERE excluded.upto > checkpoint.upto",
            parts,
        )
