"""What staff said that is to be done at another machine too: kept until that one has said what came of it. Pure: the
time is an argument.

An errand is a command that goes again, signed anew under the same nonce, until it is answered; whoever it is for does
each nonce once. While the line is down it waits, and it ends unanswered when what it says has no sense any more.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from gateway.commands.answers import State
from gateway.commands.gate import LIFE_MS, CommandError
from gateway.model import Millis

KEPT: Final = "errands"
"""The name under which the store keeps them."""
KEEP_MS: Final = 7 * 86_400_000
"""So long an errand waits at most."""
SHOWN_MS: Final = 86_400_000
"""So long an errand is shown after it was settled, and its nonce known."""
BOX_MOST: Final = 250
"""So many wait for one box, or for our centre: one whose line is down for days takes no places of the others."""
WAITING_MOST: Final = 5_000
SETTLED_MOST: Final = 200
AGAIN_MS: Final = 2_000
"""After so long without an answer it goes again, then after twice that, and so on."""
SLOWER_MOST: Final = 5
NEVER: Final = 2**62


CENTRE: Final = "centre"
"""Who tells, where it is no box."""
TO_CENTRE: Final = ""
"""In the place of a box's name: it is for the centre that we tell."""
IN_TURN: Final = "staff"
"""Deeds go one after the other: an order is accepted once it is there."""
IN_TURN_MOST: Final = 5
"""An errand that was sent so often without an answer holds up no other."""


class Errand(msgspec.Struct):
    """`what` is the last part of its topic; `text` what was signed. `why`: the box's reason, where it refused."""

    nonce: str
    box: str
    station: str
    what: str
    by: str
    text: str
    at: Millis
    keep_until: Millis
    state: State = "waiting"
    why: str = ""
    settled_at: Millis | None = None
    sent: int = 0
    next_at: Millis = 0

    @property
    def key(self) -> str:
        """What is said to a box and to a centre has the same nonce."""
        return key_of(self.nonce, up=self.box == TO_CENTRE)

    @property
    def topic(self) -> str:
        root = "yz-deed" if self.box == TO_CENTRE else "yz-cmd"
        return f"{root}/{self.station}/{self.what}"


def key_of(nonce: str, *, up: bool) -> str:
    return f"{nonce}/up" if up else nonce


_decode = msgspec.json.Decoder(list[Errand]).decode
_decode_text = msgspec.json.Decoder(dict[str, Any]).decode


class Errands:
    """By their keys, the oldest first."""

    def __init__(self, errands: Iterable[Errand] = ()) -> None:
        known = list(errands)
        self._waiting = {errand.key: errand for errand in known if errand.state == "waiting"}
        self._settled = {errand.key: errand for errand in known if errand.state != "waiting"}
        self._of_box = defaultdict[str, dict[str, Errand]](dict)  # of those that wait
        for key, errand in self._waiting.items():
            self._of_box[errand.box][key] = errand
        self._look_at: dict[str, Millis] = {}  # when the next one of a box may be due
        self._down: set[str] = set()  # boxes whose line is, as we know already
        self._expire_at = min((errand.keep_until for errand in self._waiting.values()), default=NEVER)

    def __bool__(self) -> bool:
        """Whether any waits."""
        return bool(self._waiting)

    def knows(self, key: str) -> bool:
        return key in self._waiting or key in self._settled

    def find(self, key: str) -> Errand | None:
        return self._waiting.get(key) or self._settled.get(key)

    def put(self, errand: Errand) -> None:
        """CommandError where too many wait already."""
        waiting = self._of_box[errand.box]
        if len(waiting) >= BOX_MOST:
            where = f"the box {errand.box}" if errand.box != TO_CENTRE else "our centre"
            raise CommandError(f"{BOX_MOST} commands wait for {where} already; look at /boxes", "too_many")
        if len(self._waiting) >= WAITING_MOST:
            raise CommandError(f"{WAITING_MOST} commands wait for boxes already; look at /boxes", "too_many")
        self._waiting[errand.key] = waiting[errand.key] = errand
        self._expire_at = min(self._expire_at, errand.keep_until)
        if errand.box in self._look_at:
            self._look_at[errand.box] = min(self._look_at[errand.box], errand.next_at)

    def due(self, now: Millis, up: Callable[[str], bool]) -> list[Errand]:
        """Those to be sent now. `up`: whether the line to this box stands; once it is back, its errands go at once."""
        due: list[Errand] = []
        for box, errands in self._of_box.items():
            if not errands:
                continue
            if not up(box):
                self._is_down(box, errands)
            elif self._look_at.get(box, 0) <= now:
                self._down.discard(box)
                ready, self._look_at[box] = self._due_of(errands.values(), now)
                due += ready
        return due

    def _is_down(self, box: str, errands: dict[str, Errand]) -> None:
        if box in self._down:
            return
        for errand in errands.values():
            errand.next_at, errand.sent = 0, 0
        self._down.add(box)
        self._look_at[box] = 0

    @staticmethod
    def _due_of(errands: Iterable[Errand], now: Millis) -> tuple[list[Errand], Millis]:
        """Those of one box; and when to look again, unless one is put or settled before."""
        due, in_turn, look_at = list[Errand](), False, NEVER
        for errand in errands:
            if errand.what == IN_TURN and in_turn:
                continue
            if errand.next_at <= now:
                errand.next_at = now + (AGAIN_MS << min(errand.sent, SLOWER_MOST))
                errand.sent += 1
                due.append(errand)
            look_at = min(look_at, errand.next_at)
            in_turn = in_turn or (errand.what == IN_TURN and errand.sent <= IN_TURN_MOST)
        return due, look_at

    def settle(self, key: str, state: State, why: str, now: Millis) -> Errand | None:
        """The errand that is settled by this; None where that is no news."""
        if state == "waiting":
            return None
        errand = self._waiting.pop(key, None)
        if errand is None:
            return None
        del self._of_box[errand.box][key]
        if errand.box in self._look_at:
            self._look_at[errand.box] = 0  # another one may have waited for its turn
        errand.state, errand.why, errand.settled_at = state, why, now
        self._settled[key] = errand
        while len(self._settled) > SETTLED_MOST:
            del self._settled[next(iter(self._settled))]
        return errand

    def expire(self, now: Millis) -> list[Errand]:
        """Those that have waited for too long."""
        if now < self._expire_at:
            return []
        over = [key for key, errand in self._waiting.items() if errand.keep_until <= now]
        expired = [errand for key in over if (errand := self.settle(key, "expired", "", now)) is not None]
        self._expire_at = min((errand.keep_until for errand in self._waiting.values()), default=NEVER)
        return expired

    # ---- the store, and undoing ----

    def dump(self, now: Millis) -> bytes:
        """JSON to keep over a restart."""
        self._settled = {n: errand for n, errand in self._settled.items() if (errand.settled_at or 0) > now - SHOWN_MS}
        return msgspec.json.encode([*self._settled.values(), *self._waiting.values()])

    def state(self) -> object:
        return [msgspec.structs.replace(errand) for errand in (*self._settled.values(), *self._waiting.values())]

    def put_back(self, state: object) -> None:
        self.__init__(state)  # type: ignore[misc]


def errands_kept(kept: bytes | None) -> list[Errand]:
    """What `dump` wrote; nothing where that is missing or damaged. All may be sent at once."""
    try:
        errands = _decode(kept) if kept else []
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return []
    return [msgspec.structs.replace(errand, sent=0, next_at=0) for errand in errands]


class _Way(msgspec.Struct, gc=False):
    told_by: str = ""


_decode_way = msgspec.json.Decoder(_Way).decode


def told_by(text: bytes) -> str:
    """The part of a command that says which machine tells of what was done there; empty where it says none.
    msgspec.ValidationError where that is no text.
    """
    return _decode_way(text).told_by


def said_anew(errand: Errand, now: Millis) -> bytes:
    """Its text with another end of its short life, to be signed."""
    return msgspec.json.encode(_decode_text(errand.text.encode()) | {"expires": now + LIFE_MS // 2})
