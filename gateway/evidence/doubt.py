"""What the judge of evidence (gateway/evidence/contradiction) remembers of one resource. He alone writes it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from config.kinds import USUAL_LOAD
from gateway.model import Millis, Use

if TYPE_CHECKING:
    from gateway.evidence.facts import Facts


class Doubt:
    """`reason`: how the resource contradicts itself right now, `since` when; `verdict`: what has lasted for its time,
    and `suspect` the same where it puts the evidence in doubt. Times in ms.

    `was` and `moved_at`: its last value and when it came to that; `flips`: how often it changed, and `mark` how often
    all of its `group` (its like in the same station, itself included) had by then. `band` and `status` are what its
    power was last judged by, see gateway/evidence/power.
    """

    __slots__ = (
        "around", "band", "flips", "group", "load", "look_at", "mark", "moved_at", "reason", "since", "status",
        "suspect", "verdict", "was",
    )  # fmt: skip

    def __init__(self) -> None:
        self.verdict: str | None = None
        self.suspect: str | None = None
        self.reason: str | None = None
        self.since: Millis | None = None
        self.was: Use = "unknown"
        self.moved_at: Millis | None = None
        self.flips = 0
        self.mark = 0
        self.group: Sequence[Facts] = ()
        self.around: Sequence[Facts] = ()  # all of its station
        self.look_at: Millis = 0  # when time alone may change the verdict
        self.load = USUAL_LOAD  # that of its type, once it is in a station
        self.band: int | None = None
        self.status: str | None = None

    def forget(self) -> None:
        """What it rests on is no longer to be trusted: it is judged anew."""
        self.verdict = self.suspect = None
        self.ask()

    def leave(self) -> None:
        """It no longer stands among others: those of its station are another's."""
        self.around = self.group = ()

    def ask(self) -> None:
        """Have it judged anew with the next message or deadline."""
        self.look_at = 0
