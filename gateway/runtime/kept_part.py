"""What a part of the live state is kept as."""

from contextlib import suppress

import msgspec

from gateway.evidence.boxes import Kept as KeptBox
from gateway.evidence.facts import kept
from gateway.evidence.opening import Kept
from gateway.live import Device, Seen
from gateway.model import AXES, Axes, Millis

Row = tuple[str, str, tuple[object, ...], bool | None, Millis | None, list[tuple[str, int, tuple[object, ...]]]]


class KeptPart(msgspec.Struct):
    """There is always a first one. `promises`: what proves that the stations of these devices are open, and when that
    was so; the first has those without any device, too, and what came of each box."""

    devices: list[Row]
    promises: list[tuple[str, Millis, Kept]] = []
    boxes: list[KeptBox] = []


encode_part = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Row] | KeptPart).decode


def decode_part(blob: bytes) -> KeptPart:
    """MsgspecError where it can't be read."""
    part = _decode(blob)
    return KeptPart(part) if isinstance(part, list) else part  # of an older version, which knew nothing of promises


def stations_of_part(blob: bytes) -> set[str]:
    """The stations of which a kept part tells anything; none where it can't be read."""
    with suppress(msgspec.MsgspecError):
        part = decode_part(blob)
        return {row[0] for row in part.devices} | {station for station, _, _ in part.promises}
    return set()


def row_of(device: Device) -> Row:
    facts = [(fact.resource.id, fact.axes.code, kept(fact)) for fact in device.facts]
    return device.station, device.id, device.seen.dump(), device.online, device.seen_at, facts


def read_row(row: Row) -> tuple[str, str, Seen, bool | None, Millis | None, list[tuple[str, Axes, tuple[object, ...]]]]:
    """All that may fail of a row, before anything is made of it."""
    station, name, seen, online, seen_at, kept = row
    return (
        station,
        name,
        Seen.load(seen),
        online,
        seen_at,
        [(resource, AXES[code], values) for resource, code, values in kept],
    )
