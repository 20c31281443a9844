"""What a kind of resource declares of itself. Every list of kinds in the house is derived from these words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

KindWords = tuple[str, str, str]
"""Simplified Chinese, traditional Chinese, English."""
SignalType = Literal["flag", "count", "number", "code", "text", "date"]
"""flag: true or false; count: an int from 0; number: finite; code: one of `Signal.words`; date: YYYY-MM-DD."""
Uses = Mapping[str, str]
DoubtReason = Literal[
    "charging_without_power", "power_while_free", "power_while_out_of_order", "meter_stands_still",
    "running_without_power", "runs_for_hours", "occupied_though_nobody_is_about", "frozen",
]  # fmt: skip

RUNNING_ABOVE_W = 5.0
"""Above this a load is in use, above the standby of the fixed device itself; `values: {running_above_w: N}` of a source
sets another."""


class Load(NamedTuple):
    """By which power evidence is judged, in W.

    `idle_w`: below it nothing flows; a battery takes more even at the very end of its charge. `drawing_w`: above it
    something is fed: more than the thing's own electronics, a lamp and a cheap meter's error.
    """

    idle_w: float = 5.0
    drawing_w: float = 20.0


USUAL_LOAD = Load()


@dataclass(frozen=True, slots=True)
class KindSignal:
    """One field of a kind's payload. `unit` is UCUM's or None for a bare number; W, W.h, Cel and % bound what is taken
    of it. One that tells no value (`KindSpec.told_by`) is kept in the journal and the copy, and shown nowhere."""

    name: str
    type: SignalType
    unit: str | None = None
    uses: Uses = field(default_factory=dict)
    """Which `use` its value means: for a code its words in the order in which history numbers them (append only), for a
    flag `true` and `false`. A word that is missing here means: not known."""

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self.uses) if self.type == "code" else ()


@dataclass(frozen=True, slots=True)
class Type:
    """A sort within a kind. `running_above_w`: the power above which it is in use, between the two of `load`."""

    words: KindWords
    icon: str
    short: KindWords | None = None
    running_above_w: float = RUNNING_ABOVE_W
    load: Load = USUAL_LOAD
    most_w: float = 1e6
    """More than any such thing draws: what its meter can't have counted in the time is no energy."""
    rank: int = 0
    """Its place among its like on pages, the smallest first."""
    indoors: bool = True
    """Who uses it has come in."""
    thing: KindWords | None = None
    """What one of it is called, where that is not the `thing` of its kind."""
    usable: KindWords | None = None
    """What its usable state is called, where that is not the word of its kind."""
    told_by: tuple[str, ...] = ()
    """The facts of a foreign device that are about this type alone, the surest first: of a detector of smoke and gas
    each type hears its own."""


@dataclass(frozen=True, slots=True)
class FromPower:
    """The status that power and a relay tell, where a device says no status itself."""

    running: str
    idle: str
    off: str


@dataclass(frozen=True, slots=True)
class KindSpec:
    """A kind of resource. Copy `_template.py`."""

    name: str
    order: int
    """Its place in lists, the smallest first."""
    words: KindWords
    """What it is called on pages; the plural in English."""
    icon: str
    """Of the pages: a name in css/tokens.css."""
    home_assistant_icon: str
    signals: tuple[KindSignal, ...]
    """Its own; battery_pct, rssi_dbm, fault and firmware belong to all kinds."""
    facts: Mapping[str, str]
    """Which fact of a foreign device (gateway/dialects/shared/facts) becomes which of its signals."""
    main: tuple[str, str | None]
    """The signals that tell its value: for words and flags (or `bay`, a fact that is counted), and for numbers."""
    found_by: tuple[str, ...]
    """Facts by which `discover` proposes it."""
    told_by: tuple[str, ...] = ()
    """The signals that carry its value; by default those that say what they mean (`uses`)."""
    types: Mapping[str, Type] = field(default_factory=dict)
    usual_type: str | None = None
    """The type that `discover` writes; a person corrects it."""
    ttl_s: int = 300
    """Seconds a value stays good."""
    reporting: Literal["periodic", "on_change"] = "periodic"
    instrument: bool = False
    """Nobody occupies it, it measures or warns: it stands among the instruments of its area, in no summary, and has no
    `usable`."""
    counted_in_units: bool = False
    """One resource stands for several places: its signals are `free` and `total`, from which its value follows."""
    tells_of_persons: bool = False
    """Its messages tell when somebody steps: times and counts leave only rounded."""
    occupied_by_somebody: bool = True
    """It counts in utilisation."""
    one_at_a_time: bool = False
    """One person uses it for a while and leaves: its end can be forecast."""
    holds_people: bool = False
    """Its capacity is that of its area, unless it has one of its own."""
    muted_when_closed: bool = True
    """Its alerts wait while the station is closed."""
    vital: bool = False
    """Needed when we are closed, too: nothing mutes it, and a flat battery or an empty place is critical."""
    metered: bool = False
    """It counts energy and sessions."""
    entrance: bool = False
    """One comes in through it."""
    counts_people: bool = False
    """It counts who comes in: totals `in`, or events `passage`."""
    proves_entry: bool = False
    """Who begins to use it has come in, so the station is open; but for types that stand outdoors (`Type.indoors`)."""
    groups_on_pages: bool = False
    """Shown as a count with windows; else each as a thing of its own."""
    fault_alert: str = "equipment_fault"
    """The kind of alert that its fault raises."""
    alert_when_full: str | None = None
    """The kind of alert while nothing of it is free."""
    from_power: FromPower | None = None
    doubts: tuple[DoubtReason, ...] = ()
    """What may make its evidence suspect: rules of gateway/evidence."""
    says: Mapping[str, KindWords] = field(default_factory=dict)
    """Further words: `one` (of a single one), `free` (of what is free), `unit` (measure word), `col` (column heading),
    `usable`, `unknown`, `blocked` (instead of those of other kinds)."""

    def __post_init__(self) -> None:
        """ValueError where it names a signal that it does not have."""
        named = {*self.told_by, *filter(None, self.main), *(("free", "total") if self.counted_in_units else ())}
        missing = sorted(named - {signal.name for signal in self.signals} - set(self.facts.values()))
        if missing:
            raise ValueError(f"config/kinds: {self.name} has no signal {', '.join(missing)}: add it to `signals`")

    @property
    def value_signals(self) -> frozenset[str]:
        """A message without any of these is only a sign of life."""
        return frozenset(self.told_by or [signal.name for signal in self.signals if signal.uses])

    @property
    def read_from(self) -> frozenset[str]:
        """What foreign devices tell these by: they themselves, power and a relay, a bay."""
        told = self.value_signals
        if self.from_power is not None:
            told |= {"power_w", "relay"}
        return told | ({"bay"} & set(self.facts.values()))

    def signal(self, name: str) -> KindSignal:
        """KeyError when it has none of this name."""
        for signal in self.signals:
            if signal.name == name:
                return signal
        raise KeyError(f"a {self.name} has no signal {name!r}")
