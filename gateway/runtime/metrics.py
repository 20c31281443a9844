"""The gateway's own figures for Prometheus, and the little server that `yizhan gateway` shows them on."""

import contextlib
import http.server
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.base.certificates import CertificateFile, NoCertificateError, ends_at
from gateway.base.mishaps import Mishaps
from gateway.influx.status import CopyMetrics
from gateway.live.box_lines import BoxLine, BoxWord
from gateway.model import Millis
from gateway.runtime.status import Metrics, Status
from gateway.store.replica.status import ReplicaMetrics
from gateway.uplink.status import UplinkMetrics

NODE = "which of the broker's addresses is in use, counted from 1; 0 for none"
Certificates = Callable[[], Iterable[CertificateFile]]
"""Those of the configuration."""
Shown = Callable[[], Iterable[tuple[str, Millis]]]
"""(option, when the certificate ends that its server shows)"""


class GatewayCollector(Collector):
    """Reads a fresh snapshot at each scrape."""

    def __init__(self, snapshot: Callable[[], Metrics]) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        now = self._snapshot()
        counters = (
            ("yizhan_messages_received", "MQTT messages received", now.received),
            ("yizhan_readings_stored", "messages made durable", now.stored),
            ("yizhan_messages_duplicate", "messages that were stored before", now.duplicate),
            ("yizhan_messages_late", "messages older than what was known: history only", now.late),
            ("yizhan_messages_flooding", "messages let go: their device sent more than it may", now.flooding),
            ("yizhan_fields_ignored", "fields that a kind does not know", now.ignored_fields),
            ("yizhan_fields_bad", "values that nobody could read, left out of their message", now.bad_fields),
            ("yizhan_unknown_status", "statuses of a vendor's own, shown as unknown", now.unknown_status),
            ("yizhan_mqtt_reconnects", "connections to the broker that were lost", now.reconnects),
            ("yizhan_mqtt_session_gaps", "times the broker had forgotten our session", now.session_gaps),
            ("yizhan_mqtt_unsendable", "messages of ours left out, their topic was none", now.unsendable),
            ("yizhan_mqtt_oversized", "messages of ours left out, larger than the broker takes", now.oversized),
            ("yizhan_documents_made", "live documents made", now.documents),
        )
        for name, text, value in counters:
            yield CounterMetricFamily(name, text, value)
        yield of_mishaps(now.mishaps)
        quarantined = CounterMetricFamily("yizhan_messages_quarantined", "messages kept aside", labels=("reason",))
        for reason, count in now.quarantined.items():
            quarantined.add_metric((reason,), count)
        yield quarantined
        failures = CounterMetricFamily("yizhan_store_failures", "jobs of the store left out", labels=("what",))
        for what, count in now.store_failures.items():
            failures.add_metric((what,), count)
        yield failures
        yield GaugeMetricFamily("yizhan_devices_limited", "devices that send more than they may", now.devices_limited)
        yield GaugeMetricFamily("yizhan_ingest_backlog", "messages received and not yet durable", now.backlog)
        yield GaugeMetricFamily(
            "yizhan_calendar_events_left_out", "events of calendars that can't be used", now.calendar_events_left_out
        )
        yield GaugeMetricFamily("yizhan_alerts_open", "alerts open or acknowledged", now.alerts_open)
        yield GaugeMetricFamily("yizhan_mqtt_connected", "1 while connected to the broker", float(now.connected))
        yield GaugeMetricFamily("yizhan_mqtt_node", NODE, now.broker_node)
        yield HistogramMetricFamily(
            "yizhan_store_commit_seconds", "time of a commit", buckets=now.commits, sum_value=now.commit_seconds
        )
        if now.copy is not None:
            yield from of_copy(now.copy)
        if now.uplink is not None:
            yield from of_uplink(now.uplink)
        if now.replica is not None:
            yield from of_replica(now.replica)
        if now.boxes:
            yield from of_boxes(now.boxes)


def of_mishaps(count: int) -> Metric:
    return CounterMetricFamily("yizhan_mishaps", "faults of this program over single inputs, each contained", count)


class MishapCollector(Collector):
    """For a process without a gateway. `node`: which address of the broker is in use, counted from 1; 0 for none."""

    def __init__(self, mishaps: Mishaps, node: Callable[[], int]) -> None:
        self._mishaps, self._node = mishaps, node

    def collect(self) -> Iterator[Metric]:
        node = self._node()
        yield of_mishaps(self._mishaps.count)
        yield GaugeMetricFamily("yizhan_mqtt_connected", "1 while connected to the broker", float(bool(node)))
        yield GaugeMetricFamily("yizhan_mqtt_node", NODE, node)


class CertificateCollector(Collector):
    """When the certificates of the configuration end, and those that its servers show."""

    def __init__(self, files: Certificates, shown: Shown = tuple) -> None:
        self._files, self._shown = files, shown

    def collect(self) -> Iterator[Metric]:
        ends = GaugeMetricFamily(
            "yizhan_certificate_ends_seconds", "when a certificate ends, seconds since 1970", labels=["option"]
        )
        for option, path, ours in self._files():
            with contextlib.suppress(NoCertificateError):
                ends.add_metric([option], ends_at(path, ours=ours) / 1000)
        for option, end in self._shown():
            ends.add_metric([option], end / 1000)
        yield ends


def of_copy(copy: CopyMetrics) -> Iterator[Metric]:
    """What operators see of the copy in InfluxDB."""
    yield GaugeMetricFamily("yizhan_copy_backlog", "messages in the journal that the copy lacks", copy.backlog)
    yield GaugeMetricFamily("yizhan_copy_trouble", "1 while the copy takes nothing", float(copy.trouble is not None))
    yield GaugeMetricFamily("yizhan_copy_dead_letters", "rows that the copy refuses", copy.dead_letters)
    yield CounterMetricFamily("yizhan_copy_rows", "rows that the copy has taken", copy.rows)
    yield CounterMetricFamily("yizhan_copy_expired", "rows older than the copy keeps, left out", copy.expired)
    yield CounterMetricFamily("yizhan_copy_days_again", "days copied again since they lacked rows", copy.days_again)
    if copy.checked is not None:
        day_s = copy.checked.day * 86_400
        yield GaugeMetricFamily("yizhan_copy_checked_day_seconds", "begin of the day compared last", day_s)
        yield GaugeMetricFamily("yizhan_copy_missing_values", "values that the copy lacks of it", copy.checked.missing)
        yield GaugeMetricFamily("yizhan_copy_surplus_values", "values it has too many of it", copy.checked.surplus)
    failures = CounterMetricFamily("yizhan_copy_failures", "writes that were not taken", labels=("reason",))
    for reason, count in copy.failures.items():
        failures.add_metric((reason,), count)
    yield failures


def of_uplink(uplink: UplinkMetrics) -> Iterator[Metric]:
    """What operators of a box see of its line to the centre."""
    yield GaugeMetricFamily("yizhan_uplink_backlog", "messages that the centre has not confirmed", uplink.backlog)
    yield GaugeMetricFamily("yizhan_uplink_connected", "1 while the line stands", float(uplink.connected))
    yield GaugeMetricFamily("yizhan_uplink_node", NODE, uplink.node)
    yield CounterMetricFamily("yizhan_uplink_sent", "messages sent to the centre", uplink.sent)
    yield CounterMetricFamily("yizhan_uplink_reconnects", "lines to the centre that were lost", uplink.reconnects)


def of_replica(replica: ReplicaMetrics) -> Iterator[Metric]:
    """What operators see of the second copy in PostgreSQL."""
    yield GaugeMetricFamily("yizhan_replica_connected", "1 while the replica answers", float(replica.connected))
    yield GaugeMetricFamily("yizhan_replica_behind", "commits that the replica lacks", replica.behind)
    yield GaugeMetricFamily(
        "yizhan_replica_standby", "1 while a synchronous standby confirms what it takes", float(replica.standby)
    )
    yield GaugeMetricFamily("yizhan_replica_whole", "1 when a restore from it gives everything", float(replica.whole))
    yield CounterMetricFamily("yizhan_replica_commits", "commits that the replica has taken", replica.steps)


def of_boxes(lines: Sequence[BoxLine]) -> Iterator[Metric]:
    """What a centre sees of its boxes, each by its name; a box that does not tell a figure has no row of it."""
    for name, text, read in BOX_FIGURES:
        family = GaugeMetricFamily(name, text, labels=("box",))
        for line in lines:
            value = read(line, line.word or BoxWord(line.box, "offline"))
            if value is not None:
                family.add_metric((line.box,), value)
        yield family
    versions = GaugeMetricFamily("yizhan_box_version", "1 for the version that it runs", labels=("box", "version"))
    for line in lines:
        if line.word is not None and line.word.version is not None:
            versions.add_metric((line.box, line.word.version), 1.0)
    yield versions


def _clock_off_s(line: BoxLine, _word: BoxWord) -> float | None:
    return None if line.clock_off_ms is None else line.clock_off_ms / 1000


BOX_FIGURES: tuple[tuple[str, str, Callable[[BoxLine, BoxWord], float | None]], ...] = (
    ("yizhan_box_up", "1 while the line to the box stands", lambda line, _: float(line.online)),
    ("yizhan_box_last_seen_seconds", "when it last spoke, since 1970", lambda line, _: line.seen_at / 1000),
    ("yizhan_box_backlog", "its messages that we lack", lambda _, word: word.backlog),
    ("yizhan_box_clock_off_seconds", "its clock minus ours", _clock_off_s),
    ("yizhan_box_disk_days", "days for which its disk has room", lambda _, word: word.disk_days),
    ("yizhan_box_walls", "screens in its stations", lambda _, word: word.walls),
    ("yizhan_box_config_version", "version of its files", lambda _, word: word.config_version),
    ("yizhan_box_certificate_days", "days until its certificate ends", lambda _, word: word.certificate_days),
)


class MetricsServer:
    """`/metrics`, `/healthz` and `/readyz` on a thread of its own. OSError when the port is in use."""

    def __init__(
        self,
        host: str,
        port: int,
        metrics: Callable[[], Metrics],
        status: Callable[[], Status],
        certificates: CertificateCollector | None = None,
    ) -> None:
        registry = CollectorRegistry()
        registry.register(GatewayCollector(metrics))
        registry.register(certificates or CertificateCollector(tuple))

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/metrics":
                    self._answer(200, "text/plain; version=0.0.4; charset=utf-8", generate_latest(registry))
                elif self.path == "/healthz":
                    now = status()
                    well = now.ready and not now.told
                    body = {"status": "ok" if well else "trouble", "troubles": now.told}
                    self._answer(200, "application/json", json.dumps(body).encode())
                elif self.path == "/readyz":
                    now = status()
                    body = {"status": now.word, "trouble": now.told}
                    if now.broker is not None:
                        body["broker"] = now.broker
                    self._answer(200 if now.ready else 503, "application/json", json.dumps(body).encode())
                else:
                    self._answer(404, "text/plain", b"/metrics, /healthz or /readyz\n")

            def _answer(self, code: int, kind: str, body: bytes) -> None:
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Log nothing: scrapes are no news."""

        self._server = http.server.ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
