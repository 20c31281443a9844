"""One condition of one subject over time: quiet, pending, open, clearing. It holds state and knows its delays."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from config.kinds import named
from gateway.alerts.kinds import KINDS, is_danger
from gateway.alerts.words import Alert, Severity
from gateway.model import Millis, Resource, Signal

CaseKey = tuple[str, str, str]  # station ("" for ours), subject, kind


@dataclass(frozen=True, slots=True)
class Policy:
    """Delays in ms. What rises three times within `flap_hold_ms` is held open for as long; five times is a trouble."""

    raise_delay_ms: Millis = 10_000
    clear_delay_ms: Millis = 30_000
    flap_hold_ms: Millis = 900_000
    site_offline_pct: int = 80
    mute_when_closed: frozenset[str] = named("muted_when_closed")


HOLD_OPEN_RISES = 3
FLAPPING_RISES = 5


class AlertWords(NamedTuple):
    """What an alert would say if it opened now."""

    resource: Resource | None
    cause: str
    detail: Mapping[str, Signal]
    patience_ms: Millis = 0
    severity: Severity | None = None


@dataclass(slots=True)
class Case:
    """`since` is the last rise, `fell` the last fall; `told`: staff closed it by hand although it still holds;
    `resting`: its alert was closed since staff work on it, and what is left of it afterwards is a new one.

    Nothing is raised before `not_before`; a group looks at its members again at `recheck`.
    """

    key: CaseKey
    what: AlertWords
    holds: bool = False
    since: Millis = 0
    fell: Millis = 0
    not_before: Millis = 0
    told: bool = False
    resting: bool = False
    alert: Alert | None = None
    recheck: Millis | None = None
    rises: list[Millis] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return self.key[2]

    @property
    def awaits_people(self) -> bool:
        """Its alert does not end before somebody has acknowledged it."""
        return self.alert is not None and self.alert.state == "open" and is_danger(self.alert)

    @property
    def told_as(self) -> Severity | None:
        """How grave it was when it was last told, or would be told now."""
        return self.what.severity if self.alert is None else self.alert.severity

    @property
    def lives_by_hearing(self) -> bool:
        """While we are deaf it may have ended, and we would not know."""
        return KINDS[self.kind].silence or self.what.patience_ms > 0

    @property
    def pending_with_patience(self) -> bool:
        return self.what.patience_ms > 0 and self.alert is None

    def rise(self, at: Millis, policy: Policy) -> None:
        self.holds, self.since = True, at
        if not self.what.patience_ms:  # what is normal for a while may come and go: a door is no flapping sensor
            self.rises = [*self.recent(at, policy)[1 - FLAPPING_RISES :], at]

    def fall(self, at: Millis) -> None:
        self.holds, self.fell, self.told, self.resting = False, at, False, False

    def recent(self, now: Millis, policy: Policy) -> list[Millis]:
        return [rise for rise in self.rises if rise > now - policy.flap_hold_ms]

    def flapping(self, policy: Policy) -> bool:
        """So often lately that each single rise no longer matters."""
        return len(self.recent(self.since, policy)) >= FLAPPING_RISES

    def raise_at(self, policy: Policy) -> Millis:
        kind = KINDS[self.kind]
        if kind.urgent and kind.muting == "system":
            return self.since  # `not_before` is for what a door that closes, or a repair, may silence
        if kind.urgent or self.flapping(policy):
            return max(self.since, self.not_before)
        return max(self.since + policy.raise_delay_ms + self.what.patience_ms, self.not_before)

    def clear_at(self, policy: Policy) -> Millis:
        """Held open while it flaps: one alert that lasts tells more than twenty that come and go."""
        flapping = len(self.recent(self.fell, policy)) >= HOLD_OPEN_RISES
        return self.fell + (policy.flap_hold_ms if flapping else policy.clear_delay_ms)


def alert_id(key: CaseKey, since: Millis) -> str:
    """The name that an alert about `key` since then has, on every run."""
    return blake2b("\x1f".join((*key, str(since))).encode(), digest_size=8).hexdigest()
