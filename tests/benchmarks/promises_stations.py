"""Sorts of stations that promise to be open, by their doors and sensors, and what may be wrong with them."""

from dataclasses import dataclass, field
from typing import Any

DAY, HOUR = 1_440, 60  # minutes
OPENS, CLOSES = 8 * HOUR, 20 * HOUR
TTL_S = 7_200
Said = tuple[int, str, str, dict[str, Any]]
"""(minute, device, `state`, `event` or `check`, payload)."""


@dataclass(frozen=True, slots=True)
class Sort:
    """What a station is. `bolt`: thrown by hand (`hand`), by itself behind everybody (`itself`), by itself outside of
    8 to 20 (`night`), by a strike that says locked while the leaf moves (`strike`), or not there at all (``).

    `door`: what its sensor says. `reader`: `told` (by `features`), `heard` (by its cards alone), `apart` (a device of
    its own). `back`: a second door, always locked. `staff_by_back`: staff come and go where no sensor is.
    """

    name: str
    always: bool = False
    bolt: str = ""
    door: tuple[str, ...] = ()
    reader: str = ""
    back: bool = False
    staff_by_back: bool = False
    inside: tuple[str, ...] = ("seat", "microwave")
    checked: bool = False  # a person tries the door once a day

    @property
    def hours(self) -> str:
        return "24/7" if self.always else "08:00-20:00"

    @property
    def door_can_show(self) -> bool:
        """Whether its door can show that it is shut: who could come in by card is not shut out by a bolt."""
        return self.bolt == "hand" and "locked" in self.door and not self.reader

    def resources(self) -> list[dict[str, Any]]:
        made: list[dict[str, Any]] = [{"id": "aed", "kind": "safety", "type": "aed", "ttl": 40 * 86_400}]
        kinds: dict[str, dict[str, Any]] = {
            "seat": {"kind": "seat"},
            "microwave": {"kind": "appliance", "type": "microwave"},
            "phone": {"kind": "charger", "type": "phone"},
            "room": {"kind": "room"},
        }
        made += [{"id": name, "ttl": TTL_S, **kinds[name]} for name in self.inside]
        if self.door:
            features = {"features": ["reader"]} if self.reader == "told" else {}
            made.append({"id": "door", "kind": "door", "ttl": TTL_S, **features})
        if self.back:
            made.append({"id": "back", "kind": "door", "ttl": TTL_S})
        if self.reader == "apart":
            made.append({"id": "reader", "kind": "door", "ttl": TTL_S, "features": ["reader"]})
        return made


BOTH = ("open", "locked")
SORTS = (
    Sort("lock and contact", bolt="hand", door=BOTH),
    Sort("lock alone", bolt="hand", door=("locked",)),
    Sort("lock, open round the clock", always=True, bolt="hand", door=BOTH),
    Sort("lock and a room", bolt="hand", door=BOTH, inside=("room",)),
    Sort("lock and nothing inside", bolt="hand", door=BOTH, inside=()),
    Sort("lock, staff by the back", bolt="hand", door=BOTH, staff_by_back=True),
    Sort("two locks", bolt="hand", door=BOTH, back=True, inside=("seat", "phone")),
    Sort("reader, told", always=True, bolt="itself", door=BOTH, reader="told"),
    Sort("reader, heard", always=True, bolt="itself", door=BOTH, reader="heard"),
    Sort("reader, apart", always=True, bolt="itself", door=BOTH, reader="apart"),
    Sort("reader by night", always=True, bolt="night", door=BOTH, reader="told"),
    Sort("locks itself", always=True, bolt="itself", door=BOTH),
    Sort("strike", always=True, bolt="strike", door=BOTH),
    Sort("contact alone", bolt="hand", door=("open",)),
    Sort("no door", bolt="hand"),
    Sort("phones alone", bolt="hand", inside=("phone",)),
    Sort("nothing", bolt="hand", inside=()),
    Sort("people alone", bolt="hand", inside=(), checked=True),
)


@dataclass(slots=True)
class Lie:
    """Nobody can come in from `begins` to `ends`. `shown_at`: from when its sensors can show it; None: never."""

    kind: str
    begins: int
    ends: int
    shown_at: int | None = None
    told_at: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Of the front door's sensor: it says so whatever is true, or for `frozen` what it said last."""

    kind: str
    begins: int
    ends: int


@dataclass(slots=True)
class Month:
    sort: Sort
    said: list[Said] = field(default_factory=list)
    lies: list[Lie] = field(default_factory=list)
    fault: Fault | None = None
