"""The whole bridge: one thread for each bus, one for the broker. A thread that dies ends the process."""

import contextlib
import logging
import resource
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from config.schema.bridge import Bridge
from firmware_bridge.bus import STORE_AGAIN_S
from firmware_bridge.buses import Buses, rules_of
from firmware_bridge.calls import CallDesk
from firmware_bridge.cards import Cards, read_key
from firmware_bridge.devices.base import DeviceOrder, DeviceReading, Heard
from firmware_bridge.door import Doors
from firmware_bridge.presence import Presence, steady_ms
from firmware_bridge.publisher import Publisher, will
from firmware_bridge.spool import Spool
from firmware_bridge.spool_file import SpoolError
from gateway.base.clock import now_ms
from gateway.base.heart import Heart
from gateway.base.mishaps import Mishaps
from gateway.commands import CommandKey, Gate
from gateway.model import Millis
from gateway.mqtt import Broker, Session, Will

log = logging.getLogger(__name__)

STEP_S = 0.5
MIB = 1 << 20


@dataclass(slots=True)
class _Sink:
    spool: Spool
    presence: Presence
    publisher: Publisher
    doors: Doors
    unlock: Callable[[str], bool]
    mishaps: Mishaps
    owed: tuple[DeviceReading, ...] = ()  # of doors, not yet stored

    def watch(self, heard: Sequence[Heard], now: Millis) -> Sequence[Heard]:
        return [self.doors.watch(frame, now) for frame in heard]

    def store(self, heard: Sequence[Heard], now: Millis) -> None:
        news = self.spool.put(heard, now)
        with self.mishaps.contained("telling the publisher of news"):  # it is stored, whatever becomes of this
            if news:
                self.publisher.notify(news)

    def order(self, order: DeviceOrder) -> None:
        self.unlock(order.device)

    def tell(self, reading: DeviceReading) -> None:
        """Store what a command led to; a spool that takes nothing is logged."""
        try:
            self.store((Heard((reading,)),), now_ms())
        except SpoolError as error:
            log.error("%s; not kept: what a command led to at %s", error, reading.device)

    def tick(self, now: Millis) -> None:
        self.owed += self.doors.tick(now)
        if self.owed:
            self.store((Heard(self.owed),), now)
            self.owed = ()

    def present(self, devices: Iterable[str], silent_ms: Millis) -> None:
        if self.presence.heard(devices, steady_ms(), silent_ms):
            self.publisher.notify(())

    def lost(self, devices: Iterable[str]) -> None:
        self.presence.lost(devices)
        self.publisher.notify(())


def run(
    bridge: Bridge,
    broker: Broker,
    client_id: str,
    zone: tzinfo,
    stop: threading.Event,
    command_key: CommandKey,
    up: Callable[[Buses], None] = lambda _buses: None,
) -> int:
    """Run until `stop`. Returns 0, or 1 when a thread died. ValueError for what `yizhan check` can't see.

    SpoolError when the spool can't be opened. `up` is given the buses once they run.
    """
    _no_core_dumps()
    spool = Spool(bridge.spool.path, bridge.spool.max_mib * MIB)
    presence, mishaps = Presence(), Mishaps(expected=(SpoolError,))
    topic, payload = will(bridge.station, bridge.id, spool.boot)
    session = Session(broker, client_id, will=Will(topic, payload), keep=False)
    place, rate = (bridge.station, bridge.id), bridge.spool.backlog_per_s
    doors = Doors(rules_of(bridge, zone))
    if command_key() is None:
        log.warning("there is no command key %s: no command is taken; copy the gateway's file there", command_key.path)

    def tell(reading: DeviceReading) -> None:
        sink.tell(reading)

    def unlock(device: str) -> bool:
        return buses.unlock(device)

    calls = CallDesk(*place, command_key, session.wake, tell)
    publisher = Publisher(session, spool, presence, place, rate, unlock, Gate(command_key, spool), calls)
    sink = _Sink(spool, presence, publisher, doors, unlock, mishaps)
    buses = Buses(sink, calls, zone, stop)

    turns = 0

    def step() -> None:
        nonlocal turns
        turns += 1
        publisher.step(STEP_S)
        with mishaps.contained("doors"):
            sink.tick(now_ms())

    buses.begin(bridge)
    log.info("bridge %s of %s: %d buses, boot %s", bridge.id, bridge.station, len(bridge.buses), spool.boot)
    up(buses)
    heart = Heart([lambda: turns])
    heart.begin()
    try:
        while not stop.is_set():
            try:
                step()
            except SpoolError as error:
                log.error("%s", error)
                stop.wait(STORE_AGAIN_S)
            except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
                mishaps.note("publishing", error)
                stop.wait(STEP_S)
    finally:
        heart.end()
        stop.set()
        buses.end()
        with mishaps.contained("saying goodbye"):
            publisher.farewell()
        session.close()
        spool.close()
    return 1 if buses.failed.is_set() else 0


def enroll(bridge: Bridge, number: bytes) -> str:
    """The allow-list line of a card number as its reader writes it. ValueError without a key or a number."""
    from firmware_bridge.cards import CardNumber
    from firmware_bridge.devices.readers import parse_line

    if bridge.card_key_file is None:
        raise ValueError("bridge.card_key_file is not set")
    card = parse_line(number.upper()) or CardNumber.of_any(number)
    return Cards(read_key(bridge.card_key_file), bridge.card_rotation).access(card)


def _no_core_dumps() -> None:
    """A core dump would hold card numbers."""
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
