"""Evidence is one serial rule for each resource, first match wins.

Never heard → `never`; its device said goodbye, and nothing fresher came → `offline`; past `valid_until` → `stale`;
contradicted, or told in a way that we could not read → `suspect`; else `live`.
"""

from gateway.kinds import Facts
from gateway.model import Evidence, Millis

SILENT: tuple[Evidence, ...] = ("never", "offline", "stale")


def extend(facts: Facts, heard_at: Millis) -> None:
    """The value is good for its ttl from `heard_at` on."""
    until = heard_at + facts.ttl_ms
    facts.valid_until = until - until % facts.step_ms


def alive(facts: Facts, heard_at: Millis, now: Millis) -> None:
    """A sign of life without a value: an on-change reporter's value is good still, if it was ever fresh."""
    if facts.offline_at is not None and now >= facts.offline_at and facts.resource.reporting == "periodic":
        facts.valid_until = None  # it is back, but what it said before it went is no news
    facts.offline_at = None
    if facts.valid_until is not None and facts.resource.reporting == "on_change":
        extend(facts, heard_at)


def evidence_of(facts: Facts, now: Millis) -> tuple[Evidence, Millis | None]:
    """The evidence axis, and when it will change if nothing comes."""
    if not facts.heard:
        return "never", None
    until, gone = facts.valid_until, facts.offline_at
    if gone is not None:
        if now >= gone:
            return "offline", None
        until = gone if until is not None and gone < until else until
    if until is None or now >= until:
        return "stale", gone
    return ("suspect" if facts.doubt.suspect or facts.unreadable else "live"), until
