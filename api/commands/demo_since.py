"""Since when the demo has lived, and the process that makes its past while it works."""

import json
import logging
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from api.commands.demo_past import FOLDER, MAKING, Plan, make_present
from config.files import UnusableFileError, read_text
from firmware_bridge.emulator.faults import Misbehaviour
from firmware_bridge.emulator.troubles import standing_troubles
from gateway.base.clock import monotonic_s
from gateway.model import Millis
from gateway.store.days import CORE

log = logging.getLogger(__name__)

SINCE_FILE = "demo-since"
FIRST_AFTER_S = 2.0  # the pages come first
STOP_S = 2.0


def begun(folder: Path, now: Millis, *, empty: bool) -> Millis | None:
    """When the demo of this folder began first, which is now where it has no store; None: it has no past."""
    try:
        return int(read_text(folder / SINCE_FILE, "--data"))
    except UnusableFileError as error:
        if not error.missing or empty or (folder / CORE).exists():
            return None
    except ValueError:
        return None
    folder.mkdir(0o700, parents=True, exist_ok=True)
    (folder / SINCE_FILE).write_text(f"{now}\n")
    return now


class PastOfDemo:
    """Use: `make_present` before the gateway opens the store, `start` when it works, `stop` at the end."""

    def __init__(self, plan: Plan, *, wanted: bool) -> None:
        self._plan, self._wanted = plan, wanted
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()

    def make_present(self) -> None:
        """What goes on when the demo begins. One that was cut short is made anew."""
        data = self._plan.data
        if not self._wanted or (data / CORE).exists():
            return
        for part in data.glob("*.db*"):
            part.unlink()
        make_present(self._plan)

    def standing(self) -> Sequence[Misbehaviour]:
        """What is wrong with devices when it begins, and still."""
        return standing_troubles(self._plan.week) if self._wanted else ()

    @property
    def _whole(self) -> bool:
        return (self._plan.data / FOLDER).exists()

    def missing(self) -> bool:
        """Whether the past is not there yet. Any thread."""
        return self._wanted and not self._whole

    def start(self) -> None:
        if self.missing():
            threading.Thread(target=self._make, name="past", daemon=True).start()

    def _make(self) -> None:
        if self._stopping.wait(FIRST_AFTER_S):
            return
        begin, words = monotonic_s(), json.dumps(asdict(self._plan) | {"data": str(self._plan.data)})
        command = [sys.executable, "-m", "api.commands.demo_past", words]
        self._child = child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
        status = child.wait()
        if self._stopping.is_set():
            return
        if status == 0:
            sys.stdout.write(f"the week before is there, too ({monotonic_s() - begin:.0f} s)\n")
            sys.stdout.flush()
        else:
            log.error("the demo's past could not be made: its process ended with %d", status)
            self._wanted = False

    def stop(self) -> None:
        """A past that is not whole is made anew at the next start."""
        self._stopping.set()
        child, self._child = self._child, None
        if child is None:
            return
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(STOP_S)
        if child.poll() is None:
            child.kill()
        shutil.rmtree(self._plan.data / MAKING, ignore_errors=True)
