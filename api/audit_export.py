"""Once a day the lines of the audit trails that no export has yet go to a file of that day: `audit/2026-11-29.jsonl`.

Each line carries its trail, number and digest, so a copy that is kept off the machine shows whether the trail was made
anew. The export is itself a line of the trail, with its SHA-256.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api.access_book import AccessBook
from api.audit_check import EXPORT_BYTES, EXPORTED, FOLDER, all_lines, noted
from api.private_files import locked, replace_private
from config.files import read_bytes
from gateway.base.local_time import DAY_MS
from gateway.model import Millis

BY = "yizhan"


class AuditExports:
    """The exports of one store's trails, for any number of processes. `days`: how long they and files put aside are
    kept."""

    def __init__(self, store: Path, days: int) -> None:
        self._store, self._folder, self._kept_ms = store, store / FOLDER, days * DAY_MS

    def keep_up(self, now: Millis) -> Path | None:
        """Export what days that are over left, unless today's export is there; drop what is past its time."""
        if not self._store.is_dir() or self._path(now).exists():
            return None
        today = now // DAY_MS * DAY_MS
        if not any(line["at"] < today for line in self._new()):
            return None
        path = self.export(now)
        AccessBook(self._store).forget(now - self._kept_ms)
        for old in self._files():
            if old.name < self._path(now - self._kept_ms).name:
                old.unlink(missing_ok=True)
        return path

    def export(self, now: Millis, by: str = BY) -> Path | None:
        """Write what no export has yet. None where another process was quicker, or there is nothing."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._path(now)
        with locked(self._folder):
            rows = [] if path.exists() else list(self._new())
            if not rows:
                return None
            content = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
            replace_private(path, content)
        AccessBook(self._store).note(now, by, EXPORTED, path.name, noted(content))
        return path

    def _new(self) -> Iterator[dict[str, Any]]:
        last: dict[str, int] = {}
        for path in self._files():
            for row in read_bytes(path, path.name, EXPORT_BYTES).splitlines():
                told = json.loads(row)
                last[told["trail"]] = max(told["n"], last.get(told["trail"], 0))
        return all_lines(self._store, last)

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("????-??-??.jsonl"))

    def _path(self, at: Millis) -> Path:
        return self._folder / f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d}.jsonl"
