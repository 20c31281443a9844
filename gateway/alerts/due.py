"""What is due of a case, and when. Pure: a case, its surroundings and a time in; an answer out."""

from typing import Literal

from gateway.alerts.case import Case, Policy
from gateway.alerts.surroundings import Surroundings
from gateway.model import Millis

_WORK_RECHECK_MS = 60_000
Step = Literal["wait", "forget", "close", "open", "look"]


def due_at(case: Case, around: Surroundings, policy: Policy, *, deaf: bool) -> Millis | None:
    """When something is to be done about it; None while only news can change that. `deaf`: nobody can be heard now."""
    if not case.holds:
        if case.awaits_people:
            return None
        return case.clear_at(policy) if case.alert else case.fell + policy.flap_hold_ms
    if case.alert is not None:
        return case.recheck
    unheard = deaf and case.lives_by_hearing
    if case.told or unheard or around.folded(case) or around.muted(case):
        return None
    return case.raise_at(policy)


def step_of(case: Case, due: Millis | None, now: Millis) -> Step:
    """What is to be done of it now, if its time is `due`. "look": a group looks at its members again."""
    if due is None or due > now:
        return "wait"
    if not case.holds:
        return "forget" if case.alert is None else "close"
    return "open" if case.alert is None else "look"


def held_back(case: Case, around: Surroundings, now: Millis, recheck_ms: Millis) -> Millis | None:
    """When to ask again whether it may become an alert; None: nothing stands against it."""
    if around.in_maintenance(case):
        return now + _WORK_RECHECK_MS
    return None if around.in_touch(case, now) else now + recheck_ms
