"""Is the audit trail whole? Every line of the store, of `access.jsonl` and of the daily exports is looked at."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from api.access_book import HEAD, AccessBook, AccessLine, follows, seed
from config.files import read_bytes
from gateway.base.local_time import DAY_MS
from gateway.model import Millis
from gateway.store.audit import AuditReader
from gateway.store.base import StoreError
from gateway.store.days import core_files

EXPORTED = "audit_exported"
FOLDER = "audit"  # of the daily exports, beside the store
ACCESS = "access"
EXPORT_BYTES = 256 << 20  # of one day
SHOWN = 20  # faults of one trail


@dataclass(slots=True)
class TrailCheck:
    """What was found in one trail: `lines` looked at, `began` the first whose digest was made with it (None: none was),
    and the last. `digests`: of every line by its number, for the exports."""

    trail: str
    lines: int = 0
    began: int | None = None
    head: int = 0
    head_digest: str = ""
    gone: int = 0
    faults: list[str] = field(default_factory=list)
    digests: dict[int, str] = field(default_factory=dict)
    restored_at: Millis = 0
    of_exports: bool = False

    def fault(self, text: str) -> None:
        if len(self.faults) < SHOWN:
            self.faults.append(text)


def check_all(folder: Path, kept_since: Millis, elsewhere: Path | None = None) -> list[TrailCheck]:
    """Every trail of the store in `folder`, its exports from `kept_since` on, and copies of them kept elsewhere."""
    trails = [check_access(folder)] + [check_store(path.parent, folder) for path in core_files(folder)]
    by_name = {trail.trail: trail for trail in trails}
    notes = export_notes(folder)
    checks = [*trails, check_exports(folder / FOLDER, by_name, notes, kept_since)]
    if elsewhere is not None:
        checks.append(check_exports(elsewhere, by_name, notes, kept_since))
    return checks


def exports_since(now: Millis, days: int) -> Millis:
    """From when on exports must be there that are kept for so many days."""
    return now - (days - 1) * DAY_MS


def trail_name(store: Path, folder: Path) -> str:
    """What the trail of a store is called: `store`, of a shard with its folder."""
    return "store" if store == folder else f"store {store.relative_to(folder)}"


def check_store(store: Path, folder: Path) -> TrailCheck:
    """The chain in a store's core file."""
    trail = TrailCheck(trail_name(store, folder))
    try:
        reader = AuditReader(store)
    except StoreError as error:
        trail.fault(str(error))
        return trail
    try:
        _follow_store(trail, reader)
    except StoreError as error:
        trail.fault(str(error))
    finally:
        reader.close()
    return trail


def _follow_store(trail: TrailCheck, reader: AuditReader) -> None:
    state = reader.state()
    number, digest = (0, "") if state is None else (state.before, state.before_digest)
    for line in reader.lines():
        trail.lines += 1
        if state is None:
            continue
        if number == 0 and line.id < state.began and not trail.digests:
            digest = ""  # the first of all
        if not line.follows(digest):
            trail.fault(f"line {line.id} is not the one that was written behind line {number}")
        number, digest = line.id, line.digest or ""
        trail.digests[line.id] = digest
    if state is None:
        return
    trail.began, trail.gone = max(state.began, state.before + 1), state.before
    trail.head, trail.head_digest = state.head, state.head_digest
    if (number, digest) != (state.head, state.head_digest):
        trail.fault(f"the last line is {number}, but {state.head} were written")


def check_access(folder: Path) -> TrailCheck:
    """The chain in `access.jsonl` and the files put aside."""
    trail, book = TrailCheck(ACCESS), AccessBook(folder)
    head, older = book.head(), []
    number, digest = (head.gone, head.gone_digest) if head is not None and head.gone else (None, "")
    for row, line, n, own in book.rows():
        trail.lines += 1
        if line is not None and line.what == "restored":
            trail.restored_at = max(trail.restored_at, line.at)
        if own is None and trail.began is None:
            older.append(row)
            continue
        if trail.began is None:
            number, digest = (len(older), seed(older)) if number is None else (number, digest)
            trail.began = n
        if line is None or n != (number or 0) + 1 or not follows(line, n, own, digest):
            trail.fault(f"line {n or trail.lines} is not the one that was written behind line {number}")
        number, digest = n or (number or 0) + 1, own or ""
        trail.digests[number] = digest
    trail.head, trail.head_digest = number or len(older), digest
    trail.gone = head.gone if head is not None else 0
    _hold_against_head(trail, book)
    return trail


def _hold_against_head(trail: TrailCheck, book: AccessBook) -> None:
    head = book.head()
    if head is None:
        if trail.began is not None:
            trail.fault(f"{HEAD} is missing or damaged: whether lines were cut off the end can't be told")
        return
    if head.n > trail.head:
        trail.fault(f"the last line is {trail.head}, but {head.n} were written")
    elif trail.digests.get(head.n, head.gone_digest) != head.digest or trail.head > head.n + 1:
        trail.fault(f"line {head.n} was the last that was written; it is another, or others stand behind it")


def export_notes(folder: Path) -> dict[str, AccessLine]:
    """What the trail of access tells of each export, by its name."""
    rows = AccessBook(folder).rows()
    return {line.target: line for _, line, _, _ in rows if line is not None and line.what == EXPORTED}


def check_exports(
    exports: Path, trails: Mapping[str, TrailCheck], notes: Mapping[str, AccessLine], kept_since: Millis
) -> TrailCheck:
    """Every exported line is still in its trail, the same; and the exports are those that the trail tells of."""
    checked = TrailCheck(f"exports in {exports}", of_exports=True)
    present = {path.name: read_bytes(path, path.name, EXPORT_BYTES) for path in sorted(exports.glob("*.jsonl"))}
    for name, content in present.items():
        if name in notes and notes[name].detail != noted(content):
            checked.fault(f"{name} is not the file that was exported")
        _hold_against_trails(checked, name, content, trails)
    for name, note in sorted(notes.items()):
        if name not in present and note.at >= kept_since:
            checked.fault(f"{name} was exported and is not there")
    return checked


def noted(export: bytes) -> str:
    """How the trail tells what an export holds."""
    return f"sha256 {hashlib.sha256(export).hexdigest()}"


def _hold_against_trails(checked: TrailCheck, name: str, content: bytes, trails: Mapping[str, TrailCheck]) -> None:
    restored_at = max((trail.restored_at for trail in trails.values()), default=0)
    for number, row in enumerate(_json_rows(content), 1):
        checked.lines += 1
        if row is None:
            checked.fault(f"{name}: line {number} can't be read")
            continue
        trail = trails.get(str(row.get("trail")))
        n, digest = row.get("n"), row.get("digest")
        if trail is None or not isinstance(n, int) or digest is None or n <= trail.gone:
            continue
        restored = trail.trail != ACCESS and isinstance(row.get("at"), int) and row["at"] <= restored_at
        if trail.digests.get(n) != digest and not restored:
            checked.fault(f"{name}: line {n} of {trail.trail} was exported and is another now, or missing")


def _json_rows(content: bytes) -> Iterator[dict[str, Any] | None]:
    for row in content.splitlines():
        try:
            parsed = json.loads(row)
        except ValueError:
            parsed = None
        yield parsed if isinstance(parsed, dict) else None


def all_lines(folder: Path, after: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    """Every line of every trail behind the numbers `after`, as an export holds it."""
    access = (
        _row(ACCESS, n, digest, line)
        for _, line, n, digest in AccessBook(folder).rows()
        if line is not None and n is not None and n > after.get(ACCESS, 0)
    )
    yield from chain(access, *(_of_store(path.parent, folder, after) for path in core_files(folder)))


def _of_store(store: Path, folder: Path, after: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    name = trail_name(store, folder)
    reader = AuditReader(store)
    try:
        for line in reader.lines(after.get(name, 0)):
            told = AccessLine(line.at, line.who, line.what, line.target, line.detail)
            yield _row(name, line.id, line.digest, told)
    finally:
        reader.close()


def _row(trail: str, n: int, digest: str | None, line: AccessLine) -> dict[str, Any]:
    return {
        "trail": trail, "n": n, "at": line.at, "who": line.who, "what": line.what, "target": line.target,
        "detail": line.detail, "digest": digest,
    }  # fmt: skip


def faults_of(checked: Sequence[TrailCheck]) -> list[str]:
    return [f"{trail.trail}: {text}" for trail in checked for text in trail.faults]
