"""The live state over a restart: kept in parts, each true after some batch; the journal replays what came later.

A part is a fixed share of the devices. Parts are kept in turn while the gateway works, so none of them needs a pause,
and each device remembers after which batch it was kept: replaying from the oldest part applies no message twice.
"""

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import blake2b

import msgspec

from config.building import building
from gateway.core.passed_on import BOXES
from gateway.core.pipeline import Pipeline, Unseen, all_seen
from gateway.evidence.boxes import Kept as KeptBox
from gateway.evidence.checks import IDS_KEPT_MS
from gateway.evidence.facts import Facts, kept, put_back
from gateway.evidence.opening import Kept
from gateway.live import Device, Live, Seen, Station
from gateway.live.box_lines import lines_kept
from gateway.live.places import NOWHERE
from gateway.model import AXES, Axes, Batch, Change, Millis, Rejected
from gateway.policy.override import Overrides
from gateway.runtime.starts import Starts
from gateway.store.base import Store, StoreError
from gateway.store.jobs import Keep
from gateway.store.neighbours import Neighbour

log = logging.getLogger(__name__)

DEVICES_A_PART = 256
NEVER = 2**62  # a batch that never comes: nothing of the device is replayed
GAP_MS = 300_000
"""So long a stop is no gap in what is known of promises to be open: a sign proves for much longer."""

Row = tuple[str, str, tuple[object, ...], bool | None, Millis | None, list[tuple[str, int, tuple[object, ...]]]]


class _Part(msgspec.Struct):
    """There is always a first one. `promises`: what proves that the stations of these devices are open, and when that
    was so; the first has those without any device, too, and what came of each box."""

    devices: list[Row]
    promises: list[tuple[str, Millis, Kept]] = []
    boxes: list[KeptBox] = []


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Row] | _Part).decode


def keep_soon(pipeline: Pipeline, store: Store, jobs: Sequence[Keep]) -> None:
    """At a start: now, or with the first commit where nothing may be written before the replica is heard of: what we
    wrote would take the place of a commit that it alone has.
    """
    try:
        store.ready()
    except StoreError:
        pipeline.outcome.kept.update((job.name, job.value) for job in jobs)
    else:
        if jobs:
            store.write(jobs)


class Memory:
    """Which device is in which part, and the writing and reading of parts."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self.taken_over = False  # at this start, from shards that are no more
        devices = list(live.devices.values())
        size = DEVICES_A_PART
        self.parts = [devices[start : start + size] for start in range(0, max(1, len(devices)), size)]
        spoken_for = {device.station for device in devices}
        self._others = [station for name, station in live.stations.items() if name not in spoken_for]
        for number, part in enumerate(self.parts):
            for device in part:
                device.part = number
        self.dirty = set(range(len(self.parts)))
        names = "\n".join(f"{device.station}/{device.id}" for device in devices)
        self.layout = blake2b(f"{size}\n{names}".encode(), digest_size=16).digest()  # which device is in which part

    def follow(self, came: Iterable[Device], went: Iterable[Device], unlike: Iterable[Device]) -> list[int]:
        """The configuration has other devices now, and others feed what they have not fed before.

        Nobody else moves. The parts that must be kept with the next commit: what the store has of them is another's.
        """
        parts, due = self.parts, {device.part for device in unlike}
        for device in went:
            parts[device.part].remove(device)
            self.dirty.add(device.part)
            device.part = NOWHERE
        room = [number for number, part in enumerate(parts) if len(part) < DEVICES_A_PART]
        for device in came:
            if not room:
                room.append(len(parts))
                parts.append([])
            device.part = room[-1]
            parts[device.part].append(device)
            due.add(device.part)
            if len(parts[device.part]) == DEVICES_A_PART:
                room.pop()
        return sorted(due)

    def dump(self, part: int, now: Millis) -> bytes:
        """The part as it is now; true after the last batch that was handed to the writer."""
        self.dirty.discard(part)
        devices = self.parts[part]
        stations = [self._live.stations[name] for name in dict.fromkeys(device.station for device in devices)]
        stations += self._others if part == 0 else []  # they live by people alone
        promises = [(station.id, now, station.promise.kept()) for station in stations]
        boxes = self._live.boxes.dump() if part == 0 else []
        return _encode(_Part([_row(device) for device in devices], promises, boxes))

    @staticmethod
    @building()
    def restore(
        pipeline: Pipeline,
        store: Store,
        now: Millis,
        *,
        careful: bool = False,
        starts: Starts | None = None,
        before: Sequence[Neighbour] = (),
    ) -> int:
        """Load every part, replay the journal behind it, and let the time that has passed take effect.

        Returns how many messages were replayed. What comes of the replay was stored before, so it is dropped. A fault
        of ours over one message is raised: then `pipeline` is half made, and a new one must be restored `careful`,
        where it costs that message, which goes to quarantine; it stays in the journal as well. `starts` say what is
        not even to be looked at. `before`: stores of another number of shards, whose devices may be ours now.
        """
        unseen: Unseen = starts.unseen if starts is not None and starts.watchful else all_seen
        live = pipeline.live
        Memory._restore_overrides(live, store, now)
        last = store.openings()
        live.openings.take_up(live.stations.values(), last)
        asked_since = Memory._restore_checks(pipeline, store, now)
        alive_at: dict[Station, Millis] = {}
        known: dict[Device, int] = {}
        memory, uptos = Memory(live), []
        for part, upto, blob in store.checkpoints():
            devices = _load(live, blob, alive_at, now, upto) if unseen(b"part/%d" % part, blob, 0) is None else None
            uptos.append(upto if devices is not None else 0)
            known.update(dict.fromkeys(devices or (), upto))
        if store.kept("layout") == memory.layout and len(uptos) < len(memory.parts):
            uptos.append(0)  # a part was lost with a damaged file: the whole journal tells what it held
        for station in live.stations.values():
            for facts in station.facts():
                if facts.fresh.heard and facts.fresh.valid_until is not None:
                    live.alarms.set(facts, facts.fresh.valid_until)
        replayed, heard_at, aside = 0, 0, list[Rejected]()
        for number, batch in store.batches(min(uptos, default=0)):
            count, failed = pipeline.replay(number, batch, known, careful=careful, unseen=unseen)
            replayed += count
            heard_at = max(heard_at, *batch.received)
            aside += failed
        _take_over(pipeline, before, alive_at, now, careful=careful)
        quarantine = list(store.rejected())
        for rejected in quarantine:
            pipeline.readmit(rejected)
        pipeline.take()
        keep_soon(pipeline, store, asked_since)
        _begin_history(live, store, before, now)
        pipeline.owe_reports()
        pipeline.owe(message for message in aside if message not in quarantine)  # the others were, by a start before
        for station, at in alive_at.items():  # the newest trace of us
            alive_at[station] = max(at, heard_at, last[station.id].at if station.id in last else 0)
        stopped = {station: at for station, at in alive_at.items() if now - at > GAP_MS}
        live.openings.resume(live.stations.values(), stopped, now)
        live.box_lines.take_up(lines_kept(store.kept(BOXES)), now)
        live.restored(now)
        for station in live.stations.values():
            for check in station.checks.values():
                with live.mishaps.contained(f"taking up check {check.id}", station.id):
                    live.rounds.take_up(station, check, now)
        if starts is not None:
            starts.clear()
        return replayed

    @staticmethod
    def _restore_checks(pipeline: Pipeline, store: Store, now: Millis) -> list[Keep]:
        """What people said last of each check, and since when each is asked for; this is to be kept."""
        checks = {(check.station, check.id): check for station in pipeline.live.stations.values()
                  for check in station.checks.values()}  # fmt: skip
        pipeline.know_reports(store.report_ids(now - IDS_KEPT_MS))
        for stored in store.reports(checks):
            checks[stored.station, stored.report.check].take(stored.report)
        kept = store.kept("checks_since")
        since: dict[str, Millis] = {}
        with suppress(msgspec.MsgspecError):  # then all are asked for anew
            since = msgspec.json.decode(kept, type=dict[str, Millis]) if kept else {}
        for (station, name), check in checks.items():
            check.begin(since.setdefault(f"{station}/{name}", now))
        if checks:
            names = {f"{station}/{name}" for station, name in checks}
            told = msgspec.json.encode({name: at for name, at in since.items() if name in names})
            if told != kept:
                return [Keep("checks_since", told)]
        return []

    @staticmethod
    def _restore_overrides(live: Live, store: Store, now: Millis) -> None:
        """What staff set by hand outlives us; what the configuration sets stands below it."""
        kept = store.kept("overrides")
        if kept is None:
            return
        try:
            live.overrides.update(Overrides.load(kept, now))
        except Exception as error:  # noqa: BLE001  told
            log.error("what was set by hand can't be read again (%s): sensors decide until it is set anew", error)


def stations_of_part(blob: bytes) -> set[str]:
    """The stations of which a kept part tells anything; none where it can't be read."""
    with suppress(msgspec.MsgspecError):
        part = _decode(blob)
        if isinstance(part, list):
            part = _Part(part)
        return {row[0] for row in part.devices} | {station for station, _, _ in part.promises}
    return set()


def _row(device: Device) -> Row:
    facts = [(fact.resource.id, fact.axes.code, kept(fact)) for fact in device.facts]
    return device.station, device.id, device.seen.dump(), device.online, device.seen_at, facts


def _read(row: Row) -> tuple[str, str, Seen, bool | None, Millis | None, list[tuple[str, Axes, tuple[object, ...]]]]:
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


def _take_over(
    pipeline: Pipeline, before: Sequence[Neighbour], alive_at: dict[Station, Millis], now: Millis, *, careful: bool
) -> None:
    """The devices that spoke there last: a watermark then covers only what has been stored, there or here."""
    for neighbour in before:
        known = dict.fromkeys(pipeline.live.devices.values(), NEVER)
        moved = _moved(pipeline.live, neighbour, alive_at, now)
        if moved:
            log.info("%d devices come from %s", len(moved), neighbour)
            for number, batch in neighbour.batches(min(moved.values())):
                pipeline.replay(number, batch, known | moved, careful=careful)


def _begin_history(live: Live, store: Store, before: Sequence[Neighbour], now: Millis) -> None:
    """What holds at the moment at which the stations changed hands, so that their past here tells nothing older."""
    at = max((neighbour.handed_over_at for neighbour in before if neighbour.handed_over_at is not None), default=None)
    if at is not None:
        facts = [fact for station in live.stations.values() for fact in station.facts()]
        store.commit(Batch(), [Change(fact.resource, at, fact.axes, fact.axes, "start") for fact in facts], [], now)


def _moved(live: Live, neighbour: Neighbour, alive_at: dict[Station, Millis], now: Millis) -> dict[Device, int]:
    """What is loaded, each as it was after which batch."""
    newer = neighbour.handed_over_at is None
    moved: dict[Device, int] = {}
    for _, upto, blob in neighbour.checkpoints():
        moved |= dict.fromkeys(_load(live, blob, alive_at, now, None, newer=newer) or (), upto)
    for facts in [facts for device in moved for facts in device.facts]:
        if facts.fresh.heard and facts.fresh.valid_until is not None:
            live.alarms.set(facts, facts.fresh.valid_until)
    return moved


def _load(
    live: Live, blob: bytes, alive_at: dict[Station, Millis], now: Millis, upto: int | None, *, newer: bool = False
) -> list[Device] | None:
    """Devices of one part that are still configured; None when it can't be read. `alive_at`: when the promise of each
    station was kept; of one in two parts the newer counts. `upto`: it was true after this batch; None
    for one of another journal. `newer`: only devices that spoke there after all we know.
    """
    try:
        part = _decode(blob)
        if isinstance(part, list):  # of an older version, which knew nothing of promises
            part = _Part(part)
        rows = [_read(row) for row in part.devices]
    except Exception as error:  # noqa: BLE001  told
        log.error("a kept part of the live state is damaged (%s): the journal is replayed instead", error)
        return None
    if part.boxes and not newer:
        live.boxes.load(part.boxes, upto or 0)
    for place, at, promise in () if newer else part.promises:
        if place in live.stations and at > alive_at.get(live.stations[place], -1):
            alive_at[live.stations[place]] = at
            live.openings.put_back(live.stations[place], promise, at, now)
    loaded = []
    for station, name, seen, online, seen_at, states in rows:
        device = live.devices.get((station, name))
        if device is None or (newer and (seen_at or 0) <= (device.seen_at or 0)):
            continue
        device.seen, device.online, device.seen_at = seen, online, seen_at
        by_id: dict[str, Facts] = {fact.resource.id: fact for fact in device.facts}
        for resource, axes, values in states:
            facts = by_id.get(resource)
            if facts is not None:
                put_back(facts, axes, values)
        loaded.append(device)
    return loaded
