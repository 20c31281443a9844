"""`yizhan` with a fault that no Python can contain: whatever says `"firmware": "poison"` ends the process.

`python -m tests.e2e.faults.poisoned HOW WHERE …` : HOW is `kill`, `segfault` or `invariant`; WHERE `handled`, in the
core, or `stored`, in the writer's thread.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from api import cli
from gateway.core.usual import Usual
from gateway.model import InvariantError
from gateway.store.sqlite import SqliteStore

POISON = b'"firmware": "poison"'


def _end(how: str) -> None:
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "segfault":
        ctypes.string_at(0)
    raise InvariantError("a promise of ours does not hold")


def poisoned(how: str, work: Callable[..., Any], payloads: Callable[..., list[bytes]]) -> Callable[..., Any]:
    def inner(*values: Any) -> Any:
        if any(POISON in payload for payload in payloads(*values)):
            _end(how)
        return work(*values)

    return inner


def main() -> int:
    how, where = sys.argv[1:3]
    if where == "handled":
        take = poisoned(how, Usual.take, lambda _self, frames, *_: [frame[1] for frame in frames])
        Usual.take = take  # type: ignore[method-assign]
    else:
        commit = poisoned(how, SqliteStore.commit, lambda _self, batch, *_: batch.payloads)
        SqliteStore.commit = commit  # type: ignore[method-assign]
    return cli.main(sys.argv[3:])


if __name__ == "__main__":
    sys.exit(main())
