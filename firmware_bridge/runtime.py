"""The whole bridge: one thread for each bus, one for the broker. A thread that dies ends the process."""

import contextlib
import logging
import resource
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Protocol

from config.schema.bridge import Bridge, BusSettings
from firmware_bridge import protocols
from firmware_bridge.bus import STORE_AGAIN_S, Bus
from firmware_bridge.calls import CallDesk
from firmware_bridge.cards import Cards, read_allow_list, read_key
from firmware_bridge.devices.base import DeviceOrder, DeviceReading, Heard
from firmware_bridge.door import Doors, Rules
from firmware_bridge.port import Port, SerialLine
from firmware_bridge.presence import Presence, steady_ms
from firmware_bridge.publisher import Publisher, will
from firmware_bridge.spool import Spool
from firmware_bridge.spool_file import SpoolError
from firmware_bridge.tcp import TcpBus
from gateway.base.clock import now_ms
from gateway.base.mishaps import Mishaps
from gateway.commands import CommandKey, Gate
from gateway.model import Millis
from gateway.mqtt import Broker, Session, Will

log = logging.getLogger(__name__)

STEP_S = 0.5
STOP_S = 3.0
MIB = 1 << 20


class Runner(Protocol):
    """A bus of any sort, run by a thread of its own."""

    @property
    def id(self) -> str: ...
    def run(self) -> None: ...
    def order(self, order: DeviceOrder) -> None: ...


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
        return [self.doors.watch(one, now) for one in heard]

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
    bridge: Bridge, broker: Broker, client_id: str, zone: tzinfo, stop: threading.Event, command_key: CommandKey
) -> int:
    """Run until `stop`. Returns 0, or 1 when a thread died. ValueError for what `yizhan check` can't see.

    SpoolError when the spool can't be opened.
    """
    _no_core_dumps()
    spool = Spool(bridge.spool.path, bridge.spool.max_mib * MIB)
    presence, mishaps = Presence(), Mishaps(expected=(SpoolError,))
    topic, payload = will(bridge.station, bridge.id, spool.boot)
    session = Session(broker, client_id, will=Will(topic, payload), keep=False)
    buses: list[tuple[BusSettings, Runner]] = []
    place, rate = (bridge.station, bridge.id), bridge.spool.backlog_per_s
    doors = Doors(rules_of(bridge, zone))

    def unlock(device: str) -> bool:
        return _unlock(buses, doors, device)

    if command_key() is None:
        log.warning("there is no command key %s: no command is taken; copy the gateway's file there", command_key.path)

    def tell(reading: DeviceReading) -> None:
        sink.tell(reading)

    calls = CallDesk(*place, command_key, session.wake, tell)
    publisher = Publisher(session, spool, presence, place, rate, unlock, Gate(command_key, spool), calls)
    sink = _Sink(spool, presence, publisher, doors, unlock, mishaps)

    def step() -> None:
        publisher.step(STEP_S)
        with mishaps.contained("doors"):
            sink.tick(now_ms())

    failed = threading.Event()
    buses.extend((settings, _bus(settings, bridge, sink, stop, calls)) for settings in bridge.buses)
    threads = [_thread(f"bus-{settings.id}", bus.run, failed, stop) for settings, bus in buses]
    log.info("bridge %s of %s: %d buses, boot %s", bridge.id, bridge.station, len(buses), spool.boot)
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
        stop.set()
        for thread in threads:
            thread.join(STOP_S)
        with mishaps.contained("saying goodbye"):
            publisher.farewell()
        session.close()
        spool.close()
    return 1 if failed.is_set() else 0


def _thread(name: str, target: Callable[[], None], failed: threading.Event, stop: threading.Event) -> threading.Thread:
    def guarded() -> None:
        try:
            target()
        except BaseException:
            failed.set()
            log.critical("thread %s died", name, exc_info=True)
        finally:
            stop.set()

    thread = threading.Thread(target=guarded, name=name, daemon=True)
    thread.start()
    return thread


def _bus(settings: BusSettings, bridge: Bridge, sink: _Sink, stop: threading.Event, calls: CallDesk) -> Runner:
    doors = sink.doors
    rules = replace(doors.rules, held_ms=round(settings.held_s * 1000), pulse_ms=settings.relay_pulse_ms)
    protocols.introduce(settings, rules, doors)
    silent_ms = protocols.silent_ms_of(settings, bridge)
    sink.presence.expect(protocols.device_ids(settings), steady_ms(), silent_ms)
    if protocols.protocol_of(settings.protocol).dials_in:
        from firmware_bridge.ocpp.configured import central_of

        return central_of(settings, bridge, doors.rules.cards, sink, sink.spool, calls, stop)
    if settings.port.startswith("tcp://"):
        host, _, port = settings.port.removeprefix("tcp://").rpartition(":")
        address = host.strip("[]"), int(port)
        return TcpBus(settings.id, address, lambda: protocols.build(settings, doors), sink, silent_ms, stop)
    line = SerialLine(settings.port, settings.baud, settings.bytesize, settings.parity, settings.stopbits)
    return Bus(settings.id, Port(line), protocols.build(settings, doors), sink, silent_ms, stop)


def rules_of(bridge: Bridge, zone: tzinfo) -> Rules:
    """How doors decide here. ValueError when a card reader has no key, or the key is no good."""
    needy = next((bus for bus in bridge.buses if protocols.protocol_of(bus.protocol).reads_cards), None)
    if bridge.card_key_file is None and needy is not None:
        raise ValueError(
            f"bridge.buses.{needy.id}: {needy.protocol} needs bridge.card_key_file: "
            "openssl rand -hex 32 > FILE, and chmod 600 FILE"
        )
    cards = Cards(read_key(bridge.card_key_file), bridge.card_rotation, zone) if bridge.card_key_file else None
    allowed = read_allow_list(bridge.allow_list_file) if bridge.allow_list_file else None
    return Rules(cards, allowed)


def enroll(bridge: Bridge, number: bytes) -> str:
    """The allow-list line of a card number as its reader writes it. ValueError without a key or a number."""
    from firmware_bridge.cards import CardNumber
    from firmware_bridge.devices.readers import parse_line

    if bridge.card_key_file is None:
        raise ValueError("bridge.card_key_file is not set")
    card = parse_line(number.upper()) or CardNumber.of_any(number)
    return Cards(read_key(bridge.card_key_file), bridge.card_rotation).access(card)


def _unlock(buses: Sequence[tuple[BusSettings, Runner]], doors: Doors, device: str) -> bool:
    """Ask every bus that has a lock for this device; False when none has."""
    done = False
    for settings, bus in buses:
        if device in protocols.device_ids(settings) and settings.relay_pulse_ms:
            doors[device].expect(now_ms())
            bus.order(DeviceOrder(device, "unlock", settings.relay_pulse_ms))
            done = True
    return done


def _no_core_dumps() -> None:
    """A core dump would hold card numbers."""
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
