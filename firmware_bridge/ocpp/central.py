"""The bus of piles that dial in by WebSocket: one loop on one thread, whatever their number."""

import asyncio
import logging
import os
import resource
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from firmware_bridge.bus import REOPEN_S, Sink
from firmware_bridge.devices.base import DeviceOrder, DeviceReading, Heard
from firmware_bridge.ocpp.attending import attend
from firmware_bridge.ocpp.calls import GONE, HIS, Told
from firmware_bridge.ocpp.conversation import Conversation
from firmware_bridge.ocpp.entrance import PileEntrance
from firmware_bridge.ocpp.frames import Payload
from firmware_bridge.ocpp.handshake import Admitted, DoorRules, Greeting, Refusal
from firmware_bridge.ocpp.keeper import GATHER_S, Keeper
from firmware_bridge.ocpp.link import PileLink
from firmware_bridge.ocpp.pile import ChargePoint
from firmware_bridge.ocpp.relay.desk import RelayDesk, RelayRules
from firmware_bridge.ocpp.schemas import SUBPROTOCOLS
from firmware_bridge.ocpp.tls import TlsPipe
from firmware_bridge.ocpp.tokens import TokenDesk
from firmware_bridge.ocpp.turns import HandshakeTurns
from firmware_bridge.spool_relay import HeldFrame
from gateway.base.clock import monotonic_s, now_ms
from gateway.base.mishaps import Mishaps
from gateway.model import Millis

log = logging.getLogger(__name__)

LOOK_S = 2.0
GOODBYE_S = 0.05
PRESENT_MS = 300_000
BACKLOG, ACCEPTED_AT_ONCE = 4_096, 32
RELAYED_GATHER_S = 0.002  # a relayed pile waits for its operator already


@dataclass(frozen=True, slots=True)
class CentralRules:
    """`host` and `port` to listen on; `tls` None for ws://."""

    bus: str
    host: str
    port: int
    door: DoorRules
    tls: ssl.SSLContext | None
    heartbeat_s: int
    relay: RelayRules | None = None


class OcppBus:
    """The same face as `Bus`; and it calls piles.

    `on_presence(pile, since)` hears who comes and who has gone (None), again when it has said who it is; `on_tick(now)`
    is called every two seconds.
    """

    def __init__(
        self,
        rules: CentralRules,
        piles: Mapping[str, ChargePoint],
        tokens: TokenDesk,
        sink: Sink,
        stop: threading.Event,
    ) -> None:
        self.id, self._rules, self._piles, self.tokens, self._sink, self._stop = (
            rules.bus, rules, piles, tokens, sink, stop,
        )  # fmt: skip
        self.mishaps, self.heartbeat_s = Mishaps(), rules.heartbeat_s
        self.bound: tuple[str, int] | None = None
        self.on_presence: Callable[[ChargePoint, Millis | None], None] = lambda _pile, _since: None
        self.on_tick: Callable[[Millis], None] = lambda _now: None
        self._loop = asyncio.new_event_loop()
        self._keeper = Keeper(self.id, self._loop, sink, stop, RELAYED_GATHER_S if rules.relay else GATHER_S)
        self._relay: RelayDesk | None = None
        if rules.relay is not None:
            first = next(iter(piles.values())).devices[0]
            self._relay = RelayDesk(rules.relay, self, self._loop, self._about, first)
        self._alive: set[PileLink] = set()
        self.entrance, self._turns = PileEntrance(self.id, rules.door), HandshakeTurns(self._loop)
        self._talks: dict[PileLink, Conversation] = {}
        self._links: dict[str, PileLink] = {}
        self._since: dict[PileLink, Millis] = {}
        self._broken: BaseException | None = None

    def order(self, order: DeviceOrder) -> None:
        """Doors are no piles."""

    # ---- the thread ----

    def run(self) -> None:
        with suppress(OSError, ValueError):
            _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(self._failed)
        try:
            while not self._stop.is_set():
                self._serve()
        finally:
            self._keeper.close()
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    def _serve(self) -> None:
        rules = self._rules
        try:
            server = self._loop.run_until_complete(
                self._loop.create_server(self._new_link, rules.host, rules.port, backlog=ACCEPTED_AT_ONCE)
            )
            # asyncio takes as many in one turn as may wait: so few, and then many may wait
            for listening in server.sockets:
                with socket.socket(fileno=os.dup(listening.fileno())) as same:
                    same.listen(BACKLOG)
        except OSError as error:
            log.warning("bus %s: can't listen on %s:%d: %s; trying again", self.id, rules.host, rules.port, error)
            self._stop.wait(REOPEN_S)
            return
        self.bound = server.sockets[0].getsockname()[:2]
        log.info("bus %s: piles dial %s:%d%s/NAME", self.id, *self.bound, rules.door.base)
        self._look()
        self._loop.run_forever()
        server.close()
        self._goodbye()
        if self._broken is not None:
            raise self._broken

    def _goodbye(self) -> None:
        """Tell the piles, and leave no socket open."""
        if self._relay is not None:
            self._relay.close()
        for link in self._talks:
            link.close(1001, "the bridge ends")
        self._loop.run_until_complete(asyncio.sleep(GOODBYE_S))
        for link in list(self._alive):
            link.abort()
        for _ in range(3):  # the loop closes the sockets in its next turns
            self._loop.run_until_complete(asyncio.sleep(0))

    def _new_link(self) -> PileLink:
        tls = TlsPipe(self._rules.tls) if self._rules.tls is not None else None
        return PileLink(self, self._loop, tls)

    def _failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        error = context.get("exception")
        if isinstance(error, OSError):
            self.entrance.tell("loop", f"bus {self.id}: {error}")
        elif isinstance(error, Exception):
            self.mishaps.note(f"bus {self.id}: a connection", error)
        elif isinstance(error, BaseException):  # an InvariantError: a promise of our own is broken
            self._broken = error
            self._loop.stop()

    def _look(self) -> None:
        """Every two seconds: who is late with what, and what holds is told again."""
        with self.mishaps.contained(f"bus {self.id}: looking after its connections"):
            self._look_at_links(monotonic_s())
        if self._relay is not None:
            with self.mishaps.contained(f"bus {self.id}: looking after its operators"):
                self._relay.look(monotonic_s())
        with self.mishaps.contained(f"bus {self.id}: telling again what holds"):
            self._tell_again(now_ms())
        with self.mishaps.contained(f"bus {self.id}: what was promised to staff"):
            self.on_tick(now_ms())
        if self._stop.is_set():
            self._loop.stop()
        else:
            self._loop.call_later(LOOK_S if self._talks or len(self.entrance.crowd) else 0.2, self._look)

    def _look_at_links(self, now_s: float) -> None:
        self.entrance.look(now_s)
        self._turns.look(now_s)
        for link, talk in list(self._talks.items()):
            attend(self.id, link, talk, now_s, may_call=self.may_call)

    def _tell_again(self, now: Millis) -> None:
        news: list[DeviceReading] = []
        for talk in self._talks.values():
            news += talk.pile.news(now)
        if news:
            self._keeper.keep(Heard(tuple(news)), lambda stored: self._kept_again(stored, news))

    def _kept_again(self, stored: bool, news: list[DeviceReading]) -> None:
        if not stored:
            devices = {reading.device for reading in news}
            for pile in self._piles.values():
                pile.untold([device for device in pile.devices if device in devices])

    # ---- LinkOwner of the links ----

    def lost(self, link: PileLink) -> None:
        self._alive.discard(link)

    def opened(self, link: PileLink) -> None:
        self._alive.add(link)
        self.entrance.opened(link)

    def greeted(self, link: PileLink) -> None:
        self._turns.ask(link)

    def judge(self, link: PileLink, asked: Greeting) -> Admitted | Refusal:
        return self.entrance.judge(link, asked)

    def refused(self, link: PileLink, why: str, name: str = "") -> None:
        self.entrance.refused(link, why, name)

    def admitted(self, link: PileLink, admitted: Admitted) -> None:
        """Take up a connection. The newer of two connections of one charge point is the pile."""
        self.entrance.crowd.remove(link)
        self._turns.done(link)
        pile = self._piles[admitted.charge_point]
        older = self._links.pop(pile.charge_point, None)
        self._links[pile.charge_point] = link
        if older is not None:
            log.warning(
                "bus %s: %s dials anew from %s: its older connection is closed",
                self.id,
                pile.charge_point,
                link.address,
            )
            older.close(1008, "a newer connection of this charge point")
        pile.dialled(SUBPROTOCOLS[admitted.subprotocol])
        self._talks[link] = talk = Conversation(pile, self, link.send, link.go_on)
        if self._relay is not None:
            self._relay.there(talk, admitted)
        self._present(pile)
        self._since[link] = now_ms()
        self.on_presence(pile, self._since[link])
        log.info(
            "bus %s: %s is there (%s, profile %d)", self.id, pile.charge_point, admitted.subprotocol, admitted.profile
        )

    def said(self, link: PileLink, message: bytes) -> bool:
        talk = self._talks.get(link)
        if talk is None or self._links.get(talk.pile.charge_point) is not link:
            return False
        self._present(talk.pile)
        with self.mishaps.contained(f"bus {self.id}: what a pile said"):
            return talk.hear(message)
        return False

    def closed(self, link: PileLink) -> None:
        self.entrance.crowd.remove(link)
        self._turns.done(link)
        talk = self._talks.pop(link, None)
        self._since.pop(link, None)
        if talk is None:
            return
        talk.calls.close()
        if self._relay is not None:
            self._relay.gone(talk)
        pile = talk.pile
        if self._links.get(pile.charge_point) is link:
            del self._links[pile.charge_point]
            self._sink.lost(pile.devices)
            self.on_presence(pile, None)
            log.info("bus %s: %s is gone", self.id, pile.charge_point)

    def _present(self, pile: ChargePoint) -> None:
        self._sink.present(pile.devices, PRESENT_MS)

    # ---- Around the conversations ----

    def keep(self, heard: Heard, done: Callable[[bool], None]) -> None:
        self._keeper.keep(heard, done)

    def fetch(self, pile: str, after: int, limit: int, done: Callable[[Sequence[HeldFrame]], None]) -> None:
        """What waits for the pile's operator."""
        if self._rules.relay is not None:
            self._keeper.fetch(partial(self._rules.relay.next, pile, after, limit), done)

    def booted(self, talk: Conversation) -> None:
        """A pile has said who it is."""
        link = self._links.get(talk.pile.charge_point)
        if link is not None and self._talks.get(link) is talk:
            self._about(talk.pile)

    def _about(self, pile: ChargePoint) -> None:
        """Tell that something else is known of a pile that is there."""
        link = self._links.get(pile.charge_point)
        if link is not None:
            self.on_presence(pile, self._since[link])

    # ---- for staff ----

    def soon(self, act: Callable[[], None]) -> None:
        """Have it done on the loop's thread; any thread may ask."""

        def contained() -> None:
            with self.mishaps.contained(f"bus {self.id}: what staff ask"):
                act()

        with suppress(RuntimeError):  # the loop has ended: nobody is there
            self._loop.call_soon_threadsafe(contained)

    def is_there(self, charge_point: str) -> bool:
        return charge_point in self._links

    @property
    def may_call(self) -> bool:
        """False where an operator alone commands the piles. The status of a connector is asked for all the same."""
        return self._rules.relay is None or self._rules.relay.means.we_may_call

    def ask(self, charge_point: str, action: str, payload: Payload, told: Told) -> None:
        """On the loop's thread, as `told` is called."""
        link = self._links.get(charge_point)
        if not self.may_call:
            told(HIS)
        elif link is None:
            told(GONE)
        else:
            self._talks[link].calls.ask(action, payload, told)
