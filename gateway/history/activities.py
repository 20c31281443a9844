"""How many activities were held (活动场次): what is known of those that are over."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from gateway.model import ActivityEnded


@dataclass(slots=True)
class HeldCount:
    """By what presence proved. Those of whom nobody could see are `unknown`, neither held nor not."""

    held: int = 0
    not_held: int = 0
    unknown: int = 0

    @classmethod
    def of(cls, activities: Iterable[ActivityEnded]) -> Self:
        count = cls()
        for activity in activities:
            setattr(count, activity.held, getattr(count, activity.held) + 1)
        return count

    def add(self, other: "HeldCount") -> None:
        self.held += other.held
        self.not_held += other.not_held
        self.unknown += other.unknown

    @property
    def planned(self) -> int:
        """The number of activities that the calendars had."""
        return self.held + self.not_held + self.unknown

    @property
    def coverage(self) -> float | None:
        """The part that was seen; None where nothing was planned."""
        return (self.held + self.not_held) / self.planned if self.planned else None
