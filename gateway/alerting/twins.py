"""The same alert or order at a box and at its centre. Each has it under a name of its own where they saw it begin at
different moments, so a deed that goes from one to the other says what it is about.
"""

from typing import Annotated

import msgspec

from gateway.alerts.core import Alerts
from gateway.alerts.orders import Order
from gateway.alerts.words import Alert
from gateway.store.alerts_reader import AlertReader

AlertName = Annotated[str, msgspec.Meta(max_length=256)]


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An alert by what it tells, as one has it at most once at a time."""

    kind: AlertName
    subject: AlertName

    def is_of(self, alert: Alert, station: str) -> bool:
        return (alert.station, alert.kind, alert.subject) == (station, self.kind, self.subject)


def about(alert: Alert | None) -> About | None:
    return None if alert is None else About(alert.kind, alert.subject)


class Twins:
    """Finds ours. Belongs to the intake thread."""

    def __init__(self, core: Alerts, reader: AlertReader) -> None:
        self._core, self._reader = core, reader

    def alert(self, station: str, name: str, what: About | None) -> Alert | None:
        """The alert of this name, else one about the same: the open one, else the one that was closed last."""
        desk = self._core.desk
        alert = desk.find(name) or self._reader.alert(name)
        if alert is not None or what is None:
            return alert if alert is not None and alert.station == station else None
        known = [*desk.open_alerts(), *self._reader.alerts("closed", [station], kind=what.kind)]
        return next((alert for alert in known if what.is_of(alert, station)), None)

    def order(self, station: str, name: str, what: About | None) -> Order | None:
        """The order of this name, else one for an alert about the same: the newest that is not closed, else the
        newest."""
        order = self._reader.order(name)
        if order is not None or what is None:
            return order if order is not None and order.station == station else None
        known = [order for order in self._reader.orders([station]) if self._is_for(order, station, what)]
        return min(known, key=lambda order: order.state == "closed", default=None)

    def _is_for(self, order: Order, station: str, what: About) -> bool:
        alert = self._reader.alert(order.alert) if order.alert is not None else None
        return alert is not None and what.is_of(alert, station)

    def did(self, nonce: str) -> bool:
        """Whether a deed of this nonce was carried out."""
        return self._reader.audited(nonce)

    def about_alert(self, name: str) -> About | None:
        return about(self._core.desk.find(name) or self._reader.alert(name)) if name else None

    def about_order(self, name: str) -> About | None:
        order = self._reader.order(name)
        return None if order is None or order.alert is None else self.about_alert(order.alert)
