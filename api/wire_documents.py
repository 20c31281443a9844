"""Documents that come from a broker: read once, believed only where a gateway of ours can have made them.

They may be of a newer gateway than this API: what we do not know of them is served as it came.
"""

import re
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import replace

from api.longest import ANYTHING_MS, Longest
from gateway.base.times import from_rfc3339, rfc3339
from gateway.live.station_document import (
    Document,
    ShownArea,
    ShownInstrument,
    ShownResource,
    StationDocument,
    deadline,
    encode,
    withdrawn,
)
from gateway.model import Millis
from gateway.policy.override import MAX_SPAN_MS

MAX_BYTES = 4 << 20  # some 8,000 resources
AHEAD_MS = 600_000  # so far may the clocks of a gateway and of an API differ

_Shown = TypeVar("_Shown", ShownResource, ShownInstrument)
_NO_BRACKETS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[^][{}"]+')
_ROUNDS = 16  # each takes off one or two levels of brackets; our own documents have nine


def received(station: str, body: bytes, now: Millis, longest: Longest) -> Document:
    """The document on the topic of `station`, no value of it live for longer than its ttl. ValueError: refused, why."""
    if len(body) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES} bytes")
    body = body.replace(b"\n", b" ").replace(b"\r", b" ")  # it becomes one line of a stream
    shown = read(body)
    if shown.station != station:
        raise ValueError(f"it speaks for station {shown.station!r}")
    deadline(shown)
    refused = implausible(shown, now)
    if refused is not None:
        raise ValueError(refused)
    shorter = capped(shown, longest)
    if shown.watched is not UNSET:  # whether its gateway is there is not for a document to say
        shorter = replace(shorter, watched=UNSET)
    if shorter is not shown:
        body = encode(_carried(msgspec.json.decode(body), shown, shorter))
    return Document(station, shorter, body, now)


def capped(document: StationDocument, longest: Longest) -> StationDocument:
    """It with every live value ending, by the ttl of its resource, counted from when the document was made.

    A gateway that lives renews its documents before half of that, also what staff set by hand until next week; so this
    costs nothing but the trust in one that has fallen silent, or was none. The same object where nothing is longer.
    """
    made_at = from_rfc3339(document.as_of)
    areas = [_capped_area(area, made_at, longest) for area in document.areas]
    if all(after is before for before, after in zip(document.areas, areas, strict=True)):
        return document
    shorter = replace(document, areas=areas)
    return replace(shorter, valid_until=min(shorter.live_ends(), key=from_rfc3339, default=None))


def _capped_area(area: ShownArea, made_at: Millis, longest: Longest) -> ShownArea:
    resources = [_capped(resource, made_at, longest) for resource in area.resources]
    instruments = [_capped(instrument, made_at, longest) for instrument in area.instruments]
    before, after = (*area.resources, *area.instruments), (*resources, *instruments)
    changed = any(new is not old for old, new in zip(before, after, strict=True))
    return replace(area, resources=resources, instruments=instruments) if changed else area


def _capped(shown: _Shown, made_at: Millis, longest: Longest) -> _Shown:
    end = made_at + longest.get(shown.id, ANYTHING_MS)
    late = shown.evidence == "live" and shown.valid_until is not None and from_rfc3339(shown.valid_until) > end
    return replace(shown, valid_until=rfc3339(end)) if late else shown


def read(body: bytes) -> StationDocument:
    """ValueError when it is no availability document, or one that nests too deep."""
    try:
        raw = msgspec.json.decode(body)
        if not _shallow(body):
            raise ValueError("it nests too deep")
        return _typed(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def implausible(document: StationDocument, now: Millis) -> str | None:
    """Why no gateway of ours can have made this at `now`, give or take AHEAD_MS; None when one can.

    What staff set by hand holds for MAX_SPAN_MS at most, what sensors say for far less. ValueError for a time that
    can't be read.
    """
    if from_rfc3339(document.as_of) > now + AHEAD_MS:
        return f"it was made at {document.as_of}, which lies ahead; set both clocks by NTP"
    every: list[ShownResource | ShownInstrument] = [*document.resources(), *document.instruments()]
    ends = [shown.valid_until for shown in every if shown.valid_until is not None]
    late = next((end for end in ends if from_rfc3339(end) > now + MAX_SPAN_MS + AHEAD_MS), None)
    return None if late is None else f"it claims to hold until {late}"


def withdraw(body: bytes, now: Millis) -> Document:
    """The document as it may be shown at `now`, with all that it says beside what we know."""
    raw = msgspec.json.decode(body)
    before = _typed(raw)
    after = withdrawn(before, now)
    return Document(after.station, after, encode(_carried(raw, before, after)), now)


def without_areas(body: bytes) -> bytes:
    """The document as the list of stations shows it."""
    fields = _split(body)
    return encode({name: value for name, value in fields.items() if name != "areas"})


_split = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _typed(raw: object) -> StationDocument:
    return msgspec.convert(raw, StationDocument)


def _shallow(body: bytes) -> bool:
    """Whether it can be decoded again on any stack. `body` is JSON."""
    brackets = _NO_BRACKETS.sub(b"", body)
    for _ in range(_ROUNDS):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return not brackets


def _carried(raw: Any, before: object, after: object) -> Any:
    """`raw`, of which `before` is what we know, with what `after` changes."""
    if after is before:
        return raw
    if isinstance(after, Struct):
        names = zip(after.__struct_fields__, after.__struct_encode_fields__, strict=True)
        for field, name in names:
            new = getattr(after, field)
            if new is UNSET:
                raw.pop(name, None)
            elif name in raw:
                raw[name] = _carried(raw[name], getattr(before, field), new)
            else:  # an older gateway did not say it
                raw[name] = new
        return raw
    if isinstance(after, list) and isinstance(before, list):
        return [_carried(*parts) for parts in zip(raw, before, after, strict=True)]
    return after
