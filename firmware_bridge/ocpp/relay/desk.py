"""The relay of a bus: one of each pile, made when it first dials: only then is its password known."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from firmware_bridge.devices.base import DeviceReading, Heard
from firmware_bridge.ocpp.conversation import Conversation
from firmware_bridge.ocpp.handshake import Admitted
from firmware_bridge.ocpp.pile import ChargePoint
from firmware_bridge.ocpp.relay.hearing import SHOWN_S, HearingWatch
from firmware_bridge.ocpp.relay.line import Destination
from firmware_bridge.ocpp.relay.pile_relay import PileRelay, RelayKeeping
from firmware_bridge.ocpp.relay.seal import Seal
from firmware_bridge.spool_relay import HeldFrame, RelayedBefore
from gateway.model import Millis

log = logging.getLogger(__name__)


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
    """On the loop's thread. `about` hears of a pile whether its operator hears it, where that is new. `device`: in
    whose name it is told that one has heard nothing for long.
    """

    def __init__(
        self,
        rules: RelayRules,
        keeping: RelayKeeping,
        loop: asyncio.AbstractEventLoop,
        about: Callable[[ChargePoint], None],
        device: str,
    ) -> None:
        self._rules, self._keeping, self._loop, self._about = rules, keeping, loop, about
        self._piles: dict[str, PileRelay] = {}
        self._watch = HearingWatch(device)
        self._owed: DeviceReading | None = None  # to be told, and not yet stored

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
            self._show(relay, now_s)
        told = self._watch.look(now_s, ((relay.name, relay.operator.hearing) for relay in self._piles.values()))
        self._owed = told or self._owed
        if self._owed is not None:
            owed, self._owed = self._owed, None
            log.warning("%s: %s %s", owed.device, owed.event, owed.signals.get("reason", ""))
            self._keeping.keep(Heard((owed,)), lambda stored: self._kept(stored, owed))

    def _kept(self, stored: bool, owed: DeviceReading) -> None:
        if not stored:
            self._owed = self._owed or owed

    def _show(self, relay: PileRelay, now_s: float) -> None:
        pile, away = relay.pile, relay.operator.hearing.deaf_for(now_s) >= SHOWN_S
        if pile is not None and pile.operator_away is not away:
            pile.operator_away = away
            self._about(pile)

    def close(self) -> None:
        for relay in self._piles.values():
            relay.operator.close()
