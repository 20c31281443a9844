"""Failed log-ins: slowed for each address, told in the log and in the audit trail. A right key is never slowed.

Keys have 256 random bits, so guessing is hopeless; what is kept small is its cost, and what is wanted is that somebody
hears of it.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from fastapi import HTTPException, Request

from gateway.model import Millis

log = logging.getLogger(__name__)

FORGOTTEN_MS = 15 * 60_000
FREE = 3  # mistakes that cost nothing
LONGEST_WAIT_S = 4.0
WAITING_AT_ONCE = 4
ADDRESSES_KEPT = 10_000
TOLD = frozenset(10**power for power in range(1, 10)) | {5}


@dataclass(slots=True)
class _Tries:
    failed: int = 0
    last: Millis = 0
    waiting: int = 0


class Attempts:
    """What failed, by address, in one process; `tell(address, failed)` hears of the 5th, 10th, 100th, … failure,
    `at_each(address, now)` is called at every one."""

    def __init__(
        self,
        tell: Callable[[str, int], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        at_each: Callable[[str, Millis], None] = lambda _address, _now: None,
    ) -> None:
        self._tell, self._sleep, self._each = tell, sleep, at_each
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def may(self, address: str) -> None:
        """429 while this address has several wrong keys waiting for their answer; nobody else is held up."""
        tries = self._tries.get(address)
        if tries is not None and tries.waiting >= WAITING_AT_ONCE:
            raise HTTPException(
                429, "too many wrong keys from this address; try again in a moment", {"retry-after": "5"}
            )

    async def failed(self, address: str, now: Millis) -> None:
        """Return when the answer may be given."""
        tries = self._of(address, now)
        tries.failed, tries.last = tries.failed + 1, now
        self._each(address, now)
        if tries.failed in TOLD:
            log.warning("%d failed log-ins from %s within a short time", tries.failed, address)
            self._tell(address, tries.failed)
        if tries.failed <= FREE:
            return
        tries.waiting += 1
        try:
            await self._sleep(min(0.25 * 2 ** min(tries.failed - FREE - 1, 8), LONGEST_WAIT_S))
        finally:
            tries.waiting -= 1

    def _of(self, address: str, now: Millis) -> _Tries:
        tries = self._tries.pop(address, None)
        if tries is None or (now - tries.last > FORGOTTEN_MS and not tries.waiting):
            tries = _Tries()
        self._tries[address] = tries
        while len(self._tries) > ADDRESSES_KEPT:
            self._tries.popitem(last=False)
        return tries


def address_of(request: Request) -> str:
    """Where a request comes from; of IPv6 the network, since its owner has all addresses in it."""
    host = request.client.host if request.client is not None else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host or "?"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)
