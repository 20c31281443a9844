"""Alerts in a running gateway: the pure core, its store, the staff and the notifiers put together."""

from gateway.alerting.deeds import Deed, DeedError
from gateway.alerting.facts import Ourselves
from gateway.alerting.side import Act, Alerting

__all__ = ["Act", "Alerting", "Deed", "DeedError", "Ourselves"]
