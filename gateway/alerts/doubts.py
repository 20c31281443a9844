"""The verdicts of the judge of evidence → conditions. What he finds suspect and what is told come from one moment."""

from gateway.alerts.facts import Fact
from gateway.evidence.contradiction import RULES, Rule, due_at, rule_of
from gateway.evidence.facts import Facts, evidence_of
from gateway.evidence.freshness import SILENT
from gateway.model import KindName, Millis, Signal

ALERTS: dict[KindName, frozenset[str]] = {
    kind: frozenset(rule.alert for rule in rules) for kind, rules in RULES.items()
}
"""The kinds of alert that a kind of resource can have by a verdict."""
KINDS_OF_ALERT = frozenset().union(*ALERTS.values())


def facts_of_verdict(facts: Facts, now: Millis) -> list[Fact]:
    """Each alert that a verdict on this resource can lead to: whether it holds now."""
    resource = facts.resource
    rule = rule_of(resource.kind, facts.doubt.verdict)
    said: list[Fact] = []
    for kind in sorted(ALERTS.get(resource.kind, ())):
        holds = _holds(facts, kind, rule, now)
        if holds and rule is not None:
            said.append(_told(facts, rule, now))
        else:
            said.append(Fact(kind, now, holds, resource.station, resource.id, resource))
    return said


def _holds(facts: Facts, kind: str, rule: Rule | None, now: Millis) -> bool | None:
    """Silence, and a value that nobody can read, neither raise nor clear anything."""
    if facts.lifecycle != "active":
        return False
    if facts.fresh.unreadable or evidence_of(facts, now)[0] in SILENT:
        return None
    if rule is None or rule.alert != kind:
        return False
    return not rule.suspect or rule.alert != "stuck_sensor" or facts.axes.evidence == "suspect"


def _told(facts: Facts, rule: Rule, now: Millis) -> Fact:
    """A contradiction of its own holds since it began, with the judge's own patience."""
    resource = facts.resource
    since, patience_ms = now, 0
    if rule.confirmed is None and facts.doubt.since is not None:
        since = facts.doubt.since
        patience_ms = due_at(facts, rule, since) - since
    cause, detail = "suspect", dict[str, Signal](device=resource.device, reason=rule.reason)
    if rule.alert != "stuck_sensor" and facts.known.power_w is not None:
        cause = f"power_w={facts.known.power_w}"
        detail["power_w"] = facts.known.power_w
        if facts.known.status is not None:
            detail["status"] = facts.known.status
    return Fact(rule.alert, since, True, resource.station, resource.id, resource, cause, detail, patience_ms)
