"""What a box says of itself to its centre, retained on `yz-box/{box}`."""

import contextlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from config.files import UnusableFileError, read_text
from gateway.base.certificates import NoCertificateError, ends_in
from gateway.base.clock import now_ms
from gateway.base.local_time import DAY_MS
from gateway.live.places import utc
from gateway.model import Millis
from gateway.store.days import day_files

DAYS_MEASURED: Final = 7
"""Days of the journal whose size says how fast the disk fills."""
DISK_DAYS_MOST: Final = 3_650
KEPT: Final = Path("/var/cache/yizhan/before")
"""Where the package keeps the version before; `YIZHAN_KEPT` names another folder, as for its script."""


@dataclass(slots=True)
class BoxReport:
    """`state` is online, stopped, or offline: the last will, which tells nothing but that.

    `ring` says when it gets a new version. `walls` counts the screens of its stations, `config_version` is the number
    of the newest version of its files, `certificate` the file of the certificate by which it logs in, `alerts` says who
    tells people of its alerts, `obeys` whether it does what staff of the centre say.
    """

    box: str
    version: str
    started_at: Millis
    folder: Path
    certificate: Path | None = None
    walls: Callable[[], int] = lambda: 0
    config_version: Callable[[], int | None] = lambda: None
    alerts: Callable[[], str] = lambda: "box"
    obeys: bool = False
    ring: str | None = None

    def told(self, state: str, backlog: int) -> bytes:
        body: dict[str, Any] = {"box": self.box, "state": state}
        if state != "offline":
            now = now_ms()
            free = shutil.disk_usage(self.folder).free
            body |= {
                "version": self.version, "since": utc(self.started_at), "clock_ms": now, "backlog": backlog,
                "disk_free_mib": free >> 20, "disk_days": disk_days(self.folder, free), "walls": self.walls(),
                "config_version": self.config_version(), "certificate_days": certificate_days(self.certificate, now),
                "alerts": self.alerts(), "ring": self.ring, "obeys": self.obeys,
            }  # fmt: skip
            refused = taken_back(Path(os.environ.get("YIZHAN_KEPT", KEPT)))
            if refused is not None:
                body |= {"upgrade": "rolled_back", "upgrade_version": refused or None}
        return msgspec.json.encode(body)


def taken_back(kept: Path) -> str | None:
    """The version that was taken back, empty where nobody noted which; None while the installed one runs."""
    try:
        return read_text(kept / "in-use", "in-use").strip()[:64]
    except UnusableFileError:
        return None


def disk_days(folder: Path, free: int) -> int | None:
    """For how many days the disk has room, at the pace of the last days; None before there is a whole one."""
    sizes = []
    for path in day_files(folder)[-DAYS_MEASURED - 1 : -1]:
        with contextlib.suppress(OSError):
            sizes.append(path.stat().st_size)
    if not sizes:
        return None
    return min(DISK_DAYS_MOST, int(free / max(1.0, sum(sizes) / len(sizes))))


def certificate_days(path: Path | None, now: Millis) -> int | None:
    """Whole days until the first certificate in the file ends, negative after; None where none can be read."""
    if path is None:
        return None
    try:
        return (ends_in(path)[0] - now) // DAY_MS
    except NoCertificateError:
        return None
