"""What the replica's server is asked, and what can come of it."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gateway.store.step_words import StoreStep


class ServerAwayError(Exception):
    """It did not answer, or not what was asked for. Whether it did what it was told is not known."""


class FencedError(Exception):
    """Another gateway writes under our name since: we must not."""


class StuckError(Exception):
    """What it holds and what we hold can't be brought together by us. The message names the mend."""


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """`line`: whose history it is; `last`: its newest step; `whole`: it has all that a restore needs."""

    line: str
    epoch: int
    last: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Standby:
    """Whether a synchronous standby confirms each commit of the server; `why` not, in words."""

    confirms: bool
    why: str = ""


LEASE_S = 12.0
"""So long after its last word a gateway counts as gone. By the server's clock."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who may write: a store's folder on a machine, and the machine's name for people. `required`: whether it tells
    anybody that something is stored before the replica has it."""

    id: str
    name: str
    required: bool = True


class ReplicaServer(Protocol):
    """One connection. Each call raises ServerAwayError when the answer does not come; then only `close` is left."""

    def state(self) -> ReplicaState | None:
        """None: it knows nothing of this gateway."""
        ...

    def take_lease(self, holder: Holder) -> str | None:
        """None: it is ours for LEASE_S. Else the name of who has it."""
        ...

    def claim(self, line: str) -> int:
        """Be the one that writes from now on; returns our epoch, above all before. StuckError for another line."""
        ...

    def resume(self, epoch: int) -> None:
        """Be the one who claimed that epoch, on another connection."""
        ...

    def not_whole(self) -> None:
        """Some of what it had is gone: no file that it holds counts, and all are brought anew."""
        ...

    def lacks_steps(self) -> None:
        """Some of what it was to get is nowhere any more: a restore waits until it has the files anew. FencedError."""
        ...

    def insert(self, step: StoreStep) -> None:
        """Durable when it returns, also on the standby. What was there under this number is replaced. FencedError."""
        ...

    def has(self, step: StoreStep) -> bool:
        """Whether this very step is there; if so it is as durable as after `insert`. FencedError."""
        ...

    def body(self, n: int) -> bytes | None:
        """The content of step `n`; None where it is not there."""
        ...

    def epoch_of(self, n: int) -> int | None:
        """In which it was written, if it is there."""
        ...

    def steps(self, after: int) -> Iterator[StoreStep]:
        """All behind that number, in order."""
        ...

    def steps_of(self, day: int | None, after: int, upto: int) -> Iterator[StoreStep]:
        """Those of one day's file, None: of the core file, behind `after` up to `upto`, in order."""
        ...

    def days_after(self, day: int) -> list[int]:
        """Of which later days it has steps."""
        ...

    def fetch(self, name: str, target: Path) -> int | None:
        """A whole file; returns the last step that it contains, None where it has no such file. StoreError."""
        ...

    def at_one_moment(self) -> AbstractContextManager[None]:
        """All that is asked inside is true of one moment."""
        ...

    def keep_parts(self, rows: Sequence[tuple[int, int, bytes]]) -> None:
        """Checkpoints (part, upto, blob). FencedError."""
        ...

    def standby(self) -> Standby: ...

    def close(self) -> None: ...
