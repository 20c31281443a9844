"""What a document may still claim when nobody renews it. Pure: a document and a time in, an honest document out.

The gateway withdraws its claims itself. This is for the day when it, or the line to it, is dead.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from api.times import from_rfc3339, rfc3339
from config.kinds import UNITS
from gateway.model import Access, Evidence, Health, Lifecycle, Millis, Usable, Use, axes_of
from gateway.policy.override import MAX_SPAN_MS

# At the turn of opening hours the gateway says what comes next; only its silence makes the answer unknown.
OPENING_GRACE_MS = 2_000
AHEAD_MS = 600_000  # so far may the clocks of a gateway and of an API differ
# These are counted in units rather than resources.


class _Resource(msgspec.Struct):
    kind: str
    lifecycle: Lifecycle
    health: Health
    access: Access
    use: Use
    evidence: Evidence
    usable: Usable
    valid_until: str | None


class _Area(msgspec.Struct):
    resources: list[_Resource]


class _Line(msgspec.Struct):
    kind: str
    total: int
    usable_min: int
    usable_max: int


class _Open(msgspec.Struct):
    now: Usable
    until: str | None


class _Document(msgspec.Struct):
    """What `withdraw` relies on. A document is checked against it once, when it comes in; the rest stays bytes."""

    station: str
    open: _Open
    summary: list[_Line]
    areas: list[_Area]


class _Claim(msgspec.Struct):
    valid_until: str | None = None


class _Claims(msgspec.Struct):
    resources: list[_Claim] = []


class _Dated(msgspec.Struct):
    as_of: str | None = None
    areas: list[_Claims] = []


_decoder = msgspec.json.Decoder(_Document)
_claims = msgspec.json.Decoder(_Dated)


def deadline(body: bytes, station: str) -> Millis | None:
    """The first moment at which the document must be rewritten, None for never.

    ValueError when it is no availability document, or not this station's.
    """
    try:
        document = _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    if document.station != station:
        raise ValueError(f"it speaks for station {document.station!r}")
    resources = [one for area in document.areas for one in area.resources]
    ends = [_millis(one.valid_until) for one in resources if one.evidence == "live"]
    turn = _millis(document.open.until)
    ends.append(None if turn is None else turn + OPENING_GRACE_MS)
    return min((end for end in ends if end is not None), default=None)


def implausible(body: bytes, now: Millis) -> str | None:
    """Why no gateway of ours can have made this at `now`, give or take AHEAD_MS; None when one can.

    What staff set by hand holds for MAX_SPAN_MS at most, what sensors say for far less.
    """
    try:
        said = _claims.decode(body)
        if said.as_of is not None and from_rfc3339(said.as_of) > now + AHEAD_MS:
            return f"it was made at {said.as_of}, which lies ahead; set both clocks by NTP"
        ends = [one.valid_until for area in said.areas for one in area.resources if one.valid_until is not None]
        late = next((end for end in ends if from_rfc3339(end) > now + MAX_SPAN_MS + AHEAD_MS), None)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        return str(error)
    return None if late is None else f"it claims to hold until {late}"


def withdraw(body: bytes, now: Millis) -> bytes:
    """The document as it may be shown at `now`: every live value past its `valid_until` is stale, answers follow.

    Opening hours past their turn are unknown. `as_of` becomes `now`, `valid_until` the earliest of what is still live.
    """
    document: dict[str, Any] = msgspec.json.decode(body)
    turned = _passed(document["open"].get("until"), now - OPENING_GRACE_MS)
    if turned:
        document["open"] = {"now": "unknown", "until": None}
    touched = {_group(one) for one in _resources(document) if _withdraw_one(one, now, turned)}
    for line in document["summary"]:
        if _group(line) in touched:
            _recount(line, [one for one in _resources(document) if _group(one) == _group(line)])
    live = [one["valid_until"] for one in _resources(document) if one["evidence"] == "live" and one["valid_until"]]
    document["as_of"] = rfc3339(now)
    document["valid_until"] = min(live, key=from_rfc3339, default=None)
    return msgspec.json.encode(document)


def _withdraw_one(resource: dict[str, Any], now: Millis, turned: bool) -> bool:
    """Take back what the resource can no longer claim. True if anything changed."""
    stale = resource["evidence"] == "live" and _passed(resource["valid_until"], now)
    reopened = turned and resource["access"] in ("open", "closed")
    if stale:
        resource["evidence"] = "stale"
        resource["since"] = resource["valid_until"]
    if reopened:
        resource["access"] = "unknown"
    if stale or reopened:
        point = (resource[name] for name in ("lifecycle", "health", "access", "use", "evidence"))
        axes = axes_of(*point, unreadable="unreadable" in resource["because"])
        resource["usable"], resource["because"] = axes.usable, axes.because
    return stale or reopened


def _recount(line: dict[str, Any], resources: list[dict[str, Any]]) -> None:
    certain = sum(_units(one)[1] for one in resources if one["usable"] == "yes")
    possible = sum(_units(one)[0] for one in resources if one["usable"] == "unknown")
    line["usable_min"], line["usable_max"] = certain, certain + possible
    line.pop("next_free", None)  # it was told of values that have just been taken back


def _units(resource: dict[str, Any]) -> tuple[int, int]:
    """How many it is, and how many of them are free if it is usable."""
    if resource["kind"] not in UNITS:
        return 1, 1
    free = resource.get("free") or 0
    return resource.get("total") or free, free


def _resources(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for area in document["areas"]:
        yield from area["resources"]


def _group(item: dict[str, Any]) -> tuple[str, str | None]:
    return item["kind"], item.get("type")


def _millis(text: str | None) -> Millis | None:
    return None if text is None else from_rfc3339(text)


def _passed(text: str | None, now: Millis) -> bool:
    return text is not None and from_rfc3339(text) <= now
