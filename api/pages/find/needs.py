"""What somebody may look for: each kind and type that a station here has, and what is found by its name alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from api.pages.standing import key_of
from config.kinds import INSTRUMENTS, SPECS
from gateway.live.station_document import SummaryLine

TOILET: Final = "toilet"
"""No kind of its own: a room or a thing that is called so (PagePlace.toilets)."""


@dataclass(frozen=True, slots=True)
class Need:
    """`key` is `seat`, `charger:ebike` or `toilet`; `icon` one of tokens.css."""

    key: str
    icon: str


def offered(summaries: Iterable[Iterable[SummaryLine]], toilets: bool) -> list[Need]:
    """Those that are anywhere, in the order of the pages."""
    there = {key_of(line.kind, line.type) for lines in summaries for line in lines}
    needs = [Need(key, icon) for key, icon in _ALL.items() if key in there]
    return [*needs, Need(TOILET, "room")] if toilets else needs


def matches(key: str, line: SummaryLine) -> bool:
    """`charger` is any charger, `charger:ebike` one for e-bikes."""
    return key in (line.kind, key_of(line.kind, line.type))


def _all() -> Mapping[str, str]:
    icons: dict[str, str] = {}
    for name, spec in SPECS.items():
        if name in INSTRUMENTS or spec.entrance:
            continue
        icons |= {
            f"{name}:{sort}": type_spec.icon
            for sort, type_spec in sorted(spec.types.items(), key=lambda named_type: named_type[1].rank)
        }
        icons[name] = spec.icon
    return icons


_ALL: Final = _all()
