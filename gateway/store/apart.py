"""Several jobs in one transaction, so that one that can't be stored costs only itself."""

from collections.abc import Callable, Sequence

from gateway.store.base import StoreError
from gateway.store.jobs import Job


def is_trouble(error: Exception) -> bool:
    """True for what may pass by itself: a disk that is full, locked, broken, away."""
    return not error.refused if isinstance(error, StoreError) else isinstance(error, OSError)


def write_apart(
    write: Callable[[Sequence[Job]], None], jobs: Sequence[Job], failed: Callable[[Job, Exception], None]
) -> Exception | None:
    """All jobs at once; if that fails by what is in them, each for itself. Returns the first failure, tells `failed`.

    What a store in trouble raises goes on: then nothing was written, or what was is written again.
    """
    if len(jobs) > 1:
        try:
            write(jobs)
        except Exception as error:
            if is_trouble(error):
                raise
        else:
            return None
    first: Exception | None = None
    for job in jobs:
        try:
            write([job])
        except Exception as error:
            if is_trouble(error):
                raise
            failed(job, error)
            first = first or error
    return first
