"""What people said of checks, as rows of the core file: for who writes them, and the read side for any process."""

import sqlite3  # noqa: TID251
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

from gateway.evidence.checks import CheckReport, StoredCheck
from gateway.model import Millis
from gateway.store.audit import keep_line
from gateway.store.days import core_files
from gateway.store.files import READ_ERRORS, as_store_error, read_only
from gateway.store.jobs import ForgetReports, KeepAudit, KeepReports

_COLUMNS = "station, received_at, id, check_id, at, result, note, expires, count, by"
_LAST = f"SELECT {_COLUMNS} FROM check_report WHERE station = ? AND check_id = ?"  # noqa: S608  names of our own
_NEWEST = " ORDER BY at DESC, number DESC LIMIT 1"


def apply_reports(db: sqlite3.Connection, job: KeepReports | ForgetReports) -> None:
    """Inside a transaction of the writer's thread."""
    if isinstance(job, KeepReports):
        for stored in job.reports:
            _keep_report(db, stored)
        return
    db.execute(
        "DELETE FROM check_report WHERE at < ? AND EXISTS (SELECT 1 FROM check_report AS later"
        " WHERE later.station = check_report.station AND later.check_id = check_report.check_id"
        " AND later.at > check_report.at)",
        (job.before,),
    )


def _keep_report(db: sqlite3.Connection, stored: StoredCheck) -> None:
    """With its line of the audit trail, where it is new. What verified an order has the line of that deed."""
    new = db.execute(
        "INSERT OR IGNORE INTO check_report (id, station, check_id, at, received_at, result, note, expires,"
        " count, by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        _row_of(stored),
    ).rowcount
    report = stored.report
    if new and report.result != "verified":
        target = f"{stored.station}/{report.check}"
        keep_line(db, KeepAudit(stored.received_at, report.by, "check", target, report.result))


def _row_of(stored: StoredCheck) -> tuple[Any, ...]:
    """In the order of the columns that are written."""
    report = stored.report
    expires = None if report.expires is None else report.expires.isoformat()
    return (
        report.id, stored.station, report.check, report.ts, stored.received_at, report.result, report.note, expires,
        report.count, report.by,
    )  # fmt: skip


def last_reports(db: sqlite3.Connection, station: str, check: str) -> list[StoredCheck]:
    """See `Store.reports`."""
    told = [
        db.execute(f"{_LAST}{only}{_NEWEST}", (station, check)).fetchone()
        for only in (" AND expires IS NOT NULL", " AND count IS NOT NULL", "")
    ]
    reports = [_stored(row) for row in {row for row in told if row is not None}]
    return sorted(reports, key=lambda stored: stored.report.ts)


def _stored(row: tuple[Any, ...]) -> StoredCheck:
    station, received_at, name, check, at, result, note, expires, count, by = row
    day = None if expires is None else date.fromisoformat(expires)
    report = CheckReport(id=name, check=check, ts=at, result=result, note=note, expires=day, count=count, by=by)
    return StoredCheck(station, report, received_at)


class ReportBooks:
    """The reports of a store, or of one for each shard beside it. StoreError for a file that can't be read."""

    def __init__(self, folder: Path) -> None:
        self._paths = core_files(folder)

    def find(self, name: str) -> StoredCheck | None:
        """The report of this id."""
        return next(iter(self._ask("WHERE id = ?", (name,))), None)

    def page(
        self, station: str, before: tuple[Millis, str] | None, most: int, check: str | None = None
    ) -> list[StoredCheck]:
        """The newest first, but for what verified orders left. `before`: time and id of the last one of a page.
        `check`: of this one alone."""
        at, name = (2**62, "") if before is None else before
        of_check, values = ("", ()) if check is None else (" AND check_id = ?", (check,))
        told = self._ask(
            f"WHERE station = ?{of_check} AND result <> 'verified' AND (at, id) < (?, ?)"
            " ORDER BY at DESC, id DESC LIMIT ?",
            (station, *values, at, name, most),
        )
        return sorted(told, key=lambda stored: (stored.report.ts, stored.report.id), reverse=True)[:most]

    def last(self, station: str, checks: Iterable[str]) -> dict[str, StoredCheck]:
        """The last report of each check, where there is one."""
        by_check: dict[str, StoredCheck] = {}
        for check in checks:
            told = self._ask(f"WHERE station = ? AND check_id = ?{_NEWEST}", (station, check))
            newest = max(told, key=lambda stored: stored.report.ts, default=None)
            if newest is not None:
                by_check[check] = newest
        return by_check

    def _ask(self, condition: str, values: Sequence[object]) -> list[StoredCheck]:
        query = f"SELECT {_COLUMNS} FROM check_report {condition}"  # noqa: S608  names of our own
        return [_stored(row) for path in self._paths for row in self._rows(path, query, values)]

    def _rows(self, path: Path, query: str, values: Sequence[object]) -> Iterator[tuple[Any, ...]]:
        with closing(read_only(path)) as db:
            try:
                if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'check_report'").fetchone():
                    return iter(())
                return iter(db.execute(query, values).fetchall())
            except READ_ERRORS as error:
                raise as_store_error(error, path) from error
