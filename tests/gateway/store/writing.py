"""The writer's door without its thread: jobs are done where they are asked for."""

from collections.abc import Sequence

from gateway.base.mishaps import Mishaps
from gateway.store.apart import is_trouble, write_apart
from gateway.store.base import Store
from gateway.store.jobs import Done, Job, WriteJobs


def at_once(store: Store, mishaps: Mishaps | None = None) -> WriteJobs:
    """Trouble of the store is raised to who is patient, as there is nobody to wait."""
    noted = mishaps or Mishaps()

    def write(jobs: Sequence[Job], done: Done | None = None, *, patient: bool = True) -> None:
        error: Exception | None
        try:
            error = write_apart(store.write, jobs, lambda job, fault: noted.note(type(job).__name__, fault))
        except Exception as trouble:
            if patient or not is_trouble(trouble):
                raise
            error = trouble
        if done is not None:
            done(error)

    return write
