"""Waiting for a state, never for a time: as long as a busy machine needs, and no longer than it takes."""

import time
from collections.abc import Callable
from typing import Any

PATIENCE_S = 180.0
"""How long a test waits for what must happen. Only a test that fails waits so long."""

LONGEST_PAUSE_S = 0.1
"""Who asks a hundred times a second keeps a busy machine from doing what is asked for."""

NO_HANG_S = 20.0
"""A machine with many times more to do than it can do lets a process wait for seconds."""


def until(done: Callable[..., Any], what: str = "it", *, patience_s: float = PATIENCE_S, pause_s: float = 0.01) -> Any:
    """Call `done` until it gives something true, and return that.

    AssertionError, which names `what`, when it never does.

    A connection that is refused and a key that is not there yet are a no, not a failure.
    """
    end = time.monotonic() + patience_s
    longest_s = max(pause_s, LONGEST_PAUSE_S)
    while True:
        trouble = ""
        try:
            result = done()
        except (OSError, KeyError, IndexError) as error:
            result, trouble = None, f": {error!r}"
        if result:
            return result
        assert time.monotonic() < end, f"{what} did not happen within {patience_s} s{trouble}"
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.25, longest_s)


def promptly(begin_s: float, promised_s: float) -> bool:
    """What took since `begin_s` (of time.monotonic) was no hang. A machine ten times slower than ours passes: how fast
    it is stands in tests/benchmarks, not here."""
    return time.monotonic() - begin_s < max(10 * promised_s, NO_HANG_S)
