"""How the gateway itself is → facts for the alert core."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from config.certificate_files import certificate_files
from config.schema import Settings
from gateway.alerts.facts import Fact, channel_failing, own
from gateway.base.backup_state import asked_state, trouble_of
from gateway.base.certificates import endings, ends_soon
from gateway.base.failed_log_ins import trouble_in
from gateway.model import Millis, Signal
from gateway.policy.hours import depends_on_notices, notices_of, unpublished_year

COPY_PATIENCE_MS = 300_000  # a copy that is away for minutes loses nothing
REPLICA_PATIENCE_MS = 30_000  # its server may change places
DISK_EVERY_MS = 10_000
HOURLY_MS = 3_600_000
Failing = Mapping[str, tuple[str, bool]]
"""Channels that take no message: (why, whether one is lost already), by name."""


ShardVerdict = tuple[str, bool | None, str]
"""Another shard by its name, whether it is gone and we have to tell so (None: not known), and its stations."""
Beside = tuple[str | None, tuple[tuple[str, Millis], ...], str | None, Sequence[ShardVerdict]]
"""`copy`, `shown`, `replica` and `shards` of `Ourselves`."""


@dataclass(frozen=True, slots=True)
class Ourselves:
    """What is wrong in words, None where nothing is. `disk_free_mib` None: not looked."""

    broker: str | None = None
    store: str | None = None
    duplicate: str | None = None
    copy: str | None = None
    shown: tuple[tuple[str, Millis], ...] = ()
    """(server, when the certificate ends that it shows)"""
    replica: str | None = None
    shards: Sequence[ShardVerdict] = ()
    """The others, where there are any."""
    disk_free_mib: int | None = None


class OwnTroubles:
    """Tells what is another than last time; the disk is looked at every ten seconds."""

    def __init__(self, settings: Settings, gateway: str, folder: Path) -> None:
        """`folder`: on the disk that may fill."""
        self._gateway, self._folder = gateway, folder
        self.configure(settings)
        self._last = Ourselves()
        self._failing: Failing = {}

    def configure(self, settings: Settings) -> None:
        """From now on; all is looked at anew."""
        self._enough_mib = settings.alerts.thresholds.disk_free_mib
        self._zone = ZoneInfo(settings.timezone)
        self._notices = notices_of(settings) if depends_on_notices(settings) else None
        self._certificates = list(certificate_files(settings))
        self._ending: str | None = None  # a certificate that ends within 20 days, or can't be read
        self._shown: tuple[tuple[str, Millis], ...] = ()  # as they were looked at last
        self._disk_at: Millis = 0
        self._hourly_at: Millis = 0
        self._backs_up, self._store = settings.backup is not None, settings.store.path
        self._backup_trouble: str | None = None  # why the last backup or its rehearsal failed, or none was made

    def resume(self, failing: Failing) -> None:
        """After a start: the channels of which it was told that they fail."""
        self._failing = failing

    def look(self, state: Ourselves, now: Millis) -> list[Fact]:
        """Broker, store, disk, the copy, the holidays of the coming year, certificates that end, and another gateway
        under our name."""
        changed, self._last = state != self._last, state
        if now >= self._disk_at:
            self._disk_at = now + DISK_EVERY_MS
            free = shutil.disk_usage(self._folder).free >> 20
            return self._facts(replace(state, disk_free_mib=free), now)
        return self._facts(state, now) if changed else []

    def channels(self, failing: Failing, now: Millis) -> list[Fact]:
        """Which channels deliver and which do not, where that has changed."""
        before = self._failing
        changed = [name for name in sorted({*failing, *before}) if failing.get(name) != before.get(name)]
        facts = [channel_failing(name, now, failing.get(name)) for name in changed]
        self._failing = failing
        return facts

    def _facts(self, state: Ourselves, now: Millis) -> list[Fact]:
        self._look_hourly(state, now)
        failing = trouble_in(self._store, now)
        named = {
            "broker_lost": state.broker, "store_failing": state.store, "duplicate_gateway": state.duplicate,
            "certificate_ending": self._ending, "backup_failing": self._backup_trouble, "log_ins_failing": failing,
        }  # fmt: skip
        facts = [own(kind, now, trouble is not None, self._gateway, trouble or "") for kind, trouble in named.items()]
        copy = own("copy_failing", now, state.copy is not None, self._gateway, state.copy or "")
        replica = own("replica_away", now, state.replica is not None, self._gateway, state.replica or "")
        facts += [replace(copy, patience_ms=COPY_PATIENCE_MS), replace(replica, patience_ms=REPLICA_PATIENCE_MS)]
        facts += [Fact("shard_away", now, gone, None, name, None, stations) for name, gone, stations in state.shards]
        facts.append(self._holidays(now))
        return facts if state.disk_free_mib is None else [*facts, self._disk(state.disk_free_mib, now)]

    def _disk(self, free_mib: int, now: Millis) -> Fact:
        holds = True if free_mib < self._enough_mib else False if free_mib >= self._enough_mib * 1.2 else None
        detail: dict[str, Signal] = {"free_mib": free_mib}
        return Fact("disk_filling", now, holds, None, self._gateway, None, f"{free_mib} MiB free", detail)

    def _look_hourly(self, state: Ourselves, now: Millis) -> None:
        """Certificates and backups: what changes slowly and is read from files."""
        if now < self._hourly_at and state.shown == self._shown:
            return
        self._hourly_at, self._shown = now + HOURLY_MS, state.shown
        shown = (ends_soon(server, end, now) for server, end in state.shown)
        told = [*endings(self._certificates, now), *(text for text in shown if text is not None)]
        self._ending = "; ".join(told) or None
        self._backup_trouble = trouble_of(asked_state(self._store, now), now) if self._backs_up else None

    def _holidays(self, now: Millis) -> Fact:
        """Whether a notice is missing that hours of ours depend on."""
        year = None
        if self._notices is not None:
            year = unpublished_year(datetime.fromtimestamp(now / 1000, self._zone).date(), self._notices)
        cause = "" if year is None else f"no notice for {year}"
        return own("holidays_unknown", now, year is not None, self._gateway, cause)
