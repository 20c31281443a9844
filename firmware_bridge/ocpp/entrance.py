"""Who dials in and has not come in yet: room for them, passwords that are wrong, and what is said of refusals."""

import logging
from collections import Counter
from http import HTTPStatus

from firmware_bridge.ocpp.crowd import Crowd
from firmware_bridge.ocpp.handshake import Admitted, DoorRules, Greeting, Refusal, judge
from firmware_bridge.ocpp.link import PileLink
from gateway.base.clock import monotonic_s

log = logging.getLogger(__name__)

HANDSHAKE_S = 10.0
UNPROVEN = 512
"""Connections that have not said who they are; of more, one goes that says nothing, of the busiest address."""
IDLE_S = 3.0
"""Says nothing: a crowd that dials at once after a power cut waits for us, not we for it."""
UNPROVEN_MOST = 2_048
"""Beyond it nobody new is taken."""
WRONG_PASSWORDS = 10
"""In a minute, then its address waits."""
TELL_S = 60.0
NAMES_TOLD = 1_000


class PileEntrance:
    """Of one bus. Belongs to its loop."""

    def __init__(self, bus: str, rules: DoorRules) -> None:
        self.crowd = Crowd()
        self._bus, self._rules = bus, rules
        self._told: dict[str, float] = {}
        self._wrong: Counter[str] = Counter()
        self._wrong_at = 0.0

    def opened(self, link: PileLink) -> None:
        """Where there are too many, one goes."""
        crowd = self.crowd
        crowd.add(link)
        if len(crowd) <= UNPROVEN:
            return
        gone = crowd.idle_since(monotonic_s() - IDLE_S)
        if gone is None and len(crowd) > UNPROVEN_MOST:
            gone = crowd.in_place_of(link)
        if gone is not None:
            gone.drop()

    def look(self, now_s: float) -> None:
        """Who is too late goes."""
        for link in self.crowd.opened_before(now_s - HANDSHAKE_S):
            self.refused(link, f"no handshake within {HANDSHAKE_S:.0f} s")
            link.drop()

    def judge(self, link: PileLink, asked: Greeting) -> Admitted | Refusal:
        if monotonic_s() - self._wrong_at > 60:
            self._wrong.clear()
            self._wrong_at = monotonic_s()
        if self._wrong[link.address] >= WRONG_PASSWORDS:
            return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "", f"{WRONG_PASSWORDS} wrong passwords: wait a minute")
        verdict = judge(asked, self._rules)
        if isinstance(verdict, Refusal) and verdict.status is HTTPStatus.UNAUTHORIZED:
            self._wrong[link.address] += 1
        return verdict

    def refused(self, link: PileLink, why: str, name: str = "") -> None:
        self.tell(name or link.address, f"bus {self._bus}: {name or 'a caller'!r} at {link.address} is refused: {why}")

    def tell(self, what: str, text: str) -> None:
        """In the log, once a minute of each `what`; of a thousand at most."""
        now_s = monotonic_s()
        if now_s - self._told.get(what, -TELL_S) < TELL_S:
            return
        if len(self._told) >= NAMES_TOLD:
            self._told.clear()
        self._told[what] = now_s
        log.warning("%s", text)
