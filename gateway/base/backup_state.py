"""How backups went, in `backup.json` beside the store: whoever makes them writes it, the gateway's alerts read it.

It also says since when they are asked for, so that no restart makes a backup that is missing look younger.
"""

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from config.files import read_text
from gateway.base.local_time import HOUR_MS
from gateway.base.told_beside import tell_beside
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
    asked_at: Millis = 0
    """Since when backups are asked for, where none was tried before."""


def read_state(folder: Path) -> BackupState | None:
    """None where nothing was tried yet, or the file is damaged."""
    try:
        return BackupState(**json.loads(read_text(folder / FILE, FILE)))
    except (ValueError, TypeError):
        return None


def write_state(folder: Path, state: BackupState) -> None:
    """Replace it as a whole. OSError."""
    tell_beside(folder, FILE, asdict(state))


def asked_state(folder: Path, now: Millis) -> BackupState:
    """The state where backups are asked for: noted as such at first. A damaged one is as old as its file."""
    state = read_state(folder)
    if state is not None:
        return state
    with contextlib.suppress(OSError):
        return BackupState(asked_at=round((folder / FILE).stat().st_mtime * 1000))
    state = BackupState(asked_at=now)
    with contextlib.suppress(OSError):  # what can't be written is told as the store's trouble
        write_state(folder, state)
    return state


def trouble_of(state: BackupState, now: Millis) -> str | None:
    """What to tell staff."""
    if state.error:
        return f"the last backup failed: {state.error}"
    if now - max(state.made_at, state.asked_at) > LATE_MS:
        return "no backup was made for a day and a half"
    if state.rehearsal_error:
        return f"the rehearsal failed: {state.rehearsal_error}"
    return None
