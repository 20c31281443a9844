"""How backups went, in `backup.json` beside the store: whoever makes them writes it, the gateway's alerts read it."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from config.files import read_text
from gateway.base.local_time import HOUR_MS
from gateway.model import Millis

FILE = "backup.json"
LATE_MS = 36 * HOUR_MS
"""A day's backup that was not made after so long is told of."""


@dataclass(frozen=True, slots=True)
class BackupState:
    """Times are 0 for never; the texts say why the last try failed, empty where it did not."""

    made_at: Millis = 0
    tried_at: Millis = 0
    error: str = ""
    rehearsed_at: Millis = 0
    rehearsal_error: str = ""


def read_state(folder: Path) -> BackupState | None:
    """None where nothing was tried yet, or the file is damaged."""
    try:
        return BackupState(**json.loads(read_text(folder / FILE, FILE)))
    except (ValueError, TypeError):
        return None


def write_state(folder: Path, state: BackupState) -> None:
    """Replace it as a whole. OSError."""
    part = folder / f".{FILE}.part"
    part.write_text(json.dumps(asdict(state)), "utf-8")
    part.chmod(0o600)
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(part, owner.st_uid, owner.st_gid)
    part.replace(folder / FILE)


def trouble_of(state: BackupState | None, since: Millis, now: Millis) -> str | None:
    """What to tell staff; `since`: from when on backups were to be made."""
    made_at = state.made_at if state is not None else 0
    if state is not None and state.error:
        return f"the last backup failed: {state.error}"
    if now - max(made_at, since) > LATE_MS:
        return "no backup was made for a day and a half"
    if state is not None and state.rehearsal_error:
        return f"the rehearsal failed: {state.rehearsal_error}"
    return None
