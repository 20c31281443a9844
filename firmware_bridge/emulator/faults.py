"""How devices misbehave, on command and on the record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from firmware_bridge.emulator.truth import TrueSignals
from gateway.model import Millis, Signal

KINDS = (
    "silence",  # says nothing, is not missed by the broker
    "stuck",  # repeats one old value on time
    "garbage",  # bytes that are no message
    "wrong_type",  # JSON whose signals have the wrong types
    "clock_skew",  # `ts` minutes to years away
    "duplicates",  # everything two or three times
    "flapping",  # true and false by turns, every two seconds
    "reboot",  # away for seconds, back with a new boot and an empty memory
    "offline",  # lost its network: will published, keeps its messages, sends them late
)

INSTEAD = "instead"
"""Told by a story only, never by chance: it says the same all the time, some of it other than it is."""

SKEWS_MS = (-31_536_000_000, -86_400_000, -3_600_000, -600_000, 600_000, 3_600_000, 86_400_000)


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """One spell of misbehaviour, from `begins` (inclusive) to `ends` (exclusive), in ms since 1970.

    `said`: what kind INSTEAD says otherwise than its sensors did when the spell began.
    """

    kind: str
    station: str
    device: str
    begins: Millis
    ends: Millis
    said: Mapping[str, Signal] = field(default_factory=dict, hash=False)


def duration_ms(rng: Random, kind: str, ttl_ms: Millis) -> Millis:
    """How long a spell lasts: around the ttl, so that some end unnoticed; a reboot takes seconds."""
    return rng.randrange(3_000, 10_000) if kind == "reboot" else int(ttl_ms * rng.uniform(0.5, 2.0))


def mean_gap_ms(rate: float, kinds: tuple[str, ...], ttl_ms: Millis) -> float:
    """Mean time between two spells, so that a share `rate` of all devices misbehaves at any moment."""
    spell_ms = sum(6_500 if kind == "reboot" else 1.25 * ttl_ms for kind in kinds) / len(kinds)
    return spell_ms * (1 - rate) / rate


def wrong_types(signals: TrueSignals) -> dict[str, object]:
    """The same names with values of types the contract does not allow."""
    return {name: "yes" if isinstance(value, bool) else [value] for name, value in signals.items()}


def flipped(signals: TrueSignals) -> TrueSignals:
    """The opposite of what is so, still well-formed."""
    return {name: _opposite(name, value, signals) for name, value in signals.items()}


def _opposite(name: str, value: Signal, signals: TrueSignals) -> Signal:
    if isinstance(value, bool):
        return not value
    match name:
        case "people":
            return 0 if value else 3
        case "free":
            return int(signals["total"]) - int(value)
        case "status":
            return {"Available": "Charging", "idle": "running", "running": "idle"}.get(str(value), "Available")
    return value


def garbage(rng: Random) -> bytes:
    """Bytes as a broken modem sends them: noise, or half a message."""
    return rng.randbytes(rng.randrange(1, 60)) if rng.random() < 0.6 else b'{"ts":17637' + rng.randbytes(4)
