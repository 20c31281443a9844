"""Alerts in figures, for Prometheus: how soon staff take them and how soon they end. The gateway counts the open."""

from collections.abc import Callable, Iterator
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.model import Millis
from gateway.store.alerts_reader import AlertReader
from gateway.store.base import StoreError

WINDOW_MS = 30 * 86_400_000


class AlertCollector(Collector):
    """Asks the store at each scrape. A store that can't be read gives no figures rather than wrong ones."""

    def __init__(self, folder: Path, now: Callable[[], Millis]) -> None:
        self._folder, self._now = folder, now

    def collect(self) -> Iterator[Metric]:
        try:
            reader = AlertReader(self._folder)
        except StoreError:
            return
        try:
            yield from self._figures(reader)
        except StoreError:
            return
        finally:
            reader.close()

    def _figures(self, reader: AlertReader) -> Iterator[Metric]:
        taken = reader.counts().get("acknowledged", 0)
        yield GaugeMetricFamily(
            "yizhan_alerts_acknowledged", "of the open alerts, those that somebody has taken", taken
        )
        yield GaugeMetricFamily(
            "yizhan_notifications_waiting", "messages still to be delivered", reader.owed("waiting")
        )
        yield GaugeMetricFamily("yizhan_notifications_dead", "messages that no channel took", reader.owed("dead"))
        acknowledged, repaired = reader.response_times(self._now() - WINDOW_MS)
        if acknowledged is not None:
            text = "mean time from an alert to its acknowledgement, of the last 30 days"
            yield GaugeMetricFamily("yizhan_alert_acknowledge_seconds_mean", text, acknowledged)
        if repaired is not None:
            text = "mean time from an alert to its end, of the last 30 days"
            yield GaugeMetricFamily("yizhan_alert_repair_seconds_mean", text, repaired)
