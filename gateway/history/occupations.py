"""What people who rest here work as, as they say by one tap: what may be told of a month's answers. Pure.

A month is told once it is over, so that no answer shows by what it changed. Groups under `CROWD` go into `other`; is
that still under `CROWD` it is left out of the whole, so that nobody and four people look alike. What remains are groups
of five people and more: sums and differences of such groups are such groups again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.policy.privacy import CROWD

OCCUPATIONS: Final[Mapping[str, tuple[str, str, str]]] = {
    "sanitation": ("环卫", "環衛", "Street cleaning"),
    "food_delivery": ("外卖", "外賣", "Food delivery"),
    "courier": ("快递", "快遞", "Parcels"),
    "ride_hailing": ("网约车", "網約車", "Driving people"),
    "freight": ("货运", "貨運", "Driving goods"),
    "security": ("保安", "保安", "Security"),
    "construction": ("建筑", "建築", "Building"),
    "other": ("其他", "其他", "Something else"),
}
"""What can be answered, in simplified and traditional Chinese and English."""
OTHER: Final = "other"
FEWEST: Final = 20
"""Answers of a month below which nothing is told."""


@dataclass(frozen=True, slots=True)
class Shares:
    """What may be told: how many people of each group, the largest first; each has at least `CROWD`."""

    groups: Mapping[str, int]

    @property
    def answers(self) -> int:
        """The number of all answers that are told."""
        return sum(self.groups.values())

    @property
    def shares(self) -> dict[str, float]:
        return {name: count / self.answers for name, count in self.groups.items()}


def told(counts: Mapping[str, int]) -> Shares | None:
    """The shares of one station's past month; None where too few answered."""
    large = {name: count for name, count in counts.items() if count >= CROWD and name != OTHER}
    rest = sum(count for name, count in counts.items() if name not in large)
    if rest >= CROWD:
        large[OTHER] = rest
    if sum(large.values()) < FEWEST:
        return None
    return _sorted(large)


def together(parts: Iterable[Shares | None]) -> Shares | None:
    """Several stations or months: the sum of what is told of each; None where nothing is."""
    groups: dict[str, int] = {}
    for part in parts:
        for name, count in (part.groups if part else {}).items():
            groups[name] = groups.get(name, 0) + count
    return _sorted(groups) if groups else None


def _sorted(groups: Mapping[str, int]) -> Shares:
    return Shares(dict(sorted(groups.items(), key=lambda group: (group[0] == OTHER, -group[1], group[0]))))
