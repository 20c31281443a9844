"""Messages that a box passes on to its centre, contract section 11: native ones, with the way they came in the header.

`via` names the box, its journal (`boot`) and the message's number for that station and journal, contiguous from 1;
`ts` is the time that counted at the box; `late` means: history only.
"""

from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta, Struct

from gateway import wire
from gateway.model import Millis
from gateway.wire import Boot, Seq, Time, UnreadableError

ROOM = 512
"""So many bytes more than a device's own a message may have that was passed on."""
FIELDS = ("via", "late")

BoxName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]


class Via(Struct, gc=False, frozen=True):
    """Which way a message came."""

    box: BoxName
    boot: Boot
    n: Seq


class PassedOn(NamedTuple):
    """A message that a box passed on; `payload` is what its device said, with the time that counted at the box."""

    via: Via
    late: bool
    ts: Millis | None
    payload: bytes


class _Header(Struct, gc=False):
    via: Via | None = None
    late: bool = False
    ts: Time | None = None


_decode = msgspec.json.Decoder(_Header).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def read(payload: bytes) -> PassedOn | None:
    """None for a message that no box passed on. UnreadableError when its `via` can't be read."""
    if b'"via"' not in payload:
        return None
    try:
        header = _decode(payload)
        if header.via is None:
            return None
        fields = _decode_fields(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        if _names_no_way(payload):
            return None
        raise UnreadableError("via") from None
    for name in FIELDS:
        fields.pop(name, None)
    return PassedOn(header.via, header.late, wire.millis(header.ts), _encode(fields))


def _names_no_way(payload: bytes) -> bool:
    """Whether the word stands elsewhere in it, or it is none of our messages at all."""
    try:
        return "via" not in _decode_fields(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return True


def written(via: Via, payload: bytes, ts: Millis, *, late: bool) -> bytes:
    """A message of the journal as a box passes it on. The plain words of availability become an object."""
    if payload in (b"online", b"offline"):
        payload = b'{"state":"%b"}' % payload
    fields = _decode_fields(payload)
    for name in (*FIELDS, "ts"):
        fields.pop(name, None)
    way: dict[str, object] = {"box": via.box, "boot": via.boot, "n": via.n}
    head: dict[str, object] = {"via": way, "late": True, "ts": ts} if late else {"via": way, "ts": ts}
    return _encode(head | fields)
