"""How the line to the centre is doing, for /metrics, /readyz and the boxes page."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UplinkMetrics:
    """Messages that the centre has not confirmed, messages sent since the start, whether the line stands, how often it
    was lost, in words why the centre gets nothing, and which address of its broker is in use, counted from 1."""

    backlog: int
    sent: int
    connected: bool
    reconnects: int
    trouble: str | None
    node: int = 0
