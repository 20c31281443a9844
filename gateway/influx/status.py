"""How the copy in InfluxDB is doing, for /metrics, `yz-sys` and doctor."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Checked:
    """The last comparison of journal and copy: the day since 1970 UTC, and how many values only one of them has."""

    day: int
    missing: int
    surplus: int


@dataclass(frozen=True, slots=True)
class CopyMetrics:
    """The copy in InfluxDB: messages that it still lacks, rows that it has taken since we started, attempts that failed
    by reason, rows that it refused for good or no longer keeps, in words what keeps it from being whole, and what the
    last night found."""

    backlog: int
    rows: int
    failures: Mapping[str, int]
    dead_letters: int
    expired: int
    trouble: str | None
    checked: Checked | None
    days_again: int
