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
    found = [*trails, check_exports(folder / FOLDER, by_name, notes, kept_since)]
    if elsewhere is not None:
        found.append(check_exports(elsewhere, by_name, notes, kept_since))
    return found


def exports_since(now: Millis, days: int) -> Millis:
    """From when on exports must be there that are kept for so many days."""
    return now - (days - 1) * DAY_MS


def trail_name(store: Path, folder: Path) -> str:
    """What the trail of a store is called: `store`, of a shard with its folder."""
    return "store" if store == folder else f"store {store.relative_to(folder)}"


def check_store(store: Path, folder: Path) -> TrailCheck:
    """The chain in a store's core file."""
    found = TrailCheck(trail_name(store, folder))
    try:
        reader = AuditReader(store)
    except StoreError as error:
        found.fault(str(error))
        return found
    try:
        _follow_store(found, reader)
    except StoreError as error:
        found.fault(str(error))
    finally:
        reader.close()
    return found


def _follow_store(found: TrailCheck, reader: AuditReader) -> None:
    state = reader.state()
    number, digest = (0, "") if state is None else (state.before, state.before_digest)
    for line in reader.lines():
        found.lines += 1
        if state is None:
            continue
        if number == 0 and line.id < state.began and not found.digests:
            digest = ""  # the first of all
        if not line.follows(digest):
            found.fault(f"line {line.id} is not the one that was written behind line {number}")
        number, digest = line.id, line.digest or ""
        found.digests[line.id] = digest
    if state is None:
        return
    found.began, found.gone = max(state.began, state.before + 1), state.before
    found.head, found.head_digest = state.head, state.head_digest
    if (number, digest) != (state.head, state.head_digest):
        found.fault(f"the last line is {number}, but {state.head} were written")


def check_access(folder: Path) -> TrailCheck:
    """The chain in `access.jsonl` and the files put aside."""
    found, book = TrailCheck(ACCESS), AccessBook(folder)
    head, older = book.head(), []
    number, digest = (head.gone, head.gone_digest) if head is not None and head.gone else (None, "")
    for row, line, n, own in book.rows():
        found.lines += 1
        if line is not None and line.what == "restored":
            found.restored_at = max(found.restored_at, line.at)
        if own is None and found.began is None:
            older.append(row)
            continue
        if found.began is None:
            number, digest = (len(older), seed(older)) if number is None else (number, digest)
            found.began = n
        if line is None or n != (number or 0) + 1 or not follows(line, n, own, digest):
            found.fault(f"line {n or found.lines} is not the one that was written behind line {number}")
        number, digest = n or (number or 0) + 1, own or ""
        found.digests[number] = digest
    found.head, found.head_digest = number or len(older), digest
    found.gone = head.gone if head is not None else 0
    _hold_against_head(found, book)
    return found


def _hold_against_head(found: TrailCheck, book: AccessBook) -> None:
    head = book.head()
    if head is None:
        if found.began is not None:
            found.fault(f"{HEAD} is missing or damaged: whether lines were cut off the end can't be told")
        return
    if head.n > found.head:
        found.fault(f"the last line is {found.head}, but {head.n} were written")
    elif found.digests.get(head.n, head.gone_digest) != head.digest or found.head > head.n + 1:
        found.fault(f"line {head.n} was the last that was written; it is another, or others stand behind it")


def export_notes(folder: Path) -> dict[str, AccessLine]:
    """What the trail of access tells of each export, by its name."""
    rows = AccessBook(folder).rows()
    return {line.target: line for _, line, _, _ in rows if line is not None and line.what == EXPORTED}


def check_exports(
    exports: Path, trails: Mapping[str, TrailCheck], notes: Mapping[str, AccessLine], kept_since: Millis
) -> TrailCheck:
    """Every exported line is still in its trail, the same; and the exports are those that the trail tells of."""
    found = TrailCheck(f"exports in {exports}", of_exports=True)
    present = {path.name: read_bytes(path, path.name, EXPORT_BYTES) for path in sorted(exports.glob("*.jsonl"))}
    for name, content in present.items():
        if name in notes and notes[name].detail != noted(content):
            found.fault(f"{name} is not the file that was exported")
        _hold_against_trails(found, name, content, trails)
    for name, note in sorted(notes.items()):
        if name not in present and note.at >= kept_since:
            found.fault(f"{name} was exported and is not there")
    return found


def noted(export: bytes) -> str:
    """How the trail tells what an export holds."""
    return f"sha256 {hashlib.sha256(export).hexdigest()}"


def _hold_against_trails(found: TrailCheck, name: str, content: bytes, trails: Mapping[str, TrailCheck]) -> None:
    restored_at = max((trail.restored_at for trail in trails.values()), default=0)
    for number, row in enumerate(_json_rows(content), 1):
        found.lines += 1
        if row is None:
            found.fault(f"{name}: line {number} can't be read")
            continue
        trail = trails.get(str(row.get("trail")))
        n, digest = row.get("n"), row.get("digest")
        if trail is None or not isinstance(n, int) or digest is None or n <= trail.gone:
            continue
        restored = trail.trail != ACCESS and isinstance(row.get("at"), int) and row["at"] <= restored_at
        if trail.digests.get(n) != digest and not restored:
            found.fault(f"{name}: line {n} of {trail.trail} was exported and is another now, or missing")


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
    return [f"{one.trail}: {text}" for one in checked for text in one.faults]
