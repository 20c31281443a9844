"""The relay of a bus: one of each pile, made when it first dials: only then is its password known."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from firmware_bridge.ocpp.conversation import Conversation
from firmware_bridge.ocpp.handshake import Admitted
from firmware_bridge.ocpp.relay.line import Destination
from firmware_bridge.ocpp.relay.pile_relay import PileRelay, RelayKeeping
from firmware_bridge.ocpp.relay.seal import Seal
from firmware_bridge.spool_relay import HeldFrame, RelayedBefore
from gateway.model import Millis


class RelayStore(Protocol):
    """The spool. SpoolError from each."""

    def relayed_before(self, now: Millis) -> RelayedBefore: ...
    def relay_next(self, pile: str, after: int, limit: int) -> Sequence[HeldFrame]: ...


@dataclass(frozen=True, slots=True)
class RelayMeans:
    """`upstream` without the pile's name; `tls` None for ws://. `we_may_call`: staff may call the piles, too."""

    upstream: str
    tls: ssl.SSLContext | None
    seal: Seal
    we_may_call: bool = False


@dataclass(frozen=True, slots=True)
class RelayRules:
    """With what is on disk: what was known before, and how to read what waits."""

    means: RelayMeans
    before: RelayedBefore
    next: Callable[[str, int, int], Sequence[HeldFrame]]


class RelayDesk:
    """On the loop's thread."""

    def __init__(self, rules: RelayRules, keeping: RelayKeeping, loop: asyncio.AbstractEventLoop) -> None:
        self._rules, self._keeping, self._loop = rules, keeping, loop
        self._piles: dict[str, PileRelay] = {}

    def there(self, talk: Conversation, admitted: Admitted) -> None:
        """A pile has dialled: its operator is dialled in the same words."""
        name, means = admitted.charge_point, self._rules.means
        relay = self._piles.get(name)
        if relay is None:
            relay = self._piles[name] = PileRelay(name, means.seal, self._keeping, self._rules.before, self._loop)
        address = f"{means.upstream.rstrip('/')}/{quote(name)}"
        talk.relay = relay
        relay.there(talk, Destination(address, admitted.subprotocol, admitted.authorization, means.tls))

    def gone(self, talk: Conversation) -> None:
        relay = self._piles.get(talk.pile.charge_point)
        if relay is not None:
            relay.gone(talk)

    def look(self, now_s: float) -> None:
        for relay in self._piles.values():
            relay.operator.look(now_s)

    def close(self) -> None:
        for relay in self._piles.values():
            relay.operator.close()
