"""The parts of a gateway, each made from the configuration."""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from config.schema import Settings, StationSettings
from gateway.alerts.payload import OWN
from gateway.base.clock import monotonic_s, now_ms
from gateway.base.mishaps import Mishaps
from gateway.base.sharing import shard_of, shard_suffix, share_of
from gateway.commands.key import made_key, read_key
from gateway.core.pipeline import Pipeline
from gateway.core.plan import build, foreign, resource_of
from gateway.live import Live
from gateway.model import Millis
from gateway.mqtt import Session, Will
from gateway.mqtt.configured import broker_of
from gateway.mqtt.handed_over import EndingSession
from gateway.mqtt.parting import Parting
from gateway.policy.hours import Openings
from gateway.runtime.limits import IntakeLimits
from gateway.runtime.memory import Memory
from gateway.runtime.restoring import keep_soon, restore
from gateway.runtime.starts import Starts
from gateway.store.base import Reader, Store, StoreError
from gateway.store.day import DAY_MS, HOUR_MS
from gateway.store.days import day_files, number_of
from gateway.store.jobs import Keep
from gateway.store.neighbours import before_of
from gateway.store.place import Place
from gateway.store.replica.configured import connection_of
from gateway.store.replica.filing import ReplicaFiling, files_beside
from gateway.store.replica.halves import refuse_half
from gateway.store.replica.lease import LeaseKeeper, holder_of
from gateway.store.replica.mirrors import MirrorKeeper
from gateway.store.replica.sender import ReplicaSender
from gateway.store.replica.waiting import WaitingGateway
from gateway.store.rollups import Rollups
from gateway.store.sqlite import SYNCHRONOUS, SqliteStore
from gateway.store.step_words import Later
from gateway.store.tenure import TAKE_OVER, begun, keep_take_over, read_periods, take_over_of

log = logging.getLogger(__name__)

Share = tuple[int, int]
OF_BRIDGES: Final = ["yz-pile/+/+", "yz-reply/+/+"]
OF_BOXES: Final = ["yz-box/+", "yz-site/+", "yz-deed/+/+", "yz-reply/+/+"]


def mine(stations: Iterable[StationSettings], share: Share | None) -> list[StationSettings]:
    """The stations of shard i of n (1 ≤ i ≤ n) by rendezvous hashing: a changed n moves as few as possible."""
    if share is None:
        return list(stations)
    index, shards = share
    return [station for station in stations if shard_of(station.id, shards) == index]


def suffix(share: Share | None) -> str:
    """What tells a shard's names from those of the others."""
    return shard_suffix(*share) if share else ""


def folder_of(settings: Settings, share: Share | None) -> Path:
    """Where the store is of the gateway, or of one shard of it."""
    root = settings.store.path
    return root / f"{settings.gateway.id}{suffix(share)}" if share else root


def store_of(settings: Settings, folder: Path, now: Millis, replica: ReplicaSender | None = None) -> SqliteStore:
    """StoreError when the folder can't be written, is another gateway's, or can't be brought together with the replica.

    What the replica alone has is in the store then. Where one is configured and none is given, it gets its steps from
    the journal at the next start.
    """
    refuse_half(folder, settings.store.path)
    store = SqliteStore(
        folder,
        now,
        profile=settings.store.profile,
        keep_days=settings.store.retention.raw_days,
        ballast_mib=settings.store.ballast_mib,
        quarantine_rows=settings.gateway.quarantine_max_messages,
        quarantine_mib=settings.gateway.quarantine_max_mib,
        quarantine_days=settings.store.retention.quarantine_days,
        replica=replica or (Later() if settings.store.replica is not None else None),
    )
    if replica is not None:
        try:
            replica.begin(store)
        except BaseException:
            store.close()  # else its folder would stay ours
            raise
    return store


def replica_of(settings: Settings, folder: Path, gateway: str) -> ReplicaSender | None:
    """The thread that keeps a second copy, where there is one; `gateway` is our name there.

    StoreError when its address can't be read, or the extra is not installed.
    """
    replica = settings.store.replica
    if replica is None:
        return None
    holder = replace(holder_of(folder), required=replica.required)
    return ReplicaSender(connection_of(replica, gateway), required=replica.required, holder=holder)


def companions_of(
    settings: Settings, replica: ReplicaSender, folder: Path, gateway: str, mishaps: Mishaps
) -> tuple[LeaseKeeper, ReplicaFiling]:
    """The threads that keep the lease, and bring whole files, also those that others write beside the store."""
    assert settings.store.replica is not None
    connect = connection_of(settings.store.replica, gateway)
    share = share_of(gateway) if folder != settings.store.path else None
    # The first shard brings what other processes write beside all of them.
    brings = share is None or share[0] == 1
    beside = partial(files_beside, settings.store.path, settings.keys_file) if brings else list
    return LeaseKeeper(replica, connect), ReplicaFiling(replica, connect, folder, beside, mishaps)


def waiting_of(settings: Settings, share: Share | None) -> WaitingGateway:
    """A gateway that waits beside one like it."""
    assert settings.store.replica is not None
    gateway = settings.gateway.id + suffix(share)
    folder = folder_of(settings, share)
    return WaitingGateway(
        connection_of(settings.store.replica, gateway), folder, settings.keys_file, holder_of(folder),
        settings.store.retention.raw_days, settings.store.path,
    )  # fmt: skip


def mirrors_of(running: Callable[[], Settings], mishaps: Mishaps) -> MirrorKeeper | None:
    """What keeps mirrors of our gateway's stores for an API without a gateway beside it; None without a replica.

    StoreError without the extra. `running`: the configuration as it is now.
    """
    settings = running()
    if settings.store.replica is None:
        return None

    def rollups(name: str, folder: Path, reader: Reader) -> Rollups:
        settings = running()
        places = [place_of(settings, station) for station in mine(settings.stations, share_of(name))]
        return rollups_in(settings, places, folder, reader, now_ms())

    return MirrorKeeper(
        connection_of(settings.store.replica, settings.gateway.id), settings.gateway.id, settings.store.path, rollups,
        mishaps, required=settings.store.replica.required,
    )  # fmt: skip


def restored(
    settings: Settings,
    stations: Sequence[StationSettings],
    store: Store,
    now: Millis,
    starts: Starts | None = None,
) -> tuple[Pipeline, Memory]:
    """The core as it was when the store was last written, and the memory that keeps it from now on.

    What a store beside it knew last, of another number of shards, goes on here: once where that one was handed over,
    else wherever it knows something newer. StoreError while such a one runs.
    """
    begin = monotonic_s()
    fresh = store.folder != settings.store.path and read_periods(store.kept) is None
    pipeline, replayed = _taken_up(settings, stations, store, now, starts)
    live = pipeline.live
    log.info(
        "%d stations, %d devices; %d messages replayed in %.2f s",
        len(live.stations), len(live.devices), replayed, monotonic_s() - begin,
    )  # fmt: skip
    memory = Memory(live)
    memory.taken_over = taken_over = bool(store.kept(TAKE_OVER))
    if store.kept("layout") != memory.layout or taken_over:
        # Devices moved between parts: keep all at once, or a crash could find one in neither.
        parts = range(len(memory.parts))
        store.checkpoint_all([(part, memory.dump(part, now)) for part in parts], store.last_id)
        store.drop_parts(len(parts))
        keep_soon(pipeline, store, [Keep("layout", memory.layout), *([keep_take_over(None)] if taken_over else [])])
    keep_soon(pipeline, store, [begun(None, 0)] if fresh else [])
    return pipeline, memory


def _taken_up(
    settings: Settings, stations: Sequence[StationSettings], store: Store, now: Millis, starts: Starts | None
) -> tuple[Pipeline, int]:
    """The core and how many messages were replayed; after a fault of ours over one of them, which it then costs, made
    a second time.
    """

    before = before_of(settings.store.path, store.folder, take_over_of(store.kept(TAKE_OVER)))

    def take_up(*, careful: bool) -> tuple[Pipeline, int]:
        live = build(settings, stations, Openings(settings), now)
        pipeline = Pipeline(live, foreign(settings, live))
        return pipeline, restore(pipeline, store, now_ms(), careful=careful, starts=starts, before=before)

    try:
        return take_up(careful=False)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001  the second time it is noted with its message
        log.warning("%r while the journal was taken up: once more, each message so that it can be undone", error)
    return take_up(careful=True)


def session_of(
    settings: Settings,
    stations: Sequence[StationSettings],
    share: Share | None,
    more: Collection[str],
    will: Will | None,
    ending: Parting | None = None,
    memory: Memory | None = None,
) -> Session:
    """One session for all stations, or for those of a shard; `more` are the topics of foreign devices.

    `ending`: of a shard that is to be no more: it takes what is its own by this, and asks for nothing new.
    """
    terms = session_terms(settings)
    name = settings.client_id + suffix(share)
    if ending is not None:
        return EndingSession(broker_of(settings), name, ending, will=will, **terms)
    filters = filters_for(settings, [station.id for station in stations], share, more)
    session = Session(broker_of(settings), name, filters=filters, will=will, **terms)
    if memory is not None and memory.taken_over:  # what is retained of no station went to those of before
        session.subscriptions.anew = frozenset([*of_boxes(settings), *more])
    return session


def filters_for(settings: Settings, stations: Iterable[str], share: Share | None, more: Iterable[str]) -> list[str]:
    """What a gateway listens to."""
    filters = ["yz/#", "yz-cmd/#"]
    if share is not None:
        filters = filters_of(stations)
        filters.append(f"yz-cmd/{OWN}/#")  # what staff do about a trouble of a shard itself: whose it is knows
    return [*filters, *of_boxes(settings), *sorted(more)]


def session_terms(settings: Settings) -> dict[str, Any]:
    """What a gateway's session asks for, as a Session takes it."""
    mqtt = settings.mqtt
    return {
        "expiry_s": mqtt.session_expiry_s,
        "keepalive_s": mqtt.keepalive_s,
        "receive_maximum": mqtt.receive_maximum,
        "reconnect_max_s": mqtt.reconnect_max_s,
        "fast": mqtt.fast == "auto",
    }


def of_boxes(settings: Settings) -> list[str]:
    """What a centre listens to beside messages: what boxes say of themselves and of their stations, and answer.
    And a box that obeys a centre, to what its bridges say of piles, and answer.
    """
    obeys = settings.uplink is not None and settings.uplink.command_key_file is not None
    return sorted({*(OF_BOXES if settings.uplinks.accept else ()), *(OF_BRIDGES if obeys else ())})


def filters_of(stations: Iterable[str]) -> list[str]:
    """What a shard listens to for these stations."""
    return [f"{root}/{station}/#" for station in stations for root in ("yz", "yz-cmd")]


def command_key_of(settings: Settings) -> bytes:
    """The key that commands are signed with; made at the first start, unless the configuration names a file of its own.

    ValueError when the file holds no key.
    """
    if settings.mqtt.command_key_file is None:
        return made_key(settings.command_key)
    key = read_key(settings.command_key)
    if key is None:
        raise ValueError(f"mqtt.command_key_file: there is no file {settings.command_key}; create it")
    return key


def place_of(settings: Settings, station: StationSettings) -> Place:
    """A station as the roll-ups see it."""
    resources = [
        resource_of(settings, station, area, resource) for area in station.areas for resource in area.resources
    ]
    return Place(station.id, settings.zone_of(station), resources)


def rollups_of(
    settings: Settings, stations: Sequence[StationSettings], live: Live, folder: Path, reader: Reader, now: Millis
) -> Rollups:
    """The resources are those of `live`, there anyway."""
    places = [
        Place(station.id, settings.zone_of(station), [facts.resource for facts in live.stations[station.id].facts()])
        for station in stations
    ]
    return rollups_in(settings, places, folder, reader, now)


def rollups_in(settings: Settings, places: Sequence[Place], folder: Path, reader: Reader, now: Millis) -> Rollups:
    """They begin with the first day of the journal, or now."""
    days = day_files(folder)
    return Rollups(
        folder,
        places,
        reader,
        number_of(days[0]) * DAY_MS if days else now // HOUR_MS * HOUR_MS,
        synchronous=SYNCHRONOUS[settings.store.profile],
        keep_days=settings.store.retention.rollups_days,
    )


def limits_of(settings: Settings) -> IntakeLimits:
    gateway = settings.gateway
    return IntakeLimits(
        inbox_messages=gateway.inbox_max_messages,
        inbox_bytes=gateway.inbox_max_mib << 20,
        document_interval_ms=gateway.document_interval_ms,
        ack_interval_s=gateway.ack_interval_s,
        snapshot_interval_s=gateway.snapshot_interval_s,
        restart_grace_ms=round(gateway.restart_grace_s * 1000),
    )
