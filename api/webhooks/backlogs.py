"""Who has what yet to hear. Nothing here waits or reads: who uses it holds one lock."""

from collections.abc import Collection, Iterable, Iterator

from api.live_view import Entry
from api.webhooks.messages import AVAILABILITY, digest_of, shown_of, wants
from gateway.model import Millis
from gateway.store.subscriptions import Subscription

_ALL = ""
"""In place of a station: those that want all of them."""


class Backlog:
    """What one subscriber has yet to hear: stations, in the order in which they changed, and whether alerts."""

    def __init__(self) -> None:
        self.stations: dict[str, None] = {}
        self.alerts = False
        self.busy = False
        self.due: Millis = 0

    def waits(self, now: Millis) -> bool:
        return not self.busy and now >= self.due and (self.alerts or bool(self.stations))

    def over(self) -> bool:
        return not (self.alerts or self.stations or self.busy)


class Backlogs:
    """`entries`: the newest of each station. `subscriptions` are those that are not given up, by id."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.of: dict[str, Backlog] = {}
        self._digests: dict[str, str] = {}
        self._of_station: dict[str, list[str]] = {}
        self._waiting: dict[str, None] = {}

    def follow(self, subscriptions: Iterable[Subscription], *, tell: bool) -> None:
        """These from now on. `tell`: those that are new hear the present."""
        before = self.subscriptions
        self.subscriptions = {
            subscription.id: subscription for subscription in subscriptions if subscription.disabled_at is None
        }
        self.of = {name: self.of.get(name) or Backlog() for name in self.subscriptions}
        self._of_station = {}
        for name, subscription in self.subscriptions.items():
            backlog = self.of[name]
            backlog.due = max(backlog.due, subscription.due) if subscription.failures else 0
            for station in subscription.stations or (_ALL,):
                self._of_station.setdefault(station, []).append(name)
            if tell and name not in before:
                self._present(subscription)

    def everything(self, owing: Collection[str]) -> None:
        """After a start: each may have missed something. `owing`: to whom events of alerts are owed."""
        for name, subscription in self.subscriptions.items():
            self.of[name].alerts = name in owing
            self._waiting[name] = None
            self._present(subscription)

    def changed(self, entry: Entry) -> None:
        """A station has a new document, which need not say anything new."""
        self.entries[entry.station] = entry
        names = [subscription.id for subscription in self.interested(AVAILABILITY, entry.station)]
        if not names:
            return
        digest = digest_of(shown_of(entry))
        if self._digests.get(entry.station) == digest:
            return
        self._digests[entry.station] = digest
        for name in names:
            self.of[name].stations[entry.station] = None
            self._waiting[name] = None

    def alert(self, names: Iterable[str]) -> None:
        """Events of alerts are owed to these."""
        for name in names:
            self.of[name].alerts = True
            self._waiting[name] = None

    def interested(self, event: str, station: str | None) -> Iterator[Subscription]:
        """Those that asked for such events of the station, None: of our own alerts."""
        names = [*self._of_station.get(station, ())] if station else []
        for name in (*names, *self._of_station.get(_ALL, ())):
            if wants(self.subscriptions[name], event, station):
                yield self.subscriptions[name]

    def due(self, now: Millis) -> Iterator[tuple[Subscription, Backlog]]:
        """(subscription, its backlog) for each whose turn may begin."""
        for name in list(self._waiting):
            backlog = self.of.get(name)
            if backlog is None or backlog.over():
                del self._waiting[name]
            elif backlog.waits(now):
                yield self.subscriptions[name], backlog

    def _present(self, subscription: Subscription) -> None:
        if AVAILABILITY in subscription.events:
            wanted = subscription.stations or tuple(self.entries)
            known = {station: None for station in wanted if station in self.entries}
            self.of[subscription.id].stations |= known
            self._waiting[subscription.id] = None
