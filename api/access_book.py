"""What people do about access itself: log-ins, keys, looks at the broker; one JSON line each in `access.jsonl`.

Only the gateway writes the store, and keys are made at the box while it may be down; so these lines stand in a file of
their own beside it, which any process may lengthen. `GET /api/v1/audit` shows them with what the gateway carried out.

The lines are a chain (`gateway.base.chain` over n, at, who, what, target, detail). Lines of former versions have no
digest; the SHA-256 of all of them is what the first digest stands on. `access.head` holds the last line's digest, so a
line cut off the end is missed. A file of 1 MiB is put aside as `access-{number of its last line}.jsonl`.
"""

import getpass
import hashlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from api.private_files import locked, of_the_folders_owner, replace_private
from config.files import LIST_BYTES, UnusableFileError, read_bytes, read_text
from gateway.base.chain import chained
from gateway.model import Millis
from gateway.policy.text import bounded

log = logging.getLogger(__name__)

NAME, HEAD = "access.jsonl", "access.head"
ASIDE = "access-*.jsonl"
LONGEST_BYTES = 2**20  # then the file is put aside and another begins
ASIDE_MOST = 200  # files put aside; the oldest goes
LONGEST_TEXT = 200
BY_COMMAND = frozenset(
    {"backed_up", "restored", "imported", "exported", "card_forgotten", "audit_exported", "version_promoted"}
)
"""What people do at the box that concerns the whole store."""


@dataclass(frozen=True, slots=True)
class AccessLine:
    """Who did what to what, and where: `detail` is an address or what was given."""

    at: Millis
    who: str
    what: str
    target: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class AccessHead:
    """The last line that was written: its number, its digest, and the size of its file behind it; and the same of the
    last line that went with age (0: none did)."""

    n: int = 0
    digest: str = ""
    size: int = 0
    gone: int = 0
    gone_digest: str = ""


def whoever() -> str:
    """The name of the user who runs a command on this box."""
    try:
        return f"{getpass.getuser()} at the box"
    except (KeyError, OSError):  # no such user in a container
        return "at the box"


class AccessBook:
    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def note(self, at: Millis, who: str, what: str, target: str, detail: str | None = None) -> None:
        """Add a line. A disk that takes none is logged: nobody is kept out for it."""
        texts = [None if text is None else _storable(text) for text in (who, what, target, detail)]
        line = AccessLine(at, *texts)  # type: ignore[arg-type]
        try:
            with locked(self.path.parent):
                self._add(line)
        except (OSError, UnusableFileError) as error:
            shown = json.dumps(asdict(line), ensure_ascii=False)
            log.error("%s: %s; not in the audit trail: %s", self.path, error, shown)

    def _add(self, line: AccessLine) -> None:
        head = self._head_to_go_on_from()
        if head.size > LONGEST_BYTES and self.path.exists():  # else killed before the new one began
            self.path.rename(self.path.with_name(f"access-{head.n:09d}.jsonl"))
        number = head.n + 1
        digest = chained(head.digest, number, line.at, line.who, line.what, line.target, line.detail)
        row = json.dumps(asdict(line) | {"n": number, "digest": digest}, ensure_ascii=False)
        handle = os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "ab") as file:
            of_the_folders_owner(file.fileno(), self.path.parent)
            file.write(row.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        self._keep(AccessHead(number, digest, size, head.gone, head.gone_digest))
        for part in self.parts()[:-ASIDE_MOST]:
            self._drop(part)

    def _head_to_go_on_from(self) -> AccessHead:
        """That of the file of heads, unless a process was killed between the line and its head.

        What somebody cut off or put in is not made good: the chain goes on where it was, and a check finds the place.
        """
        head = self.head()
        size = self.path.stat().st_size if self.path.exists() else 0
        if head is not None and head.size == size:
            return head
        _cut_half_a_line(self.path)
        rows = self._rows(self.path)
        if head is None:
            return _first_head([*(row for part in self.parts() for row in self._rows(part)), *rows])
        last = _parsed(rows[-1]) if rows else None
        if last is not None and last[1] == head.n + 1 and follows(*last, head.digest):
            return AccessHead(last[1], last[2] or "", size, head.gone, head.gone_digest)
        return head

    def head(self) -> AccessHead | None:
        """None where there is none, or it is damaged."""
        path = self.path.with_name(HEAD)
        try:
            return AccessHead(**json.loads(read_text(path, HEAD)))
        except (ValueError, TypeError):
            return None

    def parts(self) -> list[Path]:
        """The files that were put aside, the oldest first."""
        return sorted(self.path.parent.glob(ASIDE))

    def lines(self, limit: int) -> list[AccessLine]:
        """The newest first; a line that is damaged is left out."""
        lines: list[AccessLine] = []
        for path in (self.path, *reversed(self.parts())):
            for row in reversed(self._rows(path)):
                if len(lines) >= limit:
                    return lines
                parsed = _parsed(row)
                if parsed is not None:
                    lines.append(parsed[0])
        return lines

    def rows(self) -> Iterator[tuple[bytes, AccessLine | None, int | None, str | None]]:
        """Every row as it stands, the oldest first, with its line, number and digest; None for what is damaged or older
        than the chain."""
        for path in (*self.parts(), self.path):
            for row in self._rows(path):
                yield (row, *(_parsed(row) or (None, None, None)))

    def forget(self, before: Millis) -> None:
        """Files that were put aside and hold nothing from after that time go."""
        with locked(self.path.parent):
            for part in self.parts():
                parsed = [parsed_row for row in self._rows(part) if (parsed_row := _parsed(row)) is not None]
                if any(line.at >= before for line, _, _ in parsed):
                    return
                self._drop(part)

    def _drop(self, part: Path) -> None:
        rows, head = self._rows(part), self.head()
        last = _parsed(rows[-1]) if rows else None
        if head is not None and last is not None and last[2] is not None:
            self._keep(AccessHead(head.n, head.digest, head.size, last[1] or 0, last[2]))
        part.unlink()

    def _keep(self, head: AccessHead) -> None:
        replace_private(self.path.with_name(HEAD), json.dumps(asdict(head)).encode())

    @staticmethod
    def _rows(path: Path) -> list[bytes]:
        try:
            return read_bytes(path, path.name, LIST_BYTES).splitlines()
        except UnusableFileError:
            return []


def _storable(text: str) -> str:
    """Bounded, and what UTF-8 can't hold as question marks: what is read again has the digest that was written."""
    return bounded(text, LONGEST_TEXT).encode("utf-8", "replace").decode()


Parsed = tuple[AccessLine, int | None, str | None]


def follows(line: AccessLine, number: int | None, digest: str | None, previous: str) -> bool:
    """Whether the digest is that of this line behind the digest `previous`."""
    return digest == chained(previous, number, line.at, line.who, line.what, line.target, line.detail)


def seed(rows: list[bytes]) -> str:
    """What the first digest stands on: that of the rows of former versions, empty where there is none."""
    return hashlib.sha256(b"".join(row + b"\n" for row in rows)).hexdigest() if rows else ""


def _first_head(rows: list[bytes]) -> AccessHead:
    """Where the chain begins or, if the file of heads is gone, the last line that has a digest."""
    for row in reversed(rows):
        parsed = _parsed(row)
        if parsed is not None and parsed[1] is not None and parsed[2] is not None:
            return AccessHead(parsed[1], parsed[2])
    return AccessHead(len(rows), seed(rows))


def _parsed(row: bytes) -> Parsed | None:
    try:
        fields: dict[str, Any] = json.loads(row)
        number, digest = fields.pop("n", None), fields.pop("digest", None)
        return AccessLine(**fields), number, digest
    except (ValueError, TypeError, AttributeError):
        return None


def _cut_half_a_line(path: Path) -> None:
    """A line without its end was never whole: a power cut left it."""
    if not path.exists():
        return
    content = read_bytes(path, path.name, LIST_BYTES)
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)
