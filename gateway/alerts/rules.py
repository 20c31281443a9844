"""A visible change of a resource → what it says about each condition. Nothing here remembers."""

from config.kinds import SPECS
from gateway.alerts.facts import Fact
from gateway.model import Axes, Change, Resource, Signal

BY_CHECK = "check"
"""Why a resource is in fault that only a person found so: the check has an alert of its own."""
_SILENT = ("stale", "offline")


def facts_of(change: Change) -> list[Fact]:
    """Every condition this change decides or leaves undecided, device first."""
    resource, after = change.resource, change.after
    gone = after.lifecycle != "active"
    detail: dict[str, Signal] = {"device": resource.device, "reason": change.cause}
    if change.detail:
        detail["code"] = change.detail
    spec = SPECS[resource.kind]
    judged = {
        "device_silent": _silent(after),
        spec.fault_alert: None if change.cause == BY_CHECK else _faulty(resource, after),
    }
    if spec.alert_when_full is not None:
        judged[spec.alert_when_full] = _full(after)
    facts = [_fact(change, kind, False if gone else holds, detail) for kind, holds in judged.items()]
    return [*facts, _warning(change, gone=gone)] if resource.kind == "hazard" else facts


def _warning(change: Change, *, gone: bool) -> Fact:
    """Of a detector. A warning holds whenever it was said, also late or by a broker's memory; only a word of now ends
    it."""
    resource, after = change.resource, change.after
    holds: bool | None = True if after.use in ("blocked", "reserved") else None
    if gone or (after.use == "free" and after.evidence == "live"):
        holds = False
    tested = after.use == "reserved"
    detail: dict[str, Signal] = {"device": resource.device}
    if resource.type is not None:
        detail["type"] = resource.type
    return Fact(
        "hazard", change.at, holds, resource.station, resource.id, resource, "test" if tested else "alarm", detail,
        severity="info" if tested else "critical",
    )  # fmt: skip


def _fact(change: Change, kind: str, holds: bool | None, detail: dict[str, Signal]) -> Fact:
    resource, after = change.resource, change.after
    subject = resource.device if kind == "device_silent" else resource.id
    cause = str(after.evidence) if kind == "device_silent" else change.detail or change.cause
    return Fact(kind, change.at, holds, resource.station, subject, resource, cause, detail)


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
