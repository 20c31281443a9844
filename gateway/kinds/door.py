"""A door: free means that one can come in. A locked door opens by card, so `locked` alone does not block it.

Some doors lock behind everybody: what opens them, a card, a code or a telephone, need not be known to us. So does one
whose leaf moves while its bolt says locked, be it a strike or a sensor that is stuck. Of such a door `locked` says
nothing. That is over once it has stood closed and not locked for a while.

Leaf and bolt may be told by messages of their own: each word is good for the ttl since it was told, of an on-change
reporter until it tells another.
"""

from msgspec import UNSET, UnsetType

from gateway.kinds.base import never_repeats
from gateway.kinds.known import Known
from gateway.model import Millis, Resource
from gateway.wire import Event, Signals

WATCHED = True
RELOCKS = 4
"""So often it locked soon after it was unlocked: two people who came in and went out again."""
RELOCKS_MOST = 8
A_STAND = 3
"""So many times fewer for each time that it stood unlocked: one that was not seen to lock does not unlearn all."""
RELOCKS_WITHIN_MS = 12 * 3_600_000
SOON_MS = 3 * 60_000
STANDS_MS = 10 * 60_000


class Shape(Signals, gc=False):
    open: bool | UnsetType = UNSET
    locked: bool | UnsetType = UNSET


class Value(Known):
    """`seen_at`: when anybody was last at it. `entered_at`: when it was last opened or unlocked, so that one could come
    in. `reads_cards`: a card was held to it. `moved_at`: when it last changed, `unlocked_at`: when it last ceased to be
    locked. `leaf`, `bolt`: open and locked as last told, at `leaf_at` and `bolt_at`; None: never, or no longer good.
    `relocks`: how often it locked itself since `relocks_at`; from RELOCKS on it is known to, whenever that was.
    """

    __slots__ = (
        "bolt", "bolt_at", "entered_at", "leaf", "leaf_at", "moved_at", "reads_cards", "relocks", "relocks_at",
        "seen_at", "unlocked_at",
    )  # fmt: skip

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource)
        self.seen_at: Millis | None = None
        self.entered_at: Millis | None = None
        self.reads_cards = "reader" in resource.features
        self.moved_at: Millis | None = None
        self.unlocked_at: Millis | None = None
        self.relocks = 0
        self.relocks_at: Millis | None = None
        self.leaf: bool | None = None
        self.leaf_at: Millis | None = None
        self.bolt: bool | None = None
        self.bolt_at: Millis | None = None

    @property
    def told(self) -> str:
        """What the leaf and the bolt say together."""
        return "open" if self.leaf else "locked" if self.bolt else "closed"

    def forget(self, now: Millis) -> Millis | None:
        """Words that nobody has repeated for too long are no longer good; when the next one will not be."""
        if self.resource.reporting == "on_change":
            return None
        ttl_ms = self.resource.ttl_ms
        if self.leaf_at is not None and now >= self.leaf_at + ttl_ms:
            self.leaf = self.leaf_at = None
        if self.bolt_at is not None and now >= self.bolt_at + ttl_ms:
            self.bolt = self.bolt_at = None
        return min((at + ttl_ms for at in (self.leaf_at, self.bolt_at) if at is not None), default=None)

    @property
    def locks_itself(self) -> bool:
        return self.relocks >= RELOCKS


def apply(known: Value, signals: Shape, now: Millis) -> bool:
    leaf, bolt = signals.open, signals.locked
    if leaf is UNSET and bolt is UNSET:
        return False
    known.use = "free"
    if leaf is not UNSET:
        known.leaf, known.leaf_at = leaf, now
    if bolt is not UNSET:
        known.bolt, known.bolt_at = bolt, now
    known.forget(now)
    status = known.told
    if status != known.status:
        if known.status is not None and (status == "open" or known.status == "locked"):
            known.entered_at = now
        _learn(known, status, now)
        known.status, known.seen_at, known.moved_at = status, now, now
    if leaf is True and bolt is True:  # in one message: else the bolt's word may come a moment later
        known.relocks = max(known.relocks, RELOCKS)
    return True


repeats = never_repeats


def _learn(known: Value, status: str, now: Millis) -> None:
    """Whether it locks itself, by its next status."""
    if known.status == "locked":
        known.unlocked_at = now
    if known.status == "closed" and known.moved_at is not None and now - known.moved_at >= STANDS_MS:
        known.relocks = max(0, known.relocks - A_STAND)
    soon = known.unlocked_at is not None and now - known.unlocked_at <= SOON_MS
    if status == "locked" and soon:
        began = known.relocks_at
        if not known.locks_itself and (began is None or now - began > RELOCKS_WITHIN_MS):
            known.relocks, known.relocks_at = 0, now
        known.relocks = min(known.relocks + 1, RELOCKS_MOST)


def event(known: Value, event: Event, now: Millis) -> bool:
    """Somebody passes: a sign of life for what is behind, no news of the door itself."""
    if event.type == "card":
        known.reads_cards = True
        if event.granted is not False:
            known.seen_at = now
    return False


def due(known: Value, now: Millis) -> Millis | None:
    """A word that has run out moves nothing: nobody came in by it."""
    at = known.forget(now)
    if known.leaf is not None or known.bolt is not None:
        known.status = known.told
    return at
