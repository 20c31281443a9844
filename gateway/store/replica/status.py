"""How the replica is doing, for /readyz and /metrics."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReplicaMetrics:
    """`behind`: steps that it lacks; `standby`: a synchronous standby confirms each commit there; `whole`: a restore
    from it gives all that we have but for those steps."""

    connected: bool
    behind: int
    steps: int
    standby: bool
    whole: bool
    trouble: str | None
