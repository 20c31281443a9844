"""The desk for commands: whoever asks, from any thread or from another process, is answered by the intake thread.

That a signed command comes once and in time was seen to by the gate (`gateway.commands`); here each that is carried out
gets its line in the audit trail.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future

from gateway.alerting.deeds import RELAYED, Deed, DeedError, Deeds, Done, decode
from gateway.alerting.relayed import onward, ours
from gateway.alerts.core import Alerts
from gateway.alerts.payload import OWN
from gateway.alerts.words import AlertEvent, UnknownAlertError
from gateway.base.mishaps import Mishaps
from gateway.commands import CommandError
from gateway.commands.answers import State
from gateway.model import Millis
from gateway.policy.text import LONGEST_NAME, bounded
from gateway.store.base import StoreError
from gateway.store.jobs import Job, KeepAudit

log = logging.getLogger(__name__)

# What is asked of the intake thread. LookupError or ValueError goes back to whoever asked.
Act = Callable[[Alerts, Millis], Done]
AskedEvents = Future[list[AlertEvent]]
OnDeed = Callable[[Deed, Millis], Sequence[Job]]
"""(deed, now): it is carried out; what is to be kept with it, so that other machines do it as well."""
OnAnswer = Callable[[Deed, State, str], None]
"""(deed, what came of it, why): of one that another machine has us do. Any thread."""


class DoneBeforeError(ValueError):
    """Another machine has us do what we did."""


class StaffDesk:
    """`wake` has the intake thread turn soon; it then takes `answers`."""

    def __init__(self, core: Alerts, deeds: Deeds, mishaps: Mishaps, wake: Callable[[], None]) -> None:
        self._core, self.deeds, self._mishaps, self._wake = core, deeds, mishaps, wake
        self._asked: deque[tuple[Act, AskedEvents]] = deque()
        self._relayed: set[str] = set()  # nonces of what other machines have us do, while we do it
        self.on_done: OnDeed = lambda _deed, _now: []
        self.on_answer: OnAnswer = lambda _deed, _state, _why: None

    # ---- any thread ----

    def ask(self, act: Act) -> AskedEvents:
        """Have `act` carried out by the intake thread; its future is done when all of it is durable."""
        future: AskedEvents = Future()
        self._asked.append((act, future))
        self._wake()
        return future

    def do(self, deed: Deed) -> AskedEvents:
        """Have a deed carried out; see `ask`."""
        return self.ask(lambda _core, now: self._carry_out(deed, now))

    def command(self, station: str, text: bytes) -> None:
        """A deed from `yz-cmd/{station}/staff`, signed. CommandError when it is none; a log line when it fails."""
        try:
            deed = decode(text)
        except DeedError as error:
            raise CommandError(str(error), "unreadable") from None
        if (deed.station or OWN) != station:
            raise CommandError(f"a deed for {deed.station!r} on the topic of {station!r}", "other_station")
        if not deed.is_relayed:
            self.do(deed).add_done_callback(_log_refusal)
        elif deed.nonce not in self._relayed:
            self._relayed.add(deed.nonce)
            self.do(deed).add_done_callback(lambda done: self._answer_relayed(deed, done))

    def _answer_relayed(self, deed: Deed, done: AskedEvents) -> None:
        error = done.exception()
        if error is None or isinstance(error, DoneBeforeError):
            self.on_answer(deed, "done", "")
        elif isinstance(error, LookupError | ValueError):
            unknown = isinstance(error, UnknownAlertError)
            self.on_answer(deed, "refused", "there is no such open alert here" if unknown else str(error))
        self._relayed.discard(deed.nonce)
        if error is not None:
            _log_refusal(done)

    def note(self, by: str, what: str, target: str, detail: str) -> None:
        """A line in the audit trail for what was carried out elsewhere."""
        self.ask(lambda _core, now: ([], [], [_audit(now, by, what, target, detail)]))

    # ---- the intake thread ----

    @property
    def asked(self) -> bool:
        """Whether anybody waits for an answer."""
        return bool(self._asked)

    def answers(self, now: Millis) -> Iterator[tuple[Done, AskedEvents]]:
        """What came of each thing that was asked, to be kept; who asked for what failed was told."""
        while self._asked:
            act, future = self._asked.popleft()
            if future.set_running_or_notify_cancel():  # else whoever asked has gone
                done = self._answer(act, future, now)
                if done is not None:
                    yield done, future

    def _answer(self, act: Act, future: AskedEvents, now: Millis) -> Done | None:
        before = None
        try:
            before = self._core.apart.before(None)
            return act(self._core, now)
        except (LookupError, ValueError, StoreError) as error:
            # A closed alert, a step that does not fit, a store that can't be read: whoever asked is told, and nothing
            # of it holds.
            if before is not None:
                before.restore()
            future.set_exception(error)
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            # A fault of ours. It ends what was asked, not the thread that everybody's messages need.
            if before is not None:
                before.restore()
            self._mishaps.note("what staff or a visitor asked for", error)
            future.set_exception(error)
        return None

    def _carry_out(self, deed: Deed, now: Millis) -> Done:
        twins = self.deeds.twins
        if deed.is_relayed and twins.did(deed.nonce):
            raise DoneBeforeError(deed.nonce)
        told_on = onward(twins, deed) if deed.do in RELAYED and deed.station else None
        if deed.is_relayed:
            deed = ours(twins, deed)
        events, steps, jobs = self.deeds.carry_out(deed, now)
        more = [] if told_on is None else self.on_done(told_on, now)
        return events, steps, [*jobs, _audit(now, deed.who, deed.do, deed.target or deed.station, deed.nonce), *more]


def _audit(at: Millis, by: str, what: str, target: str, detail: str) -> KeepAudit:
    """The one line that every command leaves. The nonce of a deed is its detail, by which other processes find it."""
    return KeepAudit(at, bounded(by, LONGEST_NAME), what, target, detail)


def _log_refusal(done: AskedEvents) -> None:
    error = done.exception()
    if error is not None:
        log.warning("command refused: %s", error)
