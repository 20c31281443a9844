"""Alerts, orders and the audit trail as the API reads them: of one store, or of one for each shard beside it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from gateway.alerts.orders import Order
from gateway.alerts.words import Alert, AlertEvent, Delivery
from gateway.model import Millis
from gateway.store.alerts_reader import AlertReader
from gateway.store.days import core_files

T = TypeVar("T")


class AlertBooks:
    """See `AlertReader`. Shards are looked for each time: they come and go while we run.

    A station belongs to one shard at a time; what moved with it is told by the shard that knew it last.
    """

    def __init__(self, folder: Path) -> None:
        """StoreError when there is no store yet."""
        there = [path.parent for path in core_files(folder)]
        self._books = [AlertReader(path) for path in there or [folder]]

    def close(self) -> None:
        for book in self._books:
            book.close()

    def _all(self, question: Callable[[AlertReader], Sequence[T]]) -> list[T]:
        return [row for book in self._books for row in question(book)]

    def _first(self, question: Callable[[AlertReader], list[T]]) -> list[T]:
        return next((rows for book in self._books if (rows := question(book))), [])

    def alerts(
        self,
        state: str | None = None,
        stations: Sequence[str] | None = None,
        limit: int = 500,
        kind: str | None = None,
    ) -> list[Alert]:
        alerts = self._all(lambda book: book.alerts(state, stations, limit, kind))
        return sorted(alerts, key=lambda alert: (-alert.opened_at, alert.id))[:limit]

    def alert(self, alert_id: str) -> Alert | None:
        alerts = [alert for book in self._books if (alert := book.alert(alert_id)) is not None]
        return max(alerts, key=lambda alert: alert.changed_at, default=None)

    def words_by_hand(self) -> list[bytes]:
        """What is set by hand, for each shard that keeps any."""
        return [kept for book in self._books if (kept := book.words_by_hand()) is not None]

    def history(self, alert_id: str) -> list[tuple[Millis, str, str, str | None]]:
        return self._first(lambda book: book.history(alert_id))

    def events_since(self, since: Millis) -> list[AlertEvent]:
        return sorted(self._all(lambda book: book.events_since(since)), key=lambda event: event.at)

    def deliveries_of(self, alert_id: str) -> list[Delivery]:
        return self._first(lambda book: book.deliveries_of(alert_id))

    def dead_letters(self) -> list[Delivery]:
        return sorted(self._all(AlertReader.dead_letters), key=lambda delivery: (-delivery.at, delivery.id))

    def orders(self, stations: Sequence[str] | None = None, state: str | None = None) -> list[Order]:
        orders = self._all(lambda book: book.orders(stations, state))
        return sorted(orders, key=lambda order: (-order.opened_at, order.id))

    def order(self, order_id: str) -> Order | None:
        orders = [order for book in self._books if (order := book.order(order_id)) is not None]
        return max(orders, key=lambda order: order.changed_at, default=None)

    def order_history(self, order_id: str) -> list[tuple[Millis, str, str, str | None]]:
        return self._first(lambda book: book.order_history(order_id))

    def link_used(self, link_id: str) -> bool:
        return any(book.link_used(link_id) for book in self._books)

    def audited(self, nonce: str) -> bool:
        return any(book.audited(nonce) for book in self._books)

    def audit(self, limit: int = 500) -> list[tuple[Millis, str, str, str, str | None]]:
        return sorted(self._all(lambda book: book.audit(limit)), key=lambda line: -line[0])[:limit]
