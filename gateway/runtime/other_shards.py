"""A shard hears of the others: one that is gone for a minute is told of by the lowest that is there.

On a line of its own: nothing of it waits behind messages, and the session that keeps messages hears nothing more.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from gateway.alerting.ourselves import ShardVerdict
from gateway.base.clock import monotonic_s
from gateway.base.mishaps import Mishaps
from gateway.base.sharing import shard_of, shard_suffix
from gateway.mqtt import Broker, Session
from gateway.mqtt.configured import broker_of
from gateway.mqtt.reader import Frame

if TYPE_CHECKING:
    from gateway.runtime.gateway import Gateway

PATIENCE_S = 60.0
"""So long a shard may be away for a restart or an upgrade."""
POLL_S = 0.5
NAMED_MOST = 5
SYS = "yz-sys/"


class _Report(msgspec.Struct):
    state: str = ""


class OtherShards(threading.Thread):
    """`start()`, `end()`. Any thread may ask for `verdicts`."""

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        gateway: str,
        share: tuple[int, int],
        stations: Callable[[], Iterable[str]],
        mishaps: Mishaps,
    ) -> None:
        """`client_id`: of our own session; `stations`: all, of every shard."""
        super().__init__(name="other-shards", daemon=True)
        self._own, self._shards = share
        self._names = {shard: gateway + shard_suffix(shard, self._shards) for shard in range(1, self._shards + 1)}
        others = [SYS + name for shard, name in self._names.items() if shard != self._own]
        self._session = Session(broker, f"{client_id}-others", filters=others, keep=False)
        self._stations, self._mishaps = stations, mishaps
        self._absence = Absence(self._own, self._shards)
        self._ending = threading.Event()
        self._looked: tuple[dict[int, bool | None], list[str]] = {}, []
        self.verdicts: Sequence[ShardVerdict] = ()

    def end(self, timeout_s: float) -> None:
        self._ending.set()
        self._session.wake()
        if self.ident is not None:
            self.join(timeout_s)

    def run(self) -> None:
        while not self._ending.is_set():
            heard = False
            with self._mishaps.contained("what other shards say of themselves"):
                arrivals = self._session.poll(POLL_S)
                if arrivals is not None:
                    self._hear(arrivals.frames)
                    self._session.ack(arrivals.epoch, arrivals.mids)
                self._look()
                heard = True
            if not heard:
                self._ending.wait(POLL_S)
        self._session.close()

    def _hear(self, frames: list[Frame]) -> None:
        """What can't be read says nothing."""
        shards = {f"{SYS}{name}".encode(): shard for shard, name in self._names.items()}
        for topic, payload, _ in frames:
            shard = shards.get(bytes(topic))
            if shard is not None:
                try:
                    state = msgspec.json.decode(payload, type=_Report).state if payload else ""
                except (msgspec.DecodeError, RecursionError):
                    continue
                self._absence.hear(shard, there=state == "online")

    def _look(self) -> None:
        told = self._absence.look(monotonic_s(), subscribed=self._session.connected and self._session.subscribed)
        stations = list(self._stations())
        if (told, stations) == self._looked:  # to find whose a station is costs too much for each look
            return
        self._looked = told, stations
        self.verdicts = tuple(
            (self._names[shard], holds, self._of(shard, stations) if holds else "") for shard, holds in told.items()
        )

    def _of(self, shard: int, stations: Iterable[str]) -> str:
        """Its stations, a few by name."""
        theirs = sorted(name for name in stations if shard_of(name, self._shards) == shard)
        more = len(theirs) - NAMED_MOST
        return ", ".join(theirs[:NAMED_MOST]) + (f" and {more} more" if more > 0 else "")


def other_shards_of(gateway: "Gateway", share: tuple[int, int]) -> OtherShards:
    """Those of a gateway that is one of several."""
    settings = gateway.settings
    return OtherShards(
        broker_of(settings), gateway.session.client_id, settings.gateway.id, share,
        lambda: [station.id for station in gateway.settings.stations], gateway.mishaps,
    )  # fmt: skip


class Absence:
    """How long each of the others has been away. Pure; times are those of a clock that never jumps."""

    def __init__(self, own: int, shards: int) -> None:
        self._own = own
        self._there = {shard: False for shard in range(1, shards + 1) if shard != own}
        self._since_s: dict[int, float] = {}

    def hear(self, shard: int, *, there: bool) -> None:
        if shard in self._there:
            self._there[shard] = there

    def look(self, now_s: float, *, subscribed: bool) -> dict[int, bool | None]:
        """Whether each is gone and ours to tell; None: not known yet. While we hear nothing, no time counts."""
        if not subscribed:
            self._since_s.clear()
            return dict.fromkeys(self._there)
        for shard, there in self._there.items():
            if there:
                self._since_s.pop(shard, None)
            else:
                self._since_s.setdefault(shard, now_s)
        gone = {shard for shard, since_s in self._since_s.items() if now_s - since_s >= PATIENCE_S}
        waiting = self._since_s.keys() - gone
        lower = {shard for shard in self._there if shard < self._own}
        ours = lower <= gone
        return {
            shard: None
            if shard in waiting or (shard in gone and not ours and bool(lower & waiting))
            else shard in gone and ours
            for shard in self._there
        }
