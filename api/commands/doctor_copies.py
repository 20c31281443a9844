"""What doctor finds of the copy in InfluxDB and of backups."""

from collections.abc import Iterator
from typing import Any

from api.commands.doctor_finding import DoctorFinding


def copy(influx: Any) -> Iterator[DoctorFinding]:
    """Writes a comment: it needs the same rights as rows, and leaves none."""
    if influx is None:
        return
    from gateway.base.clock import now_ms
    from gateway.influx.client import InfluxWriter

    writer = InfluxWriter(influx)
    answer = writer.write(["# yizhan doctor"], now_ms())
    writer.close()
    if answer.verdict == "taken":
        yield DoctorFinding("ok", "copy", f"{writer.name} takes rows")
        yield from _countable(influx, now_ms())
        return
    mends = {"401": "check the token", "403": "the token must write this bucket", "404": "run `yizhan store init`"}
    mend = mends.get(answer.reason, "check store.influx; the journal keeps everything meanwhile")
    yield DoctorFinding("fail", "copy", f"{writer.name}: {answer.reason} {answer.text}; {mend}")


def _countable(influx: Any, now: int) -> Iterator[DoctorFinding]:
    """The nightly comparison, and history on another machine, must also read it."""
    from gateway.influx.ask import held
    from gateway.store.base import StoreError

    try:
        held(influx, ["doctor"], now - 1, now)
    except StoreError as error:
        yield DoctorFinding("warn", "copy", f"it can't be compared with the journal each night: {error}")


def backups(settings: Any) -> Iterator[DoctorFinding]:
    """How those went that the configuration asks for."""
    if settings.backup is None:
        return
    from gateway.base.backup_state import asked_state, trouble_of
    from gateway.base.clock import now_ms

    trouble = trouble_of(asked_state(settings.store.path, now_ms()), now_ms())
    text = "the last one and its rehearsal went well" if trouble is None else f"{trouble}; see docs/backup.md"
    yield DoctorFinding("ok" if trouble is None else "warn", "backup", text)
