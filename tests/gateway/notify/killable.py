"""One gateway's life from a transition to its delivery, that kills itself (SIGKILL) at the step it is told.

    python -m tests.gateway.notify.killable FOLDER URL LIVES

Every life appends one trouble to a journal, then does what any start does: follow the journal from the cursor, store
alerts with what they owe, send, record. A second life after each finds what the first left. They are forked, so that
a hundred cost seconds.
"""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from config.schema.alerts import Channel
from gateway.alerts.core import Alerts
from gateway.alerts.facts import Fact
from gateway.alerts.places import Places
from gateway.alerts.routes import Route, deliveries
from gateway.alerts.words import Delivery
from gateway.base.clock import now_ms
from gateway.notify.base import Sender, StaffMessage
from gateway.notify.channels import sender_of
from gateway.notify.post import Outlet, Post
from gateway.store.alerts_reader import AlertReader
from gateway.store.apply import apply
from gateway.store.files import connect, transaction
from gateway.store.jobs import Job, KeepAlerts, SettleDeliveries

# 1 journal; 2, 3, 4 before, in and after storing the alert; 5 before and 6 after sending; 7, 8, 9 recording.
STEPS = 9
SENT_AND_NOT_RECORDED = (6, 7, 8)
T0 = 1_700_000_000_000  # long ago: due at once


class Life:
    def __init__(self, folder: Path, url: str, die_at: int) -> None:
        self.folder, self.steps_left = folder, die_at
        self.db = connect(folder / "yizhan.db", "core")
        self.reader = AlertReader(folder)
        channel = Channel.model_validate({"id": "hook", "kind": "webhook", "url": url, "allow_private": True})
        self.sender = sender_of(channel)

    def step(self) -> None:
        self.steps_left -= 1
        if self.steps_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def write(self, job: Job) -> None:
        self.step()
        with transaction(self.db):
            apply(self.db, job)
            self.step()
        self.step()

    def run(self, number: int | None) -> None:
        journal = self.folder / "journal"
        if number is not None:
            with journal.open("a") as file:
                file.write(f"{number}\n")
            self.step()
        self.follow([int(line) for line in journal.read_text().split()])
        outlets = {"hook": Outlet("hook", _Stepping(self.sender, self.step), cap_per_hour=1_000_000)}
        Post(self.reader, self.record, outlets, Places(), now_ms).run()

    def follow(self, journal: list[int]) -> None:
        core = Alerts([], lambda *_: None)
        core.restore(self.reader.unsettled())
        for upto in range(self.reader.cursor(), len(journal)):
            at = T0 + journal[upto]
            events = core.on_facts([Fact("help", at, True, "yanshan", f"button-{journal[upto]}")], at)
            owed = [delivery for event in events for delivery in deliveries(event, [Route(("hook",))], Places())]
            self.write(KeepAlerts(events, owed, upto + 1))

    def record(self, done: Sequence[Delivery]) -> bool:
        self.write(SettleDeliveries(done))
        return True


class _Stepping:
    def __init__(self, sender: Sender, step: Callable[[], None]) -> None:
        self._sender, self._step = sender, step

    def send(self, message: StaffMessage) -> None:
        self._step()
        self._sender.send(message)
        self._step()


def main(folder: Path, url: str, lives: int) -> int:
    killed = 0
    for number in range(lives):
        killed += os.WIFSIGNALED(_live(folder, url, 1 + number % STEPS, number))
        if _live(folder, url, 0, None) != 0:
            return 1
    print(killed)
    return 0


def _live(folder: Path, url: str, die_at: int, number: int | None) -> int:
    """One forked life; its exit status as `wait` gives it."""
    child = os.fork()
    if child == 0:
        try:
            Life(folder, url, die_at).run(number)
        finally:
            os._exit(sys.exc_info()[0] is not None)
    return os.waitpid(child, 0)[1]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
