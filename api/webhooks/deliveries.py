"""Who is told when: changes go in from the live view and the alerts, a few threads tell, each subscriber by one at a
time and in order. One that is slow or down is tried ever less often and holds up nobody else.
"""

import fcntl
import logging
import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from api.auth import Key, KeyFileError, Keyring
from api.live_view import Entry
from api.webhooks.backlogs import Backlog, Backlogs
from api.webhooks.messages import (
    ALERT,
    GIVE_UP_MS,
    WebhookMessage,
    alert,
    availability,
    digest_of,
    pause_after,
    shown_of,
)
from config.schema import Settings
from gateway.alerts.words import AlertEvent
from gateway.base.mishaps import Mishaps
from gateway.model import Millis
from gateway.notify.base import SendError
from gateway.notify.http import Target, exchange
from gateway.notify.signing import headers_of, key_of
from gateway.store.base import StoreError
from gateway.store.subscriptions import NAME, Subscription, SubscriptionFile

log = logging.getLogger(__name__)

THREADS: Final = 8
OF_ONE_HOST: Final = 2
IN_A_ROW: Final = 20
"""Messages to one subscriber before others have their turn."""
LOOKS_S: Final = 1.0
TIMEOUT_S: Final = 10
KEYLESS_MS: Final = 60_000
POLL_MS: Final = 5_000
LOOK_BACK_MS: Final = 600_000
FIRST_LOOK_BACK_MS: Final = 86_400_000
"""After a start, events of alerts of a day are looked for that nobody was told of."""
GONE: Final = 410


def may_hear_of_alerts(key: Key) -> bool:
    return key.alerts or key.at_least("viewer")


class Deliveries(threading.Thread):
    """`heard` and `happened` may be called by any thread and cost nothing. Of several processes with the same folder
    one delivers; the others only keep what is subscribed to."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        keyring: Keyring,
        now: Callable[[], Millis],
        mishaps: Mishaps,
        past: Callable[[Millis], Iterable[AlertEvent]],
        *,
        told: bool,
    ) -> None:
        """`past(since)` are the events of alerts that the store knows; `told`: new ones come by `happened`, too."""
        super().__init__(name="webhooks", daemon=True)  # a receiver may take longer than a stop may
        self._settings, self._keyring, self._now, self._mishaps = settings, keyring, now, mishaps
        self._past, self._told, self._past_at = past, told, 0
        self._folder: Path = settings().store.path
        self._file: SubscriptionFile | None = None
        self._lock = threading.RLock()  # of the file, and of what is known of subscribers
        self._wake = threading.Event()
        self._stopping = False
        self._came: dict[str, Entry] = {}  # the newest of each station
        self._events: deque[AlertEvent] = deque()
        self._backlogs = Backlogs()
        self._hosts = Counter[str]()
        self._seen_changes: int | None = None
        self._delivering: int | None = None
        self._pool = ThreadPoolExecutor(THREADS, "webhook")

    def heard(self, entry: Entry) -> None:
        self._came[entry.station] = entry
        if self._backlogs.subscriptions:  # else nobody is in a hurry: most boxes have no subscriber
            self._wake.set()

    def happened(self, event: AlertEvent) -> None:
        self._events.append(event)
        self._wake.set()

    def end(self) -> None:
        self._stopping = True
        self._wake.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def run(self) -> None:
        while not self._stopping:
            self._wake.wait(LOOKS_S)
            self._wake.clear()
            with self._mishaps.contained("telling apps by webhook"):
                self.step()
        with self._lock:
            if self._delivering is not None:
                os.close(self._delivering)  # another process may tell from now on

    def all(self) -> list[Subscription]:
        """Every subscription, the oldest first. StoreError."""
        with self._lock:
            return self._opened().all()

    def all_if_any(self) -> list[Subscription]:
        """The same; asks for no file where nobody ever subscribed."""
        return self.all() if (self._folder / NAME).exists() else []

    def put(self, subscription: Subscription) -> None:
        """Add or change one; on disk when it returns. StoreError."""
        with self._lock:
            self._opened().put(subscription)
            self._seen_changes = None
        self._wake.set()

    def remove(self, subscription: str) -> None:
        with self._lock:
            self._opened().remove(subscription)
            self._seen_changes = None
        self._wake.set()

    def step(self) -> None:
        """Take in what came, and set threads to what is due. StoreError where the file can't be used now."""
        with self._lock:
            if not self._backlogs.subscriptions and not (self._folder / NAME).exists():
                self._take_in(keep=False)
                return
            self._refresh()
            delivering = self._may_deliver()
            self._take_in(keep=delivering)
            if delivering:
                self._catch_up()
            for subscription, work in self._backlogs.due(self._now()):
                if not self._stopping:
                    self._begin(subscription, work)

    def _begin(self, subscription: Subscription, work: Backlog) -> None:
        host = Target(subscription.url).host
        if self._hosts[host] >= OF_ONE_HOST:
            return
        work.busy = True
        self._hosts[host] += 1
        self._pool.submit(self._turn, subscription, work, host)

    def _turn(self, subscription: Subscription, work: Backlog, host: str) -> None:
        """One subscriber's turn, on a thread of the pool."""
        try:
            for _ in range(IN_A_ROW):
                if self._stopping or not self._tell_next(subscription, work):
                    break
        except StoreError as error:
            log.warning("webhooks: %s", error)
            work.due = self._now() + 5_000
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            self._mishaps.note("telling an app by webhook", error)
            work.due = self._now() + KEYLESS_MS
        finally:
            with self._lock:
                work.busy = False
                self._hosts[host] -= 1
            self._wake.set()

    def _tell_next(self, subscription: Subscription, work: Backlog) -> bool:
        """Tell the next thing; False when there is nothing more to be told now."""
        key = self._key(subscription)
        if key is None:
            work.due = self._now() + KEYLESS_MS
            return False
        if work.alerts:
            with self._lock:
                owed = self._opened().next_owed(subscription.id)
                work.alerts = owed is not None
            if owed is not None:
                message = WebhookMessage(f"msg_{subscription.id}_a{owed.number}", owed.body)
                if not self._sent(subscription, work, message):
                    return False
                with self._lock:
                    self._opened().took_owed(subscription.id, owed.number, self._now())
                return True
        return self._tell_station(subscription, work, key)

    def _tell_station(self, subscription: Subscription, work: Backlog, key: Key) -> bool:
        with self._lock:
            station = next(iter(work.stations), None)
            if station is None:
                return False
            entry = self._backlogs.entries[station]
            told, number = self._opened().told_of(subscription.id, station)
        digest = digest_of(shown_of(entry), subscription.kinds)
        if digest != told and self._covers(key, station):
            message = availability(subscription, entry, digest, number + 1)
            if not self._sent(subscription, work, message):
                return False
            with self._lock:
                self._opened().took_state(subscription.id, station, digest, number + 1, self._now())
        with self._lock:
            if self._backlogs.entries[station] is entry:
                work.stations.pop(station, None)
        return True

    def _sent(self, subscription: Subscription, work: Backlog, message: WebhookMessage) -> bool:
        """Whether the receiver took it; what else follows is kept."""
        now = self._now()
        keys = [key_of(secret) for secret in subscription.secrets_at(now)]
        target = Target(subscription.url, TIMEOUT_S, self._settings().api.subscriptions_allow_private)
        try:
            answer = exchange(target, "POST", message.body, now, headers_of(message.id, now, message.body, keys))
            if answer.status == GONE:
                self._give_up(subscription, now, "the receiver is gone (HTTP 410)")
                return False
            answer.check()
        except SendError as error:
            self._failed(subscription, work, error)
            return False
        with self._lock:
            known = self._backlogs.subscriptions.get(subscription.id)
            if known is not None and known.failures:
                self._seen_changes = None
        return True

    def _failed(self, subscription: Subscription, work: Backlog, error: SendError) -> None:
        now = self._now()
        with self._lock:
            known = self._backlogs.subscriptions.get(subscription.id, subscription)
            if known.failing_since is not None and now - known.failing_since >= GIVE_UP_MS:
                self._give_up(subscription, now, str(error))
                return
            pause = pause_after(known.failures + 1)
            if error.retry_after_s is not None:
                pause = max(pause, round(error.retry_after_s * 1000))
            work.due = now + pause
            self._opened().failed(subscription.id, now, work.due, str(error))
            self._seen_changes = None

    def _give_up(self, subscription: Subscription, now: Millis, why: str) -> None:
        with self._lock:
            self._opened().disable(subscription.id, now, why)
            self._seen_changes = None
        log.error("subscription %s is given up: %s", subscription.id, why)
        self._keyring.book.note(now, "webhooks", "subscription_disabled", subscription.id, why)

    def _key(self, subscription: Subscription) -> Key | None:
        """The key of who subscribed, while it is good."""
        try:
            return self._keyring.good(subscription.owner, self._now())
        except KeyFileError:
            return None

    def _covers(self, key: Key, station: str | None) -> bool:
        known = self._settings().station(station) if station is not None else None
        return key.covers(station or "", known.region if known else ())

    def _opened(self) -> SubscriptionFile:
        if self._file is None:
            self._file = SubscriptionFile(self._folder)
        return self._file

    def _may_deliver(self) -> bool:
        """Whether this process is the one that tells; it stays so until it ends."""
        if self._delivering is None:
            handle = os.open(self._folder / "webhooks.lock", os.O_CREAT | os.O_RDWR, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(handle)
                return False
            self._delivering = handle
            self._backlogs.everything(self._opened().owing())
        return True

    def _catch_up(self) -> None:
        """Take in what happened to alerts and nobody told us: before a kill, or at a gateway elsewhere."""
        now = self._now()
        if self._past_at and (self._told or now - self._past_at < POLL_MS):
            return
        since = now - (LOOK_BACK_MS if self._past_at else FIRST_LOOK_BACK_MS)
        if any(ALERT in subscription.events for subscription in self._backlogs.subscriptions.values()):
            for event in self._past(since):
                self._owe(event)
        self._opened().forget_taken(now - FIRST_LOOK_BACK_MS - LOOK_BACK_MS)
        self._past_at = now

    def _refresh(self) -> None:
        """Read the subscriptions again where any process has changed them."""
        changes = self._opened().changes()
        if changes == self._seen_changes:
            return
        self._seen_changes = changes
        self._backlogs.follow(self._opened().all(), tell=self._delivering is not None)

    def _take_in(self, *, keep: bool) -> None:
        """What came since. `keep`: it is to be told by us; else only what is true now is remembered."""
        while self._came:
            oldest = next(iter(self._came))  # only this thread takes out; others may put in meanwhile
            self._backlogs.changed(self._came.pop(oldest))
        while self._events:
            event = self._events.popleft()
            if keep:
                self._owe(event)

    def _owe(self, event: AlertEvent) -> None:
        interested = self._backlogs.interested(ALERT, event.alert.station)
        names = [subscription.id for subscription in interested if self._may_hear(subscription, event)]
        what = f"{event.alert.id}/{event.at}/{event.action}"
        if names and self._opened().owe(what, names, event.at, alert(event)):
            self._backlogs.alert(names)

    def _may_hear(self, subscription: Subscription, event: AlertEvent) -> bool:
        key = self._key(subscription)
        if key is None or not may_hear_of_alerts(key) or event.at < subscription.created_at:
            return False
        return self._covers(key, event.alert.station)
