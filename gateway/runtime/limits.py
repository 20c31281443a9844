"""The bounds of intake."""

from dataclasses import dataclass

from gateway.model import Millis


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """How much may wait for the disk, and how often the regular things happen."""

    inbox_messages: int = 100_000
    inbox_bytes: int = 64 << 20
    inbox_patience_s: float = 5.0  # so long may they; a pause of the disk is no reason to connect anew
    document_interval_ms: Millis = 10  # between two documents of one station
    ack_interval_s: float = 5.0
    snapshot_interval_s: float = 60.0
    snapshot_messages: int = 20_000  # and a part of the state after so many: whoever takes over has few to replay
    report_interval_s: float = 30.0
    restart_grace_ms: Millis = 30_000
