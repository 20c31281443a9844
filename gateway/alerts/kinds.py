"""Every kind of alert: one line each."""

from typing import Literal, NamedTuple

from config.kinds import SPECS
from gateway.alerts.words import Alert, Severity
from gateway.model import Resource

# What may silence a kind: opening hours mute equipment; maintenance mutes equipment and security;
# nothing mutes our own troubles and what people tell us, and nothing ever mutes a safety item (an AED is needed when
# we are closed, too).
Class = Literal["equipment", "security", "system"]


class Kind(NamedTuple):
    """`urgent` skips the raise delay; `latched` is cleared by staff only; `silence` means that we hear nothing.

    `danger`: where it is critical, nothing holds up its telling, and it ends once it has gone and somebody
    acknowledged.
    """

    muting: Class
    severity: Severity
    urgent: bool = False
    latched: bool = False
    silence: bool = False
    danger: bool = False


KINDS: dict[str, Kind] = {
    "device_silent": Kind("equipment", "warning", silence=True),
    "bridge_offline": Kind("equipment", "critical", silence=True),
    "station_offline": Kind("equipment", "critical", silence=True),
    "charger_fault": Kind("equipment", "warning"),
    "equipment_fault": Kind("equipment", "warning"),
    "power_without_session": Kind("equipment", "warning"),
    "session_without_power": Kind("equipment", "warning"),
    "stuck_sensor": Kind("equipment", "warning"),
    "reader_dead": Kind("security", "warning"),
    "battery_low": Kind("equipment", "info"),
    "counters_disagree": Kind("equipment", "info"),
    "clock_skew": Kind("equipment", "info"),
    "device_flooding": Kind("system", "warning"),
    "open_contradicted": Kind("security", "warning"),
    "locker_full": Kind("equipment", "info"),
    "box_offline": Kind("system", "warning"),
    "operator_away": Kind("system", "warning"),
    "screen_absent": Kind("equipment", "warning"),
    "check_problem": Kind("system", "warning", urgent=True),
    "check_missed": Kind("system", "warning"),
    "supply_expiring": Kind("system", "warning"),
    "reported": Kind("system", "info", urgent=True, latched=True),
    "door_forced": Kind("security", "critical", urgent=True, latched=True),
    "door_held": Kind("security", "warning"),
    "tamper": Kind("security", "critical", urgent=True, latched=True),
    "help": Kind("system", "critical", urgent=True, latched=True),
    "hazard": Kind("system", "critical", urgent=True, danger=True),
    "safety_not_ready": Kind("system", "critical"),
    "safety_expiring": Kind("system", "warning"),
    "broker_lost": Kind("system", "critical"),
    "store_failing": Kind("system", "critical"),
    "disk_filling": Kind("system", "warning"),
    "copy_failing": Kind("system", "warning"),
    "replica_away": Kind("system", "warning"),
    "shard_away": Kind("system", "critical"),
    "channel_failing": Kind("system", "warning"),
    "holidays_unknown": Kind("system", "warning"),
    "backup_failing": Kind("system", "warning"),
    "log_ins_failing": Kind("system", "warning"),
    "certificate_ending": Kind("system", "warning"),
    "duplicate_gateway": Kind("system", "critical"),
    "quarantine_rate": Kind("system", "warning"),
    "internal_error": Kind("system", "warning"),
}

# Folded from the silence of devices that share a fate.
GROUP_KINDS = frozenset({"station_offline", "bridge_offline"})

# While one of these holds we are deaf: silence proves nothing about a device.
DEAFENING = frozenset({"broker_lost", "store_failing"})


def is_danger(alert: Alert) -> bool:
    """Told at once to everybody whom a route names: whatever its hours, beyond caps, never in a digest."""
    return alert.severity == "critical" and KINDS[alert.kind].danger


def severity_of(kind: str, resource: Resource | None) -> Severity:
    """A flat battery in a seat sensor can wait for the weekly round; in an AED it can't, nor what a person found."""
    if kind in ("battery_low", "check_problem") and resource is not None and SPECS[resource.kind].vital:
        return "critical"
    return KINDS[kind].severity
