"""What people do about access itself: log-ins, keys, looks at the broker; one JSON line each in `access.jsonl`.

Only the gateway writes the store, and keys are made at the box while it may be down; so these lines stand in a file of
their own beside it, which any process may lengthen. `GET /api/v1/audit` shows them with what the gateway carried out.
"""

import getpass
import json
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from api.private_files import locked, replace_private
from config.files import LIST_BYTES, UnusableFileError, read_bytes
from gateway.model import Millis
from gateway.policy.text import bounded

log = logging.getLogger(__name__)

NAME = "access.jsonl"
LONGEST_BYTES = 2**20  # when it is reached the older half goes
LONGEST_TEXT = 200
BY_COMMAND = frozenset({"backed_up", "restored", "imported", "card_forgotten"})
"""What people do at the box that concerns the whole store."""


@dataclass(frozen=True, slots=True)
class AccessLine:
    """Who did what to what, and where: `detail` is an address or what was given."""

    at: Millis
    who: str
    what: str
    target: str
    detail: str | None = None


def whoever() -> str:
    """Who works at the box."""
    try:
        return f"{getpass.getuser()} at the box"
    except (KeyError, OSError):  # no such user in a container
        return "at the box"


class AccessBook:
    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def note(self, at: Millis, who: str, what: str, target: str, detail: str | None = None) -> None:
        """Add a line. A disk that takes none is logged: nobody is kept out for it."""
        texts = (None if text is None else bounded(text, LONGEST_TEXT) for text in (who, what, target, detail))
        line = json.dumps(asdict(AccessLine(at, *texts)), ensure_ascii=False)  # type: ignore[arg-type]
        try:
            with locked(self.path.parent):
                handle = os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
                with os.fdopen(handle, "ab") as file:
                    file.write(line.encode("utf-8", "replace") + b"\n")
                    size = file.tell()
                if size > LONGEST_BYTES:
                    self._halve()
        except (OSError, UnusableFileError) as error:
            log.error("%s: %s; not in the audit trail: %s", self.path, error, line)

    def lines(self, limit: int) -> list[AccessLine]:
        """The newest first; a line that is damaged is left out."""
        try:
            rows = read_bytes(self.path, NAME, LIST_BYTES).splitlines()
        except UnusableFileError:
            return []
        found: list[AccessLine] = []
        for row in reversed(rows):
            if len(found) >= limit:
                break
            try:
                found.append(AccessLine(**json.loads(row)))
            except (ValueError, TypeError):
                continue
        return found

    def _halve(self) -> None:
        rows = read_bytes(self.path, NAME, LIST_BYTES).splitlines(keepends=True)
        replace_private(self.path, b"".join(rows[len(rows) // 2 :]))
