"""Alerts in a running gateway: the pure core, its store, the staff and the notifiers put together."""

from gateway.alerting.deeds import Deed, DeedError
from gateway.alerting.desk import Act
from gateway.alerting.ourselves import Beside, Ourselves
from gateway.alerting.side import Alerting

__all__ = ["Act", "Alerting", "Beside", "Deed", "DeedError", "Ourselves"]
