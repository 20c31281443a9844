"""Building what stays for the life of the process."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def building() -> Iterator[None]:
    """Let Python not search for garbage meanwhile, nor ever in what stands afterwards. Also a decorator.

    100,000 resources are a million objects: searching the growing heap again and again took more time than building
    it, and each later search through all of it stops the process for half a second.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.freeze()
            gc.enable()
