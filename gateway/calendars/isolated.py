"""Calendars are read in a child process with limits; the gateway itself does without the libraries that read them."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec

from gateway.calendars.lines import MAX_BYTES, CalendarError
from gateway.model import Millis
from gateway.policy.activities import Activity

CPU_S = 5
WAIT_S_PER_CPU_S = 12  # a busy machine is no fault of the calendar
REFUSED = 3  # exit status


class CalendarReading(msgspec.Struct, frozen=True):
    """What a calendar says. `left_out`: how many events are missing, by reason; `guessed`: how many were doubtful."""

    activities: tuple[Activity, ...] = ()
    left_out: dict[str, int] = {}
    guessed: dict[str, int] = {}

    def remark(self) -> str | None:
        """In one line what people should know of it; None where nothing is odd."""
        parts = [f"{count} × {reason}" for reason, count in sorted(self.left_out.items())]
        if parts:
            parts = [f"{sum(self.left_out.values())} events are left out: " + ", ".join(parts)]
        parts += [f"{count} × {reason}" for reason, count in sorted(self.guessed.items())]
        return "; ".join(parts) or None


def isolated(data: bytes, zone: str, first: Millis, last: Millis, cpu_s: int = CPU_S) -> CalendarReading:
    """`ical.read` in a process of its own, which ends after `cpu_s` seconds of work. CalendarError as there."""
    if len(data) > MAX_BYTES:
        raise CalendarError(f"is larger than {MAX_BYTES} bytes")
    command = [sys.executable, "-m", "gateway.calendars.ical", zone, str(first), str(last), str(cpu_s)]
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    try:
        wait_s = WAIT_S_PER_CPU_S * cpu_s
        done = subprocess.run(command, input=data, capture_output=True, timeout=wait_s, check=False, env=here)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise CalendarError("takes too long to read") from None
    if done.returncode == REFUSED:
        raise CalendarError(done.stderr.decode(errors="replace").strip())
    if done.returncode != 0:
        raise CalendarError("takes too long or too much memory to read")
    return msgspec.json.decode(done.stdout, type=CalendarReading)
