"""A store without a disk: what `base.Store` and `base.Reader` ask for and no more. It lives in its folder's name."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.evidence.checks import StoredCheck
from gateway.model import Axes, Batch, Change, Interval, Millis, OpeningChange, Reading, Rejected
from gateway.store.jobs import Job, Keep, KeepOpenings, KeepReports, MoveCopy
from gateway.store.reader import _intervals, _reading

Point = tuple[Millis, Axes]


@dataclass(slots=True)
class _Disk:
    batches: list[tuple[int, Batch]] = field(default_factory=list)
    points: dict[tuple[str, str], dict[Millis, Axes]] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    parts: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)
    copies: dict[str, tuple[int, int]] = field(default_factory=dict)
    openings: dict[str, OpeningChange] = field(default_factory=dict)
    reports: dict[str, StoredCheck] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)


_DISKS: dict[Path, _Disk] = {}


class MemoryStore:
    """See `base.Store`. `jobs` are those for alerts and orders, as they were asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._disk = _DISKS.setdefault(folder, _Disk())
        self.jobs = self._disk.jobs

    @property
    def last_id(self) -> int:
        newest = self._disk.batches[-1][0] if self._disk.batches else 0
        return max(newest, *(upto for upto, _ in self._disk.parts.values()), 0)

    def commit(self, batch: Batch, changes: Sequence[Change], rejected: Sequence[Rejected], now: Millis) -> int:
        number = self.last_id
        if batch.payloads:
            number += 1
            self._disk.batches.append((number, batch))
        for change in changes:
            name = change.resource.station, change.resource.id
            self._disk.points.setdefault(name, {})[change.at] = change.after
        self._disk.rejected += rejected
        return number

    def checkpoint(self, part: int, upto: int, blob: bytes) -> None:
        self.checkpoint_all([(part, blob)], upto)

    def checkpoint_all(self, parts: Iterable[tuple[int, bytes]], upto: int) -> None:
        self._disk.parts |= {part: (upto, blob) for part, blob in parts}

    def checkpoints(self) -> Iterator[tuple[int, int, bytes]]:
        yield from ((part, *kept) for part, kept in sorted(self._disk.parts.items()))

    def drop_parts(self, first: int) -> None:
        self._disk.parts = {part: kept for part, kept in self._disk.parts.items() if part < first}

    def batches(self, after: int) -> Iterator[tuple[int, Batch]]:
        yield from [row for row in self._disk.batches if row[0] > after]

    def rejected(self) -> Iterator[Rejected]:
        yield from self._disk.rejected

    def ready(self) -> None:
        pass

    def settle(self) -> None:
        pass

    def write(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            match job:
                case Keep():
                    self._disk.kept[job.name] = job.value
                case MoveCopy():
                    refused = self.copied(job.copy)[1] + len(job.refused)
                    self._disk.copies[job.copy] = job.upto, refused
                case KeepOpenings():
                    self._disk.openings |= {change.station: change for change in job.changes}
                case KeepReports():
                    self._disk.reports = {report.report.id: report for report in job.reports} | self._disk.reports
                case _:
                    self._disk.jobs.append(job)

    def kept(self, name: str) -> bytes | None:
        return self._disk.kept.get(name)

    def openings(self) -> dict[str, OpeningChange]:
        return dict(self._disk.openings)

    def reports(self, wanted: Iterable[tuple[str, str]]) -> list[StoredCheck]:
        stored = []
        for station, check in wanted:
            told = [
                report
                for report in self._disk.reports.values()
                if (report.station, report.report.check) == (station, check)
            ]
            stored += sorted(told, key=lambda report: report.report.ts)
        return stored

    def report_ids(self, since: Millis) -> dict[str, Millis]:
        return {name: stored.report.ts for name, stored in self._disk.reports.items() if stored.report.ts >= since}

    def copied(self, copy: str) -> tuple[int, int]:
        upto, refused = self._disk.copies.get(copy, (0, 0))
        return min(upto, self.last_id), refused

    def tidy(self, now: Millis) -> bool:
        return False

    def close(self) -> None:
        """What it holds stays for who opens the folder again."""


class MemoryReader:
    """See `base.Reader`."""

    def __init__(self, folder: Path) -> None:
        self._disk = _DISKS.setdefault(folder, _Disk())

    def history(
        self, station: str, resource: str, start: Millis, end: Millis, most: int | None = None
    ) -> list[Interval]:
        points = sorted(self._disk.points.get((station, resource), {}).items())
        before = [point for point in points if point[0] <= start][-1:]
        within = [point for point in points if start < point[0] < end]
        if most is not None and len(within) > most:
            within, end = within[:most], within[most][0]
        return _intervals([*before, *within], start, end)

    def readings(
        self, start: Millis | None = None, end: Millis | None = None, station: str | None = None
    ) -> Iterator[Reading]:
        for number, batch in list(self._disk.batches):
            for row in zip(batch.topics, batch.payloads, batch.received, batch.flags, strict=True):
                reading = _reading(number, *row)
                in_time = (start is None or start <= row[2]) and (end is None or row[2] < end)
                if in_time and station in (None, reading.station):
                    yield reading

    def quarantine(self) -> Iterator[Rejected]:
        yield from self._disk.rejected

    def close(self) -> None: ...
