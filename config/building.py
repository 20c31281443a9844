"""Building what stays for the life of the process."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

MANY = 300_000
"""So many new objects, net, are never searched again."""

NEVER = sys.maxsize
"""What is built only to be looked at goes again, and whatever else the process has under way meanwhile."""


@contextmanager
def building(freeze_above: int = -1) -> Iterator[None]:
    """Let Python not search for garbage meanwhile, nor ever in what stands afterwards. Also a decorator.

    100,000 resources are a million objects: searching the growing heap again and again took more time than building
    it, and each later search through all of it stops the process for half a second. A part that is built anew stands
    beside what others have begun meanwhile: that is left out of searches only where the new objects are more than
    `freeze_above`.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            if gc.get_count()[0] > freeze_above:
                gc.freeze()
            gc.enable()
