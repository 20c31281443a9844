"""How the gateway itself is doing: for /readyz, /metrics, `yz-sys` and doctor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.influx.status import CopyMetrics
from gateway.live.box_lines import BoxLine
from gateway.model import Millis
from gateway.store.replica.status import ReplicaMetrics
from gateway.uplink.status import UplinkMetrics

COMMIT_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


@dataclass(frozen=True, slots=True)
class Status:
    """`ready` when connected, subscribed and the store takes writes; `troubles` says what is wrong, in words.

    `degraded`: why the configuration's files are not what runs, or an API does not have all of the past; None where all
    is well. `broker`: the address in use.
    """

    connected: bool
    subscribed: bool
    store_ok: bool
    troubles: tuple[str, ...]
    started_at: Millis
    degraded: str | None = None
    broker: str | None = None

    @property
    def word(self) -> str:
        """The state in one word, for `/readyz`."""
        return ("ready" if self.degraded is None else "degraded") if self.ready else "not ready"

    @property
    def told(self) -> tuple[str, ...]:
        """Everything that is wrong, in words."""
        return self.troubles if self.degraded is None else (*self.troubles, self.degraded)

    @property
    def ready(self) -> bool:
        return self.connected and self.subscribed and self.store_ok


@dataclass(slots=True)
class CommitTimes:
    """A histogram of commit durations, Prometheus style."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(COMMIT_BUCKETS_S) + 1))
    total_s: float = 0.0

    def add(self, seconds: float) -> None:
        self.total_s += seconds
        for at, limit in enumerate(COMMIT_BUCKETS_S):
            if seconds <= limit:
                self.counts[at] += 1
                return
        self.counts[-1] += 1

    def cumulative(self) -> list[tuple[str, float]]:
        """(upper bound, commits not slower), the last one "+Inf"."""
        rows, running = [], 0
        for limit, count in zip((*COMMIT_BUCKETS_S, "+Inf"), self.counts, strict=True):
            running += count
            rows.append((str(limit), float(running)))
        return rows


@dataclass(frozen=True, slots=True)
class Metrics:
    """A snapshot for operators; the names on the wire are the contract's."""

    received: int
    stored: int
    duplicate: int
    late: int
    ignored_fields: int
    unknown_status: int
    quarantined: Mapping[str, int]
    backlog: int
    commits: list[tuple[str, float]]
    commit_seconds: float
    connected: bool
    reconnects: int
    session_gaps: int
    documents: int
    alerts_open: int
    copy: CopyMetrics | None = None
    store_failures: Mapping[str, int] = field(default_factory=dict)
    bad_fields: int = 0
    flooding: int = 0
    devices_limited: int = 0
    calendar_events_left_out: int = 0
    mishaps: int = 0
    unsendable: int = 0
    oversized: int = 0
    uplink: UplinkMetrics | None = None
    replica: ReplicaMetrics | None = None
    boxes: Sequence[BoxLine] = ()
    broker_node: int = 0  # which address of the broker is in use, counted from 1; 0 for none
