"""The bus of an operator's platform: a thread asks it, a second one hears what it tells by itself."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from firmware_bridge.bus import STORE_AGAIN_S, Sink
from firmware_bridge.devices.base import DeviceOrder, Heard
from firmware_bridge.operators.book import OperatorWord, WordBook
from firmware_bridge.operators.listener import ListenAddress, PushAnswer, PushListener, PushRequest
from firmware_bridge.operators.web import AskError
from firmware_bridge.spool_file import SpoolError
from gateway.base.clock import monotonic_s, now_ms
from gateway.base.mishaps import Mishaps
from gateway.model import Millis

log = logging.getLogger(__name__)

STEP_S = 0.2
HURRY_S = 5.0  # so soon after the last question at the earliest
LONGEST_PAUSE_S = 300.0
PRESENT_MS = 300_000
UNHEARD_AFTER = 3  # answers without a word of a device, then it is told


@dataclass(frozen=True, slots=True)
class OperatorTold:
    """What an operator has said. `whole`: all that he has, so what is not in it is gone. `confirms`: what else he said
    before still holds. `renewed`: connectors of which something else is new, with its time. `as_of`: when it held at
    the earliest, by our clock. `hurry`: he should be asked soon.
    """

    words: tuple[OperatorWord, ...] = ()
    whole: bool = False
    confirms: bool = False
    renewed: tuple[tuple[str, Millis | None], ...] = ()
    as_of: Millis | None = None
    hurry: bool = False


@dataclass(frozen=True, slots=True)
class Pushed:
    """What he has told by himself: `answer` goes out when it is kept, `failed` when it can't be."""

    answer: PushAnswer
    failed: PushAnswer
    told: OperatorTold = OperatorTold()


class Platform(Protocol):
    """`ask` blocks, and raises AskError; `answer` is called on another thread meanwhile."""

    def ask(self, now: Callable[[], Millis]) -> OperatorTold: ...
    def answer(self, request: PushRequest, now: Millis) -> Pushed: ...


@dataclass(frozen=True, slots=True)
class OperatorRules:
    """`poll_s`: how often he is asked."""

    bus: str
    host: str
    poll_s: float
    listen: ListenAddress | None


class OperatorBus:
    """The same face as `Bus`."""

    def __init__(
        self, rules: OperatorRules, platform: Platform, book: WordBook, sink: Sink, stop: threading.Event
    ) -> None:
        self.id, self._rules, self._platform, self._book, self._sink, self._stop = (
            rules.bus, rules, platform, book, sink, stop,
        )  # fmt: skip
        self._mishaps = Mishaps(expected=(SpoolError,))
        self._lock = threading.Lock()  # book
        self._due_s, self._failures, self._answers = 0.0, 0, 0
        self._asked_s = 0.0
        self._said: str | None = None
        self._named: set[str] = set()  # devices whose trouble was told
        self._failed: BaseException | None = None
        self.listener: PushListener | None = None
        if rules.listen is not None:
            self.listener = PushListener(rules.bus, rules.listen, self.pushed, stop)

    def order(self, order: DeviceOrder) -> None:
        """Another's piles take no orders from us."""

    def run(self) -> None:
        listening = threading.Thread(target=self._listen, name=f"push-{self.id}", daemon=True)
        listening.start()
        while not self._stop.is_set() and self._failed is None:
            with self._mishaps.contained(f"bus {self.id}: a turn"):
                self._turn()
            self._stop.wait(STEP_S)
        listening.join()  # not after what ends the process: the listener would wait for a stop that nobody says
        if self._failed is not None:
            raise self._failed

    def _listen(self) -> None:
        if self.listener is not None:
            try:
                self.listener.run()
            except BaseException as error:  # noqa: BLE001  it ends the bus, and with it the process
                self._failed = error

    # ---- asking ----

    def _turn(self) -> None:
        if monotonic_s() < self._due_s:
            return
        self._asked_s = monotonic_s()
        try:
            told = self._platform.ask(now_ms)
        except AskError as error:
            self._missed(str(error), error.retry_after_s)
            return
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            self._mishaps.note(f"bus {self.id}: asking {self._rules.host}", error)
            self._missed("a fault of this program", 0.0)
            return
        if self._stop.is_set():
            return
        if self._said is not None or not self._answers:
            log.info("bus %s: %s answers", self.id, self._rules.host)
        self._failures, self._said = 0, None
        self._answers += 1
        self._due_s = monotonic_s() + self._rules.poll_s
        self._kept(told)
        self._tell_troubles(now_ms())

    def _missed(self, text: str, retry_after_s: float) -> None:
        if self._stop.is_set():
            return
        self._failures = min(self._failures + 1, 16)
        pause_s = min(max(5.0, self._rules.poll_s) * 2 ** (self._failures - 1), LONGEST_PAUSE_S)
        self._due_s = monotonic_s() + max(pause_s, retry_after_s)
        if text != self._said:
            log.warning("bus %s: %s; trying again", self.id, text)
            self._said = text

    def _kept(self, told: OperatorTold) -> None:
        """Also on a full disk: what was said waits for it."""
        while not self._stop.is_set():
            try:
                self.take(told)
            except SpoolError as error:
                log.error("bus %s waits: %s", self.id, error)
                self._stop.wait(STORE_AGAIN_S)
            else:
                return

    def _tell_troubles(self, now: Millis) -> None:
        """Once of each device: what he does not know, and what is too old to be shown."""
        with self._lock:
            stale, unheard = self._book.stale(now), self._book.unheard() if self._answers >= UNHEARD_AFTER else []
        for device in [device for device in stale if device not in self._named]:
            log.warning("bus %s: the operator's last word on %s is older than stale_s: not shown", self.id, device)
        for device in [device for device in unheard if device not in self._named]:
            log.warning("bus %s: the operator has no connector for %s: is its number right?", self.id, device)
        self._named = {*stale, *unheard}

    # ---- keeping ----

    def take(self, told: OperatorTold) -> None:
        """Keep what was said and tell it. SpoolError: nothing of it counts as told."""
        with self._lock:
            now = now_ms()
            gone: list[str] = []
            for word in told.words:
                self._book.take(word, now, told.as_of)
            for key, at in told.renewed:
                self._book.touch(key, at, now)
            if told.confirms or told.whole:
                self._book.confirm(now)
            if told.whole:
                gone = self._book.forget(self._book.keys - {word.key for word in told.words})
            news, live = self._book.news(now), self._book.live(now)
            try:
                if news:
                    self._sink.store((Heard(tuple(news)),), now)
            except BaseException:
                self._book.untold(news)
                raise
        if told.hurry and not self._failures:
            self._due_s = min(self._due_s, self._asked_s + HURRY_S)
        self._follow(live if told.confirms or told.whole else {reading.device for reading in news}, gone)

    def _follow(self, live: Iterable[str], gone: list[str]) -> None:
        with self._mishaps.contained(f"bus {self.id}: who is there"):
            if live:
                self._sink.present(live, PRESENT_MS)
            if gone:
                log.warning("bus %s: the operator knows nothing of %s any more", self.id, ", ".join(sorted(gone)))
                self._sink.lost(gone)

    def pushed(self, request: PushRequest) -> PushAnswer:
        """The answer to what the operator tells by himself: his word is on disk then."""
        pushed = self._platform.answer(request, now_ms())
        with contextlib.suppress(SpoolError):
            if pushed.told != OperatorTold():
                self.take(pushed.told)
            return pushed.answer
        return pushed.failed
