"""The bus of piles that dial in by WebSocket: one loop on one thread, whatever their number."""

import asyncio
import logging
import os
import resource
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from firmware_bridge.bus import REOPEN_S, Sink
from firmware_bridge.devices.base import DeviceOrder, DeviceReading, Heard
from firmware_bridge.ocpp.calls import GONE, HIS, CallOutcome, Told
from firmware_bridge.ocpp.conversation import Conversation
from firmware_bridge.ocpp.crowd import Crowd
from firmware_bridge.ocpp.frames import Payload
from firmware_bridge.ocpp.handshake import Admitted, DoorRules, Greeting, Refusal, judge
from firmware_bridge.ocpp.keeper import GATHER_S, Keeper
from firmware_bridge.ocpp.link import PileLink
from firmware_bridge.ocpp.opening import how_set, to_set, whats_up
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
HANDSHAKE_S = 10.0
UNPROVEN = (
    512  # connections that have not said who they are; of more, one goes that says nothing, of the busiest address
)
IDLE_S = 3.0  # says nothing: a crowd that dials at once after a power cut waits for us, not we for it
UNPROVEN_MOST = 2_048  # beyond it nobody new is taken
SILENT_S, GONE_S = 90.0, 150.0  # asked whether it is there, and given up
ASK_STATUS_S = 10.0  # a connector that has told no status by then is asked
SETTLED_S = 60.0  # after dialling a pile that has booted is done with its own beginnings
GOODBYE_S = 0.05
SLOW_S = 20.0  # takes nothing of what we say
PRESENT_MS = 300_000
TELL_S = 60.0
WRONG_PASSWORDS = 10  # in a minute, then its address waits
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
        self._crowd, self._turns = Crowd(), HandshakeTurns(self._loop)
        self._talks: dict[PileLink, Conversation] = {}
        self._links: dict[str, PileLink] = {}
        self._since: dict[PileLink, Millis] = {}
        self._told: dict[str, float] = {}
        self._wrong: Counter[str] = Counter()
        self._wrong_at = 0.0
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
            self._tell("loop", f"bus {self.id}: {error}")
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
            self._loop.call_later(LOOK_S if self._talks or len(self._crowd) else 0.2, self._look)

    def _look_at_links(self, now_s: float) -> None:
        for link in self._crowd.opened_before(now_s - HANDSHAKE_S):
            self.refused(link, f"no handshake within {HANDSHAKE_S:.0f} s")
            link.drop()
        self._turns.look(now_s)
        for link, talk in list(self._talks.items()):
            talk.calls.give_up(now_s)
            if not talk.asked_status and now_s - link.opened_at > ASK_STATUS_S:
                self._ask_status(talk)
            if talk.booted and not talk.settled and self.may_call and now_s - link.opened_at > SETTLED_S:
                self._settle(talk)
            silent_s = now_s - link.heard_at
            if silent_s > GONE_S or (link.full_since is not None and now_s - link.full_since > SLOW_S):
                log.info("bus %s: %s says or takes nothing any more: closed", self.id, talk.pile.charge_point)
                link.drop()
            elif silent_s > SILENT_S and link.pinged_at is None:
                link.ping()

    def _settle(self, talk: Conversation) -> None:
        """A pile that works offline shall know those whom it let in before: its cache is turned on where it is off."""
        talk.settled = True

        def told(outcome: CallOutcome) -> None:
            for action, payload in to_set(talk.pile.version, outcome.result or {}):
                talk.calls.ask(action, payload, lambda _outcome: None)

        talk.calls.ask(*how_set(talk.pile.version), told)

    def _ask_status(self, talk: Conversation) -> None:
        """A line that was only broken is taken up without a boot, and then some piles tell no status by themselves."""
        talk.asked_status = True
        for plug in talk.pile.plugs:
            if not plug.fresh:
                talk.calls.ask(*whats_up(talk.pile.version, plug.evse, plug.connector), lambda _outcome: None)

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
        self._crowd.add(link)
        if len(self._crowd) <= UNPROVEN:
            return
        gone = self._crowd.idle_since(monotonic_s() - IDLE_S)
        if gone is None and len(self._crowd) > UNPROVEN_MOST:
            gone = self._crowd.in_place_of(link)
        if gone is not None:
            gone.drop()

    def greeted(self, link: PileLink) -> None:
        self._turns.ask(link)

    def judge(self, link: PileLink, asked: Greeting) -> Admitted | Refusal:
        if monotonic_s() - self._wrong_at > 60:
            self._wrong.clear()
            self._wrong_at = monotonic_s()
        if self._wrong[link.address] >= WRONG_PASSWORDS:
            return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "", f"{WRONG_PASSWORDS} wrong passwords: wait a minute")
        verdict = judge(asked, self._rules.door)
        if isinstance(verdict, Refusal) and verdict.status is HTTPStatus.UNAUTHORIZED:
            self._wrong[link.address] += 1
        return verdict

    def refused(self, link: PileLink, why: str, name: str = "") -> None:
        self._tell(name or link.address, f"bus {self.id}: {name or 'a caller'!r} at {link.address} is refused: {why}")

    def _tell(self, what: str, text: str) -> None:
        """Once a minute of each; of a thousand names at most."""
        now_s = monotonic_s()
        if now_s - self._told.get(what, -TELL_S) < TELL_S:
            return
        if len(self._told) >= 1_000:
            self._told.clear()
        self._told[what] = now_s
        log.warning("%s", text)

    def admitted(self, link: PileLink, admitted: Admitted) -> None:
        """Take up a connection. The newer of two connections of one charge point is the pile."""
        self._crowd.remove(link)
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
        self._crowd.remove(link)
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
