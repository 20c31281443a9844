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


MANY = 300_000
"""So many new objects, net, are never searched again."""


@contextmanager
def rebuilding() -> Iterator[None]:
    """The same while a part is built anew. What stands afterwards is left out of searches only where it is much: what
    others have begun meanwhile would be, too.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            if gc.get_count()[0] > MANY:
                gc.freeze()
            gc.enable()
