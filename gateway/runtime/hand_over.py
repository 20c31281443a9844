"""Another number of shards: what the old ones had becomes the new ones', before the first of those begins.

The old shards come up once more, all in this process, and take what waits in their sessions, with alerts, watermarks
and all; meanwhile the broker is told to hold for each new shard what comes. Of what both hear a `Parting` tells whose
it is. Then the rows of each station go to its new folder, and the old sessions end. Whoever is killed meanwhile, the
next start goes on: until all is parted it is begun anew, and what follows can be done twice.
"""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec

from config.edit import whole
from config.files import read_bytes
from config.schema import Settings
from gateway.alerts.payload import OWN
from gateway.base.clock import monotonic_s, now_ms
from gateway.base.folder_lock import alone_in
from gateway.base.sharing import shard_of
from gateway.core.plan import build, foreign
from gateway.model import Millis
from gateway.mqtt.configured import broker_of
from gateway.mqtt.handed_over import BeginningSession, ClearingSession, EndingSession, end_session
from gateway.mqtt.parting import Parting
from gateway.policy.hours import Openings
from gateway.runtime.gateway import Gateway
from gateway.runtime.hand_over_replica import bring_to_replicas
from gateway.runtime.kept_part import stations_of_part
from gateway.runtime.parts import Share, filters_for, folder_of, mine, place_of, session_terms, store_of, suffix
from gateway.store.base import StoreError
from gateway.store.files import flush
from gateway.store.jobs import Keep
from gateway.store.moving import close_own_alerts, compared_days, move_stations, stations_in
from gateway.store.moving_counts import finish_counts, move_counts
from gateway.store.neighbours import Neighbour
from gateway.store.shard_folders import ShardFolders
from gateway.store.sqlite import SqliteStore
from gateway.store.tenure import TakeOver, begun, ended, is_over, keep_take_over, periods_in, read_periods

log = logging.getLogger(__name__)

FOLDER, PROGRESS = "hand-over", "progress.json"
STEP_S = 0.02
BRISK_STEP_S = 0.002  # while messages are parted: new sessions take few at a time
TELL_S = 10.0
QUIET_S = 5.0
AGAIN_S = 32.0
"""NATS brings what the shards of before had not acknowledged again when 30 s have passed, and no sooner; by MQTT 5 it
comes at once."""
COPY_S = 30.0  # how long the old shards' copy may take to catch up


class HandOverStoppedError(Exception):
    """Told to stop meanwhile: the next start goes on."""


class _Progress(msgspec.Struct):
    """What can no longer be begun anew: the new sessions hold what is theirs."""

    before: int
    shards: int
    at: Millis
    parted: bool = False  # all else is stored (not so where an older version began)
    drained: bool = False  # the old sessions have ended


def hand_over(settings: Settings, shards: int, stopped: Callable[[], bool], *, missing_too: bool = False) -> bool:
    """Bring all to `shards` shards (0: to one gateway without). True when there was anything to do.

    One process does it, the others that come wait. `missing_too`: go on without the folders of shards that are lost.
    StoreError while old shards run, or where a folder of theirs is missing; HandOverStoppedError.
    """
    root = settings.store.path
    folders = ShardFolders(root, settings.gateway.id)
    if not (root / FOLDER / PROGRESS).exists() and folders.before(shards) is None:
        return False
    (root / FOLDER).mkdir(0o700, exist_ok=True)
    with alone_in(root / FOLDER):
        return _HandOver(settings, stopped, missing_too=missing_too).bring_to(shards)


class OldShard:
    """A shard that is to be no more, running for the last time."""

    def __init__(self, settings: Settings, share: Share | None, parting: Parting, stack: ExitStack) -> None:
        self.gateway = Gateway(settings, share=share, ending=parting)
        assert isinstance(self.gateway.session, EndingSession)
        self.stations = mine(settings.stations, share)
        self.session = self.gateway.session
        self._stopped = False
        stack.callback(self.stop)
        self.gateway.start()

    @property
    def died(self) -> str | None:
        return None if self._stopped else self.gateway.dead

    def stop(self) -> bool:
        """False when not all could be stored."""
        if self._stopped:
            return True
        self._stopped = True
        return self.gateway.stop()


class _HandOver:
    def __init__(self, settings: Settings, stopped: Callable[[], bool], *, missing_too: bool) -> None:
        self._settings, self._stopped, self._missing_too = settings, stopped, missing_too
        self._root = settings.store.path
        self._file = self._root / FOLDER / PROGRESS
        self._broker = broker_of(settings)
        self._by_broker = not settings.mqtt.endpoint.embedded  # that one keeps no session
        self._told_at = monotonic_s()

    def bring_to(self, shards: int) -> bool:
        done = False
        while True:
            progress = self._progress()
            if progress is None:
                before = self._folders().before(shards)
                if before is None:
                    return done
                progress = self._parted(before, shards)
            else:
                log.info("going on with the change from %s to %s", _named(progress.before), _named(progress.shards))
                self._drain(progress)
            self._move(progress)
            self._file.unlink()
            flush(self._file.parent)
            done = True
            log.info("%s have become %s", _named(progress.before), _named(progress.shards))

    def _folders(self) -> ShardFolders:
        return ShardFolders(self._root, self._settings.gateway.id)

    # ---- before all is parted ----

    def _parted(self, before: int, shards: int) -> _Progress:
        self._folders().check_ended(before)
        missing = self._folders().missing(before)
        if missing and not self._missing_too:
            raise StoreError(
                f"of {_named(before)} {', '.join(missing)} can't be found in {self._root}: bring the folders of all "
                f"shards there, or, where they are lost, run `yizhan shards {shards} --without-missing` once"
            )
        log.info("from %s to %s: the old ones take what waits for them", _named(before), _named(shards))
        progress = _Progress(before, shards, 0)
        self._drain(progress)
        return progress

    def _keep(self, progress: _Progress) -> None:
        whole.replace(self._file, msgspec.json.encode(progress))

    def _progress(self) -> _Progress | None:
        if not self._file.exists():
            return None
        return msgspec.json.decode(read_bytes(self._file, "store.path"), type=_Progress)

    # ---- what waits at the broker ----

    def _drain(self, progress: _Progress) -> None:
        """The old shards take all that is theirs, and their sessions end."""
        if not self._by_broker:
            self._stamp(progress)
        if not self._by_broker or progress.drained:
            return
        parting = Parting(self._known(progress))
        begun_before = bool(progress.at)
        if progress.parted:
            parting.cut()  # they have all, and only tell it to the copy and the centre
        with ExitStack() as stack:
            old = [OldShard(self._settings, share, parting, stack) for share in self._left(progress)]
            if not begun_before:
                self._part(progress, parting, old)
            elif not progress.parted:
                self._until(lambda: all(_quiet(shard) for shard in old), old)
            self._until(lambda: all(shard.session.owed <= 0 for shard in old), old)
            progress.parted = True
            self._stamp(progress)
            for shard in old:
                self._settle(shard)
        for share in _shares(progress.before):
            end_session(self._broker, self._settings.client_id + suffix(share), self._until)
        progress.drained = True
        self._keep(progress)

    def _stamp(self, progress: _Progress) -> None:
        """Once: whoever goes on does it as of the same moment."""
        progress.at = progress.at or now_ms()
        self._keep(progress)

    def _left(self, progress: _Progress) -> list[Share | None]:
        group = self._folders().groups.get(progress.before, {})
        return [share for share in _shares(progress.before) if not _over(group.get(share[0] if share else 0))]

    def _part(self, progress: _Progress, parting: Parting, old: list["OldShard"]) -> None:
        """From then on each message is either an old shard's, or waits for a new one."""
        for share in _shares(progress.shards):
            end_session(self._broker, self._settings.client_id + suffix(share), self._until)
        with ExitStack() as stack:
            self._until(lambda: all(shard.session.was_there is not None for shard in old), old)
            absent = [shard for shard in old if not shard.session.was_there]
            parting.leave_alone({station.id for shard in absent for station in shard.stations})
            beginning = self._beginning(progress, parting)
            for session in beginning:
                stack.callback(session.leave)

            def step() -> None:
                time.sleep(BRISK_STEP_S)
                for session in beginning:
                    session.poll()

            def until(condition: Callable[[], bool]) -> None:
                self._until(condition, old, step)

            until(lambda: all(session.ready for session in beginning))
            older = any(shard.session.protocol == "3.1.1" for shard in old)
            parting.begin(AGAIN_S if older else 0.0)
            until(parting.caught_up)
            parting.cut()
            until(lambda: parting.parted)
        if parting.lost:
            log.warning(
                "the broker brought %d messages to the new sessions only: devices that number them say them again",
                parting.lost,
            )

    def _beginning(self, progress: _Progress, parting: Parting) -> list[BeginningSession]:
        """One for each new shard, with the stations that the old ones know: of others it hears by itself what is
        retained."""
        known, terms = self._known(progress), {**session_terms(self._settings)}
        del terms["receive_maximum"], terms["fast"]
        return [
            BeginningSession(
                self._broker, self._settings.client_id + suffix(share), parting, self._filters(share, known),
                **terms,
            )
            for share in _shares(progress.shards)
        ]  # fmt: skip

    def _filters(self, share: Share | None, known: set[str] | None) -> list[str]:
        settings = self._settings
        stations = mine(settings.stations, share)
        more = foreign(settings, build(settings, stations, Openings(settings), now_ms())).filters
        names = [station.id for station in stations if known is None or station.id in known]
        return filters_for(settings, names, share, more)

    def _known(self, progress: _Progress) -> set[str] | None:
        """The stations of which the former shards keep anything; None where it may be any."""
        known = set[str]()
        for folder in self._folders().groups.get(progress.before, {}).values():
            parts = Neighbour(folder).checkpoints()
            if not parts:
                return None
            known |= {station for _, _, blob in parts for station in stations_of_part(blob)}
        return known

    def _settle(self, old: "OldShard") -> None:
        """All that it has stored is copied and told to the centre, as far as those go."""
        ship = old.gateway.ship
        end = monotonic_s() + COPY_S
        if ship is not None:
            self._until(lambda: ship.metrics().backlog == 0 or bool(ship.trouble) or monotonic_s() > end, [old])
        self._tell_centre(old, end)
        if not old.stop():
            raise StoreError(f"{old.gateway.store.folder} could not be written to its end: start again")

    def _tell_centre(self, old: "OldShard", end: float) -> None:
        """The centre gets the rest of its journal; what it has not got by `end` nobody tells it any more."""
        line, last_id = old.gateway.centre.line, old.gateway.store.last_id
        if line is None:
            return
        self._until(lambda: line.has_told(last_id) or monotonic_s() > end, [old])
        line.over = line.has_told(last_id)
        if not line.over:
            log.error(
                "%s: the centre has not confirmed %d messages of %s, which stay in its folder: they are missing at the "
                "centre until that number of shards runs again", line.trouble or "the centre is slow",
                line.outbound.backlog, old.gateway.store.folder.name,
            )  # fmt: skip

    def _until(
        self,
        condition: Callable[[], bool | None],
        old: Sequence["OldShard"] = (),
        step: Callable[[], None] = lambda: time.sleep(STEP_S),
    ) -> None:
        """Wait for it. StoreError when one of the old shards ends by itself."""
        while not condition():
            step()
            if self._stopped():
                raise HandOverStoppedError
            for shard in old:
                if shard.died is not None:
                    raise StoreError(f"{shard.gateway.store.folder}: {shard.died} ended: start again")
            if monotonic_s() - self._told_at >= TELL_S:
                self._told_at = monotonic_s()
                stored = sum(shard.gateway.intake.stored for shard in old)
                log.info("changing the number of shards: %d messages that waited are stored so far", stored)

    # ---- what follows a station ----

    def _move(self, progress: _Progress) -> None:
        with ExitStack() as stack:
            new = {share[0] if share else 0: self._store(share, stack) for share in _shares(progress.shards)}
            old = [self._store(share, stack) for share in _shares(progress.before)]
            names = [store.folder.name if store.folder != self._root else "" for store in old]
            for store in new.values():
                periods = read_periods(store.kept)
                over = TakeOver(progress.at, names)
                days = [Keep(name, day) for name, day in compared_days(old).items()]
                store.write([begun(periods, progress.at), keep_take_over(over), *days])
            for store in old:
                if not is_over(read_periods(store.kept)):
                    self._move_from(store, new, progress)
                    store.write([ended(read_periods(store.kept), progress.at), keep_take_over(None)])
        bring_to_replicas(self._settings, [*_shares(progress.shards), *_shares(progress.before)], self._pause)
        self._clear([f"yz-sys/{self._settings.gateway.id}{suffix(share)}" for share in _shares(progress.before)])

    def _pause(self) -> None:
        time.sleep(STEP_S)
        if self._stopped():
            raise HandOverStoppedError

    def _move_from(self, old: SqliteStore, new: dict[int, SqliteStore], progress: _Progress) -> None:
        configured = {station.id for station in self._settings.stations}
        kept = {station for _, _, blob in old.checkpoints() for station in stations_of_part(blob)}
        there = stations_in(old) | (kept & configured)
        finish_counts(
            old.folder, [place_of(self._settings, station) for station in self._settings.stations], progress.at
        )
        for shard, store in new.items():
            theirs = {station for station in there if shard_of(station, progress.shards) == shard}
            move_counts(old.folder, store.folder, theirs)
            move_stations(old, store, theirs, progress.at)
        self._clear([f"yz-alert/{OWN}/{name}" for name in close_own_alerts(old, progress.at)])

    def _store(self, share: Share | None, stack: ExitStack) -> SqliteStore:
        store = store_of(self._settings, folder_of(self._settings, share), now_ms())
        stack.callback(store.close)
        return store

    def _clear(self, topics: list[str]) -> None:
        if not (self._by_broker and topics):
            return
        clearing = ClearingSession(self._broker, f"{self._settings.client_id}-hand-over")
        try:
            self._until(lambda: clearing.session.connected, (), clearing.poll)
            for topic in topics:
                clearing.clear(topic)
        finally:
            clearing.session.close()


def _shares(shards: int) -> list[Share | None]:
    """All of that many; one without a share where there are none."""
    return [(shard, shards) for shard in range(1, shards + 1)] or [None]


def _named(shards: int) -> str:
    return f"{shards} shards" if shards else "one gateway without shards"


def _over(folder: Path | None) -> bool:
    return folder is not None and is_over(periods_in(folder))


def _quiet(old: OldShard) -> bool:
    """Nothing comes, though what a broker has for a session comes at once."""
    return old.session.was_there is False or old.session.quiet_for(QUIET_S)
