"""The times that are shown of a resource. Of what tells of persons they move by steps, not by messages."""

from gateway.evidence.checks import seen_at, vouched_until
from gateway.evidence.facts import Facts
from gateway.model import Millis
from gateway.policy.privacy import PERSONAL


def sensed_until(facts: Facts, now: Millis) -> Millis | None:
    """Until when its sensor's word holds, or that of people where no sensor ever spoke.

    Of rooms, doors and counters nobody sees whether the last message came just now or a step (a quarter of the ttl)
    ago.
    """
    if facts.checks and facts.checked:
        return vouched_until(facts.checks, now)
    until, fresh = facts.fresh.valid_until, facts.fresh
    if until is None or facts.resource.kind not in PERSONAL:
        return until
    return min(until, now - now % fresh.step_ms + fresh.ttl_ms - fresh.step_ms)


def observed_at(facts: Facts, now: Millis) -> Millis | None:
    """When its value was last told."""
    if facts.checks and facts.checked:
        return seen_at(facts.checks)
    fresh = facts.fresh
    if fresh.observed_at is None or facts.resource.kind not in PERSONAL:
        return fresh.observed_at
    return min(fresh.observed_at - fresh.observed_at % fresh.step_ms, now - now % fresh.step_ms - fresh.step_ms)
