"""A visible change of a resource → what it says about each condition. Nothing here remembers."""

from config.kinds import SPECS
from gateway.alerts.facts import Fact
from gateway.model import Axes, Change, Resource, Signal

BY_CHECK = "check"
"""Why a resource is in fault that only a person found so: the check has an alert of its own."""
BY_BOX = "box_offline"
"""Why nothing is known of a resource whose box can't be heard: the box has an alert of its own."""
_SILENT = ("stale", "offline")


def conditions_of(change: Change) -> dict[str, bool | None]:
    """Whether each kind of trouble holds by this change, device first; None where that can't be told from it."""
    resource, after = change.resource, change.after
    spec = SPECS[resource.kind]
    holds = {
        "device_silent": None if change.cause == BY_BOX else _silent(after),
        spec.fault_alert: None if change.cause == BY_CHECK else _faulty(resource, after),
    }
    if spec.alert_when_full is not None:
        holds[spec.alert_when_full] = _full(after)
    if resource.kind == "hazard":
        holds["hazard"] = _warns(after)
    return holds if after.lifecycle == "active" else dict.fromkeys(holds, False)


def fact_of(change: Change, kind: str, holds: bool | None) -> Fact:
    """What it says of one of its conditions."""
    if kind == "hazard":
        return _warning(change, holds)
    resource, after = change.resource, change.after
    detail: dict[str, Signal] = {"device": resource.device, "reason": change.cause}
    if change.detail:
        detail["code"] = change.detail
    cause = str(after.evidence) if kind == "device_silent" else change.detail or change.cause
    return Fact(kind, change.at, holds, resource.station, subject_of(resource, kind), resource, cause, detail)


def subject_of(resource: Resource, kind: str) -> str:
    """Silent is the device that feeds it; all else is its own."""
    return resource.device if kind == "device_silent" else resource.id


def _warns(after: Axes) -> bool | None:
    """A warning holds whenever it was said, also late or by a broker's memory; only a word of now ends it."""
    if after.use == "free" and after.evidence == "live":
        return False
    return True if after.use in ("blocked", "reserved") else None


def _warning(change: Change, holds: bool | None) -> Fact:
    """The fact that follows from a detector's state."""
    resource, tested = change.resource, change.after.use == "reserved"
    detail: dict[str, Signal] = {"device": resource.device}
    if resource.type is not None:
        detail["type"] = resource.type
    return Fact(
        "hazard", change.at, holds, resource.station, resource.id, resource, "test" if tested else "alarm", detail,
        severity="info" if tested else "critical",
    )  # fmt: skip


def _silent(after: Axes) -> bool | None:
    """A device never heard is not silent: there was no transition, and the overview shows it as never heard."""
    if after.evidence == "never":
        return None
    return after.evidence in _SILENT


def _faulty(resource: Resource, after: Axes) -> bool | None:
    """Maintenance hides a fault and silence can't deny one, so neither clears it."""
    spec = SPECS[resource.kind]
    not_in_place = spec.vital and not spec.instrument and after.use in ("occupied", "away", "blocked")
    if after.health == "fault" or not_in_place:
        return True
    if after.health == "maintenance" or after.evidence != "live":
        return None
    return False


def _full(after: Axes) -> bool | None:
    if after.evidence != "live" or after.use == "unknown":
        return None
    return after.use in ("occupied", "blocked")
