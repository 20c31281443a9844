"""The webhooks of a running API: what it needs of the rest, and how apps subscribe."""

import logging
from collections.abc import Callable, Iterable

from api.alert_books import AlertBooks
from api.context import ApiContext
from api.webhooks.deliveries import Deliveries
from gateway.alerting import Alerting
from gateway.alerts.words import AlertEvent
from gateway.base.mishaps import Mishaps
from gateway.model import Millis
from gateway.store.base import StoreError

log = logging.getLogger(__name__)


class WebhookSide:
    """`start` and `stop` it on the thread of the live view. Without `alerting` here, alerts come from the store."""

    def __init__(self, context: ApiContext, alerting: Alerting | None, mishaps: Mishaps) -> None:
        self._context, self._alerting = context, alerting
        self.deliveries = Deliveries(
            lambda: context.settings, context.keyring, context.now, mishaps, _past(context), told=alerting is not None
        )

    def start(self) -> None:
        deliveries, view = self.deliveries, self._context.view
        for entry in view.fed():  # one that nobody spoke of yet is no news
            deliveries.heard(entry)
        view.listeners.append(deliveries.heard)
        if self._alerting is not None:
            self._alerting.dispatch.listeners.append(deliveries.happened)
        deliveries.start()

    def stop(self) -> None:
        self.deliveries.end()


def _past(context: ApiContext) -> Callable[[Millis], Iterable[AlertEvent]]:
    def past(since: Millis) -> Iterable[AlertEvent]:
        """None where there is no store yet."""
        try:
            books = AlertBooks(context.settings.store.path)
        except StoreError as error:
            log.info("webhooks: no alerts of the past: %s", error)
            return []
        try:
            return books.events_since(since)
        finally:
            books.close()

    return past
