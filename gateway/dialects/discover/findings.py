"""What was found: devices, the resources that each could feed, and why others are of no use."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.dialects.discover.lines import ResourceLine, resources_of, without_collisions, written
from gateway.dialects.discover.overheard import OverheardDevice
from gateway.dialects.discover.trial import Unfit, read_by
from gateway.model import Millis, Signal


@dataclass(frozen=True, slots=True)
class Offer:
    """A resource that the device could feed, as the configuration has it, and what it says right now."""

    resource: Mapping[str, Any]
    line: str
    says: Mapping[str, Signal]
    """Empty for a device that has described itself and not spoken yet."""


@dataclass(frozen=True, slots=True)
class Unused:
    """Why there is no line for a kind that it seems to feed, or for anything at all (`kind` None)."""

    kind: str | None
    reason: str
    """no_facts, not_kept, bad_line, bad_source, unreadable or no_value."""
    text: str

    def __str__(self) -> str:
        return f"{self.kind or 'resource'}: {self.text}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One device: its dialect, the topic to configure, what it reports, a ready line for each kind it could feed.

    `station` is the one that a device of ours speaks for: only there its lines have an effect.
    """

    dialect: str
    topic: str
    reports: tuple[str, ...]
    offers: tuple[Offer, ...]
    messages: int
    refused: tuple[Unused, ...] = ()
    heard_at: Millis = 0
    station: str | None = None

    @property
    def lines(self) -> tuple[str, ...]:
        """The ready lines, the likeliest first."""
        return tuple(offer.line for offer in self.offers)

    @property
    def unused(self) -> tuple[str, ...]:
        """Why there is no line, in words."""
        return tuple(map(str, self.refused))


Judged = tuple[list[tuple[ResourceLine, dict[str, Signal]]], list[Unused]]
"""Resources that read the very messages they were made from, with what they read; and why others do not."""


def judged(device: OverheardDevice) -> Judged:
    """Every kind that the device could feed, tried."""
    fit: list[tuple[ResourceLine, dict[str, Signal]]] = []
    refused = []
    for item in resources_of(device):
        try:
            fit.append((item, read_by(item, device)))
        except Unfit as unfit:
            refused.append(Unused(item["kind"], unfit.reason, str(unfit)))
    if not fit and not refused:
        refused.append(Unused(None, "no_facts", _of_no_use(device.heard.facts)))
    return fit, refused


def finding_of(device: OverheardDevice, verdict: Judged, taken: set[str]) -> Finding:
    """With its ready lines. `taken` are ids that no line may have."""
    fit, refused = verdict
    named = without_collisions([item for item, _ in fit], taken)
    offers = tuple(Offer(item, written(item), says) for item, (_, says) in zip(named, fit, strict=True))
    station = device.heard.topic.split("/")[1] if device.dialect == "native" else None
    return Finding(
        device.dialect,
        device.heard.topic,
        device.heard.facts,
        offers,
        device.messages,
        tuple(refused),
        device.heard_at,
        station,
    )


def as_json(findings: Iterable[Finding]) -> list[dict[str, object]]:
    """For a staff page: dialect, topic, reports, lines, messages."""
    return [
        {
            "dialect": finding.dialect, "topic": finding.topic, "reports": list(finding.reports),
            "lines": list(finding.lines), "messages": finding.messages, "unused": list(finding.unused),
        }
        for finding in findings
    ]  # fmt: skip


def _of_no_use(facts: tuple[str, ...]) -> str:
    if not facts:
        return "it has said nothing that we know a use for; what it calls its value can be named in `fields`"
    return f"it tells {', '.join(facts)} alone, by which no place or instrument is known"
