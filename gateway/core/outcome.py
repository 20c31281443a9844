"""What a run of messages and ticks left to do: the word between the core and those that store, tell and alert."""

from dataclasses import dataclass, field

from gateway.commands.answers import ErrandAnswer
from gateway.evidence.boxes import BoxLink
from gateway.evidence.checks import CheckState, StoredCheck
from gateway.evidence.facts import Facts
from gateway.live import Device
from gateway.model import ActivityEnded, Batch, Change, Millis, OpeningChange, Rejected
from gateway.wire import Event

Frame = tuple[bytes, bytes, int]  # topic, payload, flags


@dataclass(slots=True)
class Outcome:
    """`heard`: devices whose watermark may have moved, each once until it is told; `news`: resources that said
    something an alert may follow from; `returned`: devices that said they are there; `kept`: what outlives a restart,
    by name; `reports`: what people said of checks, `checked`: checks whose word is another, or has run out;
    `ended`: activities that are over; `boxes`: those that are to be told what came of theirs; `said`: commands and
    answers to publish once all this is durable, `answers`: what our centre is told then of what it said, `to_centre`:
    what we say to it, not signed yet.
    """

    batch: Batch = field(default_factory=Batch)
    changes: list[Change] = field(default_factory=list)
    openings: list[OpeningChange] = field(default_factory=list)
    ended: list[ActivityEnded] = field(default_factory=list)
    boxes: set[BoxLink] = field(default_factory=set)
    rejected: list[Rejected] = field(default_factory=list)
    happened: list[tuple[Device, Event, Millis]] = field(default_factory=list)
    heard: list[Device] = field(default_factory=list)
    news: set[Facts] = field(default_factory=set)
    returned: set[Device] = field(default_factory=set)
    kept: dict[str, bytes] = field(default_factory=dict)
    reports: list[StoredCheck] = field(default_factory=list)
    checked: set[CheckState] = field(default_factory=set)
    said: list[tuple[str, bytes]] = field(default_factory=list)
    answers: list[ErrandAnswer] = field(default_factory=list)
    to_centre: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def is_plain(self) -> bool:
        """Messages that said again what was known, and nothing else."""
        return not (self.changes or self.news or self.happened or self.openings or self.rejected or self.checked)

    def __bool__(self) -> bool:
        return bool(
            self.batch.payloads
            or self.changes
            or self.openings
            or self.ended
            or self.rejected
            or self.kept
            or self.reports
            or self.boxes
            or self.said
            or self.answers
            or self.to_centre
        )
