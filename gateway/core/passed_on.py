"""What boxes pass on to us, their centre: known by box, journal and number, believed as the box believed it.

A message that is not late was the newest of its kind at the box when it was sent, so the box's word stands for the
order here; one that is late goes to history only, and makes no boot the newest.
"""

from typing import Any

from config.sites import read_site
from gateway import wire
from gateway.core.admission import check_bytes
from gateway.core.context import Context
from gateway.core.reports import Reports
from gateway.evidence import via
from gateway.evidence.boxes import BoxLink
from gateway.evidence.via import PassedOn
from gateway.live import Device
from gateway.model import LATE, RETAINED, TS_SUSPECT, Millis
from gateway.wire import UnreadableError

BOXES = "boxes"
"""The name under which the store keeps what boxes say of themselves."""
MOST_SITE = 1 << 20
"""Bytes of a station as its box has it."""
MOST_LATE_MS = 600_000
"""An event that is older says nothing of now."""


class FromBoxes:
    """Takes messages with a `via` in their header. `live.boxes` says whose are heard."""

    def __init__(self, context: Context, reports: Reports) -> None:
        self._context, self._reports = context, reports

    def take(self, topic: bytes, payload: bytes, flags: int, now: Millis) -> bool:
        """False for a message that no box passed on. UnreadableError says why one can't be taken."""
        message = via.read(payload)
        if message is None:
            return False
        check_bytes(payload, wire.MAX_PAYLOAD + via.ROOM)
        station, name, which = wire.parse_stored(topic)
        if self._comes_too_early(station, message):
            self._context.live.counters["boxes_ahead"] += 1
            return True
        link = self._link(station, message)
        journal, number = link.journal(message.via.boot), message.via.n
        context = self._context
        context.outcome.boxes.add(link)
        if not context.recorded and journal.has(number):
            context.live.counters["duplicate"] += 1
            return True
        if not journal.has_room(number):
            context.live.counters["boxes_ahead"] += 1  # it is not covered, so it comes again
            return True
        if which == "check":
            self._reports.recorded(topic, message.payload, now)
        else:
            device = context.live.devices.get((station, name))
            if device is None:
                raise UnreadableError("unknown_device")
            late = message.late or bool(flags & RETAINED)
            if which == "availability":
                self._availability(device, topic, payload, message, now, late=late)
            elif which == "event":
                self._event(device, topic, payload, message, now, late=late)
            else:
                self._state(device, payload, message, now, late=late)
        journal.note(number)
        kept = context.live.box_lines.spoke(message.via.box, now)
        if kept is not None:
            context.outcome.kept[BOXES] = kept
        return True

    def word(self, topic: bytes, payload: bytes, now: Millis) -> None:
        """What a box says of itself. UnreadableError says why it is not heard."""
        root, _, rest = topic.partition(b"/")
        name = rest.decode(errors="replace")
        if root == b"yz-site":
            self._site(name, payload)
            return
        check_bytes(payload, wire.MAX_PAYLOAD)
        kept = self._context.live.box_lines.hear(name, payload, now)
        if kept is not None:
            self._context.outcome.kept[BOXES] = kept

    def _site(self, station: str, payload: bytes) -> None:
        """A station as its box has it. One that we configure ourselves follows our words, and one box tells of it."""
        check_bytes(payload, MOST_SITE)
        boxes = self._context.live.boxes
        owner = boxes.owners.get(station)
        if owner is None and not payload:
            return
        if payload:
            try:
                site = read_site(payload)
            except ValueError:
                raise UnreadableError("wrong_type") from None
            if site.station.id != station:
                raise UnreadableError("wrong_type")
            if site.box not in boxes.accept or owner not in (None, site.box):
                raise UnreadableError("unknown_box")  # ours are kept, too: `doctor` compares
        boxes.on_site(station, payload)

    def cover(self, topic: bytes, payload: bytes) -> bool:
        """A message that stands in quarantine, or in the journal: its box need not send it again. False for one that no
        box passed on. One of a box that we do not hear is covered by nothing, so that it comes again when we do."""
        if b'"via"' not in payload:
            return False
        try:
            message = via.read(payload)
            station, _, _ = wire.parse_stored(topic)
            if message is None:
                return False
            link = self._link(station, message)
        except UnreadableError as error:
            return error.reason in ("unknown_box", "unknown_station")
        link.journal(message.via.boot).note(message.via.n)
        self._context.outcome.boxes.add(link)
        return True

    def _comes_too_early(self, station: str, message: PassedOn) -> bool:
        """Its box is known and its station not yet: it is not covered, so it comes again."""
        live = self._context.live
        return station not in live.stations and message.via.box in live.boxes.accept

    def _link(self, station: str, message: PassedOn) -> BoxLink:
        live = self._context.live
        if station not in live.stations:
            raise UnreadableError("unknown_station")
        if not live.boxes.may_tell(station, message.via.box):
            raise UnreadableError("unknown_box")
        return live.boxes.link(station, message.via.box)

    # ---- what it says ----

    def _state(self, device: Device, payload: bytes, message: PassedOn, now: Millis, *, late: bool) -> None:
        context = self._context
        signals, ignored, bad = wire.read(device.decode, message.payload)
        context.live.counters["ignored_fields"] += ignored
        if bad:
            context.foreign.remarks.bad(device.station, device.id, bad)
            payload = wire.without(payload, bad)
        observed, suspect = _counted(message, now)
        late = self._is_late(device, signals, message, observed, late=late)
        self._keep(device.topic, payload, now, suspect, device.number, late=late)
        if not late:
            context.live.observe(device, signals, observed, now)

    def _event(
        self, device: Device, topic: bytes, payload: bytes, message: PassedOn, now: Millis, *, late: bool
    ) -> None:
        event = wire.read_event(message.payload)
        observed, suspect = _counted(message, now)
        late = self._is_late(device, event, message, observed, late=late) or now - observed > MOST_LATE_MS
        self._keep(topic, payload, now, suspect, late=late)
        if not late:
            self._context.outcome.happened.append((device, event, now))
            self._context.live.happened(device, event, observed, now)

    def _availability(
        self, device: Device, topic: bytes, payload: bytes, message: PassedOn, now: Millis, *, late: bool
    ) -> None:
        online, boot = wire.read_availability(message.payload)
        late = late or device.seen.is_older(boot)
        self._keep(topic, payload, now, 0, late=late)
        if late:
            return
        if not online and wire.is_good_night(message.payload):
            device.online = False
            return
        self._context.live.availability(device, online, False, now)
        if online:
            device.seen.born = boot

    def _is_late(self, device: Device, header: Any, message: PassedOn, observed: Millis, *, late: bool) -> bool:
        """Whether it enters history only. Takes note of its own number."""
        seen = device.seen
        if header.boot is not None and header.seq is not None:
            if late:
                seen.admit_late(header.boot, header.seq)
            elif header.boot in seen.older and header.boot != seen.guessed:
                return True
            elif header.boot == seen.boot and header.seq <= seen.top:
                seen.begin(header.boot, header.seq, header.oldest, message.payload, wire.millis(header.ts))
            else:
                seen.admit(header.boot, header.seq, header.oldest)
        if late:
            self._context.live.counters["late"] += 1
        return late or any((facts.fresh.observed_at or 0) > observed for facts in device.facts)

    def _keep(self, topic: bytes, payload: bytes, now: Millis, mark: int, number: int = 0, *, late: bool) -> None:
        self._context.outcome.batch.append(topic, payload, now, mark | (LATE if late else 0), number)


def _counted(message: PassedOn, now: Millis) -> tuple[Millis, int]:
    """When it counts: as the box says, however long ago; but nobody's clock is believed from the future."""
    if message.ts is None or message.ts > now + wire.TS_FUTURE_MS:
        return now, 0 if message.ts is None else TS_SUSPECT
    return min(message.ts, now), 0
