"""Whether a place that promises to be open can be entered: what proves it, and what contradicts it. Pure.

A *sign* is what nobody could have caused outside of a shut door: a card granted, a door seen opening, a lock that
unlocks, a seat that comes into use, a check by a person, an opening set by hand. It proves from its minute on, for
`hold_ms` or until closing, and never backwards. Without a sign for `patience_ms` the promise is contradicted while all
live doors are shut and no reader lives, or three different cards were refused and none granted, or a person found that
nobody can come in. All else is unproved, which accuses nobody. Doors that say shut while people appear behind them are
in doubt until they move.
"""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import msgspec

from gateway.model import Millis
from gateway.policy.privacy import CROWD

Proof = Literal["proved", "unproved", "contradicted"]
Against = Literal["doors_locked", "cards_refused", "person_found_shut"]
MINUTE_MS: Final = 60_000
REFUSALS: Final = 3
"""So many different cards refused, and none granted, contradict: one lost card, or two, may be their owners' fault."""


class Judgement(NamedTuple):
    """`proof` is the whole truth, for staff and for what is added up; `public` holds back what tells of persons.

    `proved_at`: the last sign that the public may know, in this opening; `proved_until`: how long it proves at most.
    `look_at`: when the answer may change though nothing comes; None for never. `why`: what contradicts it.
    """

    proof: Proof
    public: Proof
    proved_at: Millis | None
    proved_until: Millis | None
    look_at: Millis | None
    why: Against | None = None


NOT_OPEN: Final = Judgement("unproved", "unproved", None, None, None)


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """What outlives a restart."""

    open_since: Millis | None
    sign_at: Millis | None
    plain_sign_at: Millis | None
    crowd_at: Millis | None
    told: tuple[Millis, ...]
    shut_since: Millis | None
    refused: dict[str, Millis]
    barred_at: Millis | None
    refused_since: Millis | None = None
    doubted: bool = False
    watched_since: Millis | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """`hold_ms`: how long a sign proves. `patience_ms`: how long after one nothing contradicts. `tick_ms`: when the
    public hears of persons.
    """

    hold_ms: Millis = 120 * MINUTE_MS
    patience_ms: Millis = 15 * MINUTE_MS
    tick_ms: Millis = 5 * MINUTE_MS


class Promise:
    """What is known of one station's promise to be open. Times of its calls never go back, but for those of checks."""

    __slots__ = (
        "_barred_at", "_crowd", "_doubted", "_open_since", "_plain", "_refused", "_refused_since", "_shut_since",
        "_sign_at", "_terms", "_told", "_untold", "_watched_since",
    )  # fmt: skip

    def __init__(self, terms: Patience) -> None:
        self._terms = terms
        self._open_since: Millis | None = None
        self._sign_at: Millis | None = None  # the last sign of any sort
        self._plain: Millis | None = None  # the last one that tells of nobody
        self._crowd: Millis | None = None  # the last of a crowd of signs that tell of persons
        # Those signs, up to the last tick and since, CROWD at most. Most stations have none: `()` takes no room.
        self._told: tuple[Millis, ...] = ()
        self._untold: tuple[Millis, ...] = ()
        self._shut_since: Millis | None = None
        self._watched_since: Millis | None = None  # when we last came back from a stop
        self._doubted = False  # though the doors are shut, people appear behind them
        # Cards that were refused since one was granted, and when each was last: the last REFUSALS of them.
        self._refused: dict[str, Millis] = {}
        self._refused_since: Millis | None = None  # since when they are so many
        self._barred_at: Millis | None = None  # when a person found that nobody can come in

    # ---- what happens ----

    def opens(self, at: Millis) -> None:
        """By its hours or by hand it is open from now on. A promise that goes on is not made anew."""
        if self._open_since is None:
            self._open_since = at

    @property
    def terms(self) -> Patience:
        return self._terms

    def goes_on(self, terms: Patience) -> None:
        """It is still the same promise, under the terms of another configuration."""
        self._terms = terms

    def taken_up(self) -> None:
        """After a start, where it is open: nobody knows since when, and what the journal tells is older than now."""
        if self._open_since is not None:
            self._open_since = 0

    def watched(self, now: Millis) -> None:
        """Nobody watched until now. What doors said before says nothing until they speak again, and patience begins
        anew.
        """
        self._watched_since, self._shut_since = now, None

    @property
    def watched_since(self) -> Millis:
        """0 where nobody ever stopped to watch."""
        return self._watched_since or 0

    @property
    def sign_at(self) -> Millis | None:
        """The last sign of any sort in this opening."""
        return self._sign_at

    def closes(self) -> None:
        """Nothing that was seen until now says anything of the next opening; a person's word holds."""
        self._open_since = self._sign_at = self._plain = self._crowd = None
        self._told = self._untold = ()
        self._refused.clear()
        self._refused_since = None

    def sign(self, at: Millis, *, personal: bool, inside: bool = False) -> None:
        """Somebody came in, or could. `personal`: it tells of a person's step, so the public hears of it in a crowd.

        `inside`: it was seen behind the doors. Where none of them has moved for as long as one needs to get there, one
        came in by a door that says shut, or that nobody watches.
        """
        if self._open_since is None or at < self._open_since:
            return
        if inside and self._shut_since is not None and at - self._shut_since >= self._terms.patience_ms:
            self._doubted = True
        if not personal:
            self._plain = _later(self._plain, at)
        elif at > max((*self._told, *self._untold), default=0):  # else it was counted, or comes late
            self._untold = (*self._untold, at)[-CROWD:]
        self._sign_at = _later(self._sign_at, at)

    def granted(self, at: Millis) -> None:
        """A card opened the door."""
        self._forgive(at)
        self.sign(at, personal=True)

    def refused(self, card: str, at: Millis) -> None:
        """A card did not open it, though the place should be open."""
        if self._open_since is None:
            return
        self._forgive(at - self._terms.hold_ms)
        self._refused[card] = max(self._refused.pop(card, at), at)
        if len(self._refused) > REFUSALS:
            del self._refused[min(self._refused, key=self._refused.__getitem__)]
        if len(self._refused) == REFUSALS and self._refused_since is None:
            self._refused_since = at

    def _forgive(self, upto: Millis) -> None:
        """Refusals until then say nothing any more."""
        if self._refused:
            self._refused = {card: at for card, at in self._refused.items() if at > upto}
            if len(self._refused) < REFUSALS:
                self._refused_since = None

    def shut(self, shut: bool, at: Millis) -> bool:
        """Whether all live doors say closed and locked and no reader there is live. True if that is news."""
        if shut is (self._shut_since is not None):
            return False
        self._shut_since = at if shut else None
        return True

    def moved(self) -> None:
        """A door was seen to change: its sensor lives, and what it says is believed again."""
        self._doubted = False

    def checked(self, at: Millis, *, enterable: bool) -> None:
        """A person tried the door. An older word than the one known changes nothing."""
        if enterable:
            if self._barred_at is not None and at >= self._barred_at:
                self._barred_at = None
        elif self._barred_at is None and (self._sign_at is None or at >= self._sign_at):
            self._barred_at = at

    # ---- what follows ----

    def at(self, now: Millis) -> Judgement:
        """What holds at `now`."""
        opened = self._open_since
        if opened is None:
            return NOT_OPEN
        self._tell(now)
        contradicted_from = self._contradicted_from(opened, now)
        shown = _later(self._plain, self._crowd)
        looks = [contradicted_from, self._lapses(self._sign_at, now), self._lapses(shown, now)]
        if self._untold:
            looks.append(self._next_tick(self._untold[0]))
        if self._refused:
            looks.append(min(self._refused.values()) + self._terms.hold_ms)
        look_at = min((look for look in looks if look is not None and look > now), default=None)
        until = None if shown is None else shown + self._terms.hold_ms
        if contradicted_from is not None and contradicted_from <= now:
            return Judgement("contradicted", "contradicted", shown, None, look_at, self._why())
        return Judgement(
            "proved" if self._lapses(self._sign_at, now) else "unproved",
            "proved" if self._lapses(shown, now) else "unproved",
            shown,
            until if self._lapses(shown, now) else None,
            look_at,
        )

    def _why(self) -> Against:
        """The weightiest of what contradicts: a person's own eyes, then doors."""
        if self._barred_at is not None:
            return "person_found_shut"
        return "doors_locked" if self._shut_for_certain is not None else "cards_refused"

    @property
    def _shut_for_certain(self) -> Millis | None:
        return None if self._doubted else self._shut_since

    def _contradicted_from(self, opened: Millis, now: Millis) -> Millis | None:
        self._forgive(now - self._terms.hold_ms)
        against = self._shut_for_certain, self._refused_since, self._barred_at
        since = min((at for at in against if at is not None), default=None)
        return (
            None
            if since is None
            else max(since, opened, self._sign_at or 0, self.watched_since) + self._terms.patience_ms
        )

    def _tell(self, now: Millis) -> None:
        """At each tick the public hears of the signs before it, if as many as a crowd lie within the hold."""
        while self._untold and self._next_tick(self._untold[0]) <= now:
            sign, *rest = self._untold
            self._told, self._untold = (*self._told, sign)[-CROWD:], tuple(rest)
            if len(self._told) == CROWD and self._told[0] + self._terms.hold_ms > self._next_tick(sign):
                self._crowd = sign

    def _next_tick(self, at: Millis) -> Millis:
        return at - at % self._terms.tick_ms + self._terms.tick_ms

    def _lapses(self, sign: Millis | None, now: Millis) -> Millis | None:
        """When it no longer proves; None where it proves nothing now."""
        end = None if sign is None else sign + self._terms.hold_ms
        return end if end is not None and end > now else None

    # ---- over a restart, and when the clock is set ----

    def kept(self) -> Kept:
        told = (*self._told, *self._untold)[-CROWD:]
        return Kept(
            self._open_since,
            self._sign_at,
            self._plain,
            self._crowd,
            told,
            self._shut_since,
            dict(self._refused),
            self._barred_at,
            self._refused_since,
            self._doubted,
            self._watched_since,
        )

    def restore(self, kept: Kept) -> None:
        self._open_since, self._sign_at = kept.open_since, kept.sign_at
        self._plain, self._crowd = kept.plain_sign_at, kept.crowd_at
        self._told, self._untold = (), tuple(kept.told)[-CROWD:]  # to tell them once more changes nothing
        self._shut_since, self._refused, self._barred_at = kept.shut_since, dict(kept.refused), kept.barred_at
        self._refused_since, self._doubted = kept.refused_since, kept.doubted
        self._watched_since = kept.watched_since

    def shift(self, by: Millis) -> None:
        """The clock was set by `by` ms: ages stay what they were."""
        kept = self.kept()
        told = tuple(at + by for at in kept.told)
        refused = {card: at + by for card, at in kept.refused.items()}
        opened, sign, plain = _moved(kept.open_since, by), _moved(kept.sign_at, by), _moved(kept.plain_sign_at, by)
        shut, barred, since = _moved(kept.shut_since, by), _moved(kept.barred_at, by), _moved(kept.refused_since, by)
        crowd, watched = _moved(kept.crowd_at, by), _moved(kept.watched_since, by)
        self.restore(Kept(opened, sign, plain, crowd, told, shut, refused, barred, since, kept.doubted, watched))


def _moved(at: Millis | None, by: Millis) -> Millis | None:
    return None if at is None else at + by


def _later(moment: Millis | None, other: Millis | None) -> Millis | None:
    return moment if other is None or (moment is not None and moment >= other) else other
