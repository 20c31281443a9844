"""What a change of the number of shards did to the stores, brought to their replicas: the new ones first, then the old.

What moves from file to file is in no step, so each core file goes there as a whole. Whoever loses the machine between
the two has a station's alerts and orders twice in the replica rather than nowhere.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from config.schema import Settings
from gateway.base.clock import monotonic_s, now_ms
from gateway.base.mishaps import Mishaps
from gateway.runtime.parts import Share, companions_of, folder_of, replica_of, store_of, suffix
from gateway.store.base import StoreError
from gateway.store.replica.sender import ReplicaSender

log = logging.getLogger(__name__)

PATIENCE_S = 30.0  # for all of them, `required: false`
AGAIN_S = 0.5
TELL_S = 10.0
END_S = 5.0


def bring_to_replicas(settings: Settings, shares: Sequence[Share | None], pause: Callable[[], None]) -> None:
    """Nobody else has the folders open. `shares`: the new ones, then the old ones; nothing without a replica.

    Where it is required this waits until each replica has all; else for PATIENCE_S, and what is missing is told.
    `pause` waits a little, and may raise to stop. StoreError where a store and its replica can't be brought together.
    """
    if settings.store.replica is None:
        return
    end_s = None if settings.store.replica.required else monotonic_s() + PATIENCE_S
    for share in shares:
        gateway = settings.gateway.id + suffix(share)
        try:
            brought = _brought(settings, share, gateway, pause, end_s)
        except StoreError as error:
            if end_s is None:
                raise
            log.error("%s: %s", gateway, error)
            brought = False
        if not brought:
            log.error(
                "the replica of %s lacks what changed hands: it gets that when %s runs; those of old shards never get "
                "their end, so what is restored from there, and an API elsewhere, may have alerts and orders twice",
                gateway, gateway,
            )  # fmt: skip
            return


def _brought(
    settings: Settings, share: Share | None, gateway: str, pause: Callable[[], None], end_s: float | None
) -> bool:
    """False when it is not there by `end_s`."""
    folder = folder_of(settings, share)
    sender = replica_of(settings, folder, gateway)
    assert sender is not None
    store = store_of(settings, folder, now_ms(), sender)
    try:
        return _sent(settings, sender, folder, gateway, pause, end_s)
    finally:
        sender.end(END_S)
        store.close()


def _sent(
    settings: Settings,
    sender: ReplicaSender,
    folder: Path,
    gateway: str,
    pause: Callable[[], None],
    end_s: float | None,
) -> bool:
    lease, filing = companions_of(settings, sender, folder, gateway, Mishaps())
    sender.companions = [lease]
    sender.start()
    told_at_s = monotonic_s()
    try:
        while not (sender.epoch and filing.look()):
            if sender.failed is not None:
                raise StoreError(f"the replica of {gateway}: {sender.failed}")
            if end_s is not None and monotonic_s() > end_s:
                return False
            if monotonic_s() - told_at_s >= TELL_S:
                told_at_s = monotonic_s()
                log.warning("%s waits for its replica: %s", gateway, sender.trouble or "files are on their way")
            again_s = monotonic_s() + AGAIN_S
            while monotonic_s() < again_s:
                pause()
        return True
    finally:
        filing.hang_up()
