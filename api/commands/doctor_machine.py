"""What doctor finds of the machine: its runtime, clock, store and disk, and how starts ended."""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from api.commands.doctor_finding import DoctorFinding, FindingMark

SLOW_FSYNC_MS = 50.0
LOW_DISK_MIB = 500


def runtime() -> DoctorFinding:
    from gateway.store.files import sqlite_version

    have, risky = sqlite_version()
    text = f"Python {sys.version.split()[0]}, SQLite {have}"
    if risky:
        # See walresetbug in SQLite's page on WAL: it takes a second writing connection, which we never open.
        return DoctorFinding(
            "ok", "runtime", text + " (has the WAL-reset bug; harmless here, with one writing connection)"
        )
    return DoctorFinding("ok", "runtime", text)


def clock() -> DoctorFinding:
    from gateway.base.clock import now_ms

    year = datetime.fromtimestamp(now_ms() / 1000, UTC).year
    if year < 2026:
        return DoctorFinding("fail", "clock", f"the machine thinks it is {year}: set it, or let it ask a time server")
    synchronised = Path("/run/systemd/timesync/synchronized").exists()
    return DoctorFinding("ok", "clock", f"{year}, {'synchronised' if synchronised else 'not known to be synchronised'}")


def store(folder: Path) -> Iterator[DoctorFinding]:
    from gateway.store.files import healthy

    try:
        folder.mkdir(parents=True, exist_ok=True)
        slowest = fsync_ms(folder / ".doctor")
    except OSError as error:
        yield DoctorFinding(
            "fail", "store", f"{folder} can't be written: {error.strerror}; mend its rights or store.path"
        )
        return
    mark: FindingMark = "warn" if slowest > SLOW_FSYNC_MS else "ok"
    hint = "; slow: see store.profile sd_card in the example" if mark == "warn" else ""
    yield DoctorFinding(mark, "store", f"{folder} is writable, slowest of 20 fsyncs {slowest:.1f} ms{hint}")
    damaged = [path.name for path in folder.glob("*.db") if not healthy(path)]
    if damaged:
        yield DoctorFinding(
            "fail", "store", f"damaged: {', '.join(damaged)}; the gateway moves them aside when it starts"
        )
    free = shutil.disk_usage(folder).free >> 20
    yield DoctorFinding("warn" if free < LOW_DISK_MIB else "ok", "disk", f"{free} MiB free")


def fsync_ms(path: Path) -> float:
    """The slowest of twenty small durable writes, in ms."""
    slowest = 0.0
    with path.open("wb") as file:
        for _ in range(20):
            begin = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            slowest = max(slowest, time.perf_counter() - begin)
    path.unlink()
    return slowest * 1000


def starts(folder: Path) -> Iterator[DoctorFinding]:
    """What the starts of each gateway that keeps its files here came to."""
    from gateway.runtime.starts import FILE, PLAIN, read

    for path in sorted(folder.glob(f"**/{FILE}")):
        history = read(path.parent)
        if history is None:
            yield DoctorFinding("warn", "starts", f"{path} can't be read; the next start of the gateway writes it anew")
            continue
        if history.early > PLAIN:
            text = f"the last {history.early} starts ended within a minute or have not lasted it yet; the log says why"
            yield DoctorFinding(
                "warn", "starts", f"{text}. Messages are handled singly until it is known which of them it is"
            )
        if history.guilty:
            stations = ", ".join(sorted({message.station for message in history.guilty.values()}))
            text = f"{len(history.guilty)} messages of {stations} ended the process and are set aside unseen"
            yield DoctorFinding(
                "warn", "starts", f"{text}: `yizhan export --quarantine`; send them to us. An update tries anew"
            )
