"""The live state at a start: kept parts, the journal behind them, and what has passed since."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec

from config.building import building
from gateway.core.passed_on import BOXES
from gateway.core.pipeline import Pipeline, Unseen, all_seen
from gateway.evidence.checks import IDS_KEPT_MS
from gateway.evidence.facts import Facts, put_back
from gateway.live import Device, Live, Station
from gateway.live.box_lines import lines_kept
from gateway.model import Batch, Change, Millis, OpeningChange, Rejected
from gateway.policy.override import Overrides
from gateway.runtime.kept_part import decode_part, read_row
from gateway.runtime.memory import Memory
from gateway.runtime.starts import Starts
from gateway.store.base import Store, StoreError
from gateway.store.jobs import Keep
from gateway.store.neighbours import Neighbour

log = logging.getLogger(__name__)

NEVER = 2**62  # a batch that never comes: nothing of the device is replayed
GAP_MS = 300_000
"""So long a stop is no gap in what is known of promises to be open: a sign proves for much longer."""


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
    _take_up_overrides(live, store, now)
    last = store.openings()
    live.openings.take_up(live.stations.values(), last)
    asked_since = _take_up_checks(pipeline, store, now)
    alive_at: dict[Station, Millis] = {}
    known, first = _load_parts(live, store, alive_at, now, unseen)
    replayed, heard_at, aside = 0, 0, list[Rejected]()
    for number, batch in store.batches(first):
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
    _go_on_watching(live, alive_at, heard_at, last, now)
    live.box_lines.take_up(lines_kept(store.kept(BOXES)), now)
    live.restored(now)
    for station in live.stations.values():
        for check in station.checks.values():
            with live.mishaps.contained(f"taking up check {check.id}", station.id):
                live.rounds.take_up(station, check, now)
    if starts is not None:
        starts.clear()
    return replayed


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


def _load_parts(
    live: Live, store: Store, alive_at: dict[Station, Millis], now: Millis, unseen: Unseen
) -> tuple[dict[Device, int], int]:
    """After which batch each device was kept, and after which one the journal has to be replayed."""
    known: dict[Device, int] = {}
    memory, uptos = Memory(live), list[int]()
    for part, upto, blob in store.checkpoints():
        devices = _load(live, blob, alive_at, now, upto) if unseen(b"part/%d" % part, blob, 0) is None else None
        uptos.append(upto if devices is not None else 0)
        known.update(dict.fromkeys(devices or (), upto))
    if store.kept("layout") == memory.layout and len(uptos) < len(memory.parts):
        uptos.append(0)  # a part was lost with a damaged file: the whole journal tells what it held
    _set_alarms(live, [facts for station in live.stations.values() for facts in station.facts()])
    return known, min(uptos, default=0)


def _set_alarms(live: Live, loaded: Sequence[Facts]) -> None:
    for facts in loaded:
        if facts.fresh.heard and facts.fresh.valid_until is not None:
            live.alarms.set(facts, facts.fresh.valid_until)


def _go_on_watching(
    live: Live, alive_at: dict[Station, Millis], heard_at: Millis, last: Mapping[str, OpeningChange], now: Millis
) -> None:
    """Promises to be open go on, where the newest trace of us is not long ago."""
    for station, at in alive_at.items():
        alive_at[station] = max(at, heard_at, last[station.id].at if station.id in last else 0)
    stopped = {station: at for station, at in alive_at.items() if now - at > GAP_MS}
    live.openings.resume(live.stations.values(), stopped, now)


def _take_up_checks(pipeline: Pipeline, store: Store, now: Millis) -> list[Keep]:
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


def _take_up_overrides(live: Live, store: Store, now: Millis) -> None:
    """What staff set by hand outlives us; what the configuration sets stands below it."""
    kept = store.kept("overrides")
    if kept is None:
        return
    try:
        live.overrides.update(Overrides.load(kept, now))
    except Exception as error:  # noqa: BLE001  told
        log.error("what was set by hand can't be read again (%s): sensors decide until it is set anew", error)


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
    _set_alarms(live, [facts for device in moved for facts in device.facts])
    return moved


def _load(
    live: Live, blob: bytes, alive_at: dict[Station, Millis], now: Millis, upto: int | None, *, newer: bool = False
) -> list[Device] | None:
    """Devices of one part that are still configured; None when it can't be read. `alive_at`: when the promise of each
    station was kept; of one in two parts the newer counts. `upto`: it was true after this batch; None
    for one of another journal. `newer`: only devices that spoke there after all we know.
    """
    try:
        part = decode_part(blob)
        rows = [read_row(row) for row in part.devices]
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
