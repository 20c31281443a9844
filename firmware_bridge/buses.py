"""The buses of the box: a thread for each, and which of them go, come and stay when the configuration is another."""

import logging
import threading
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import TYPE_CHECKING, Protocol

from config.schema.bridge import Bridge, BusSettings
from firmware_bridge import protocols
from firmware_bridge.bus import Bus, Sink
from firmware_bridge.calls import CallDesk
from firmware_bridge.cards import Cards, read_allow_list, read_key
from firmware_bridge.devices.base import DeviceOrder
from firmware_bridge.door import Doors, Rules
from firmware_bridge.port import Port, SerialLine
from firmware_bridge.presence import Presence, steady_ms
from firmware_bridge.spool import Spool
from firmware_bridge.tcp import TcpBus
from gateway.base.clock import now_ms

if TYPE_CHECKING:
    from firmware_bridge.ocpp.configured import CentralParts

log = logging.getLogger(__name__)

STOP_S = 3.0


class Runner(Protocol):
    """A bus of any sort, run by a thread of its own."""

    @property
    def id(self) -> str: ...
    def run(self) -> None: ...
    def order(self, order: DeviceOrder) -> None: ...


class BoxSink(Sink, Protocol):
    """Where buses put what they hear, with what it stands on."""

    @property
    def spool(self) -> Spool: ...
    @property
    def presence(self) -> Presence: ...
    @property
    def doors(self) -> Doors: ...


@dataclass(frozen=True, slots=True)
class _Running:
    settings: BusSettings
    runner: Runner
    ending: threading.Event
    thread: threading.Thread

    def end(self) -> None:
        self.ending.set()
        self.thread.join(STOP_S)


class Buses:
    """`begin`, `follow` and `end` one after the other; any thread may `unlock`. A thread that dies sets `failed`, and
    `stop`, which ends the process.
    """

    def __init__(self, sink: BoxSink, calls: CallDesk, zone: tzinfo, stop: threading.Event) -> None:
        self._sink, self._calls, self._zone, self._stop = sink, calls, zone, stop
        self._running: tuple[_Running, ...] = ()
        self._bridge: Bridge | None = None
        self.failed = threading.Event()

    def begin(self, bridge: Bridge) -> None:
        """ValueError for what `yizhan check` can't see."""
        ready = {settings.id: self._parts(settings, self._sink.doors.rules) for settings in bridge.buses}
        self._bridge = bridge
        self._running = tuple(self._start(settings, bridge, ready[settings.id]) for settings in bridge.buses)

    def follow(self, bridge: Bridge, *, all_anew: bool = False) -> None:
        """Run by another configuration: a bus that stays the same goes on. ValueError, with nothing changed, for what
        `yizhan check` can't see. `all_anew`: files that it names hold something else.
        """
        rules = rules_of(bridge, self._zone)
        ready = {settings.id: self._parts(settings, rules) for settings in bridge.buses}
        common = (self._bridge or bridge).model_copy(update={"buses": ()}) != bridge.model_copy(update={"buses": ()})
        stay = [running for running in self._running if running.settings in bridge.buses and not (common or all_anew)]
        gone = [running for running in self._running if running not in stay]
        for running in gone:
            running.ending.set()
        for running in gone:
            running.end()
            self._calls.remove({device.charge_point for device in running.settings.devices if device.charge_point})
        devices = {name for running in gone for name in protocols.device_ids(running.settings)}
        doors = self._sink.doors
        doors.rules = rules
        doors.forget(devices - {name for running in stay for name in protocols.device_ids(running.settings)})
        known = {running.settings.id: running for running in stay}
        self._bridge = bridge
        self._running = tuple(
            known.get(settings.id) or self._start(settings, bridge, ready[settings.id]) for settings in bridge.buses
        )
        self._sink.presence.forget(devices - {name for bus in bridge.buses for name in protocols.device_ids(bus)})
        log.info("buses: %d go on, %d ended, %d run now", len(stay), len(gone), len(self._running))

    def end(self) -> None:
        """After `stop`."""
        for running in self._running:
            running.ending.set()
        for running in self._running:
            running.end()

    def unlock(self, device: str) -> bool:
        """Ask every bus that has a lock for this device; False when none has."""
        done = False
        for running in self._running:
            settings = running.settings
            if device in protocols.device_ids(settings) and settings.relay_pulse_ms:
                self._sink.doors[device].expect(now_ms())
                running.runner.order(DeviceOrder(device, "unlock", settings.relay_pulse_ms))
                done = True
        return done

    def _parts(self, settings: BusSettings, rules: Rules) -> "CentralParts | None":
        """Whether the bus can be made, before one ends for it: of a central system all that is read of files, of others
        only whether they can be read. ValueError.
        """
        protocol = protocols.protocol_of(settings.protocol)
        if protocol.dials_in:
            from firmware_bridge.ocpp.configured import parts_of

            return parts_of(settings, rules.cards, rules.allowed)
        if protocol.asks_platform:
            from firmware_bridge.operators.configured import listen_of

            listen_of(settings)
        else:
            protocols.build(settings, Doors(rules))
        return None

    def _start(self, settings: BusSettings, bridge: Bridge, parts: "CentralParts | None") -> _Running:
        ending = threading.Event()
        runner = self._bus(settings, bridge, parts, ending)

        def guarded() -> None:
            try:
                runner.run()
            except BaseException:
                self.failed.set()
                log.critical("thread bus-%s died", settings.id, exc_info=True)
            finally:
                if not ending.is_set():
                    self._stop.set()

        thread = threading.Thread(target=guarded, name=f"bus-{settings.id}", daemon=True)
        thread.start()
        return _Running(settings, runner, ending, thread)

    def _bus(
        self, settings: BusSettings, bridge: Bridge, parts: "CentralParts | None", stop: threading.Event
    ) -> Runner:
        sink, doors = self._sink, self._sink.doors
        rules = replace(doors.rules, held_ms=round(settings.held_s * 1000), pulse_ms=settings.relay_pulse_ms)
        protocols.introduce(settings, rules, doors)
        silent_ms = protocols.silent_ms_of(settings, bridge)
        sink.presence.expect(protocols.device_ids(settings), steady_ms(), silent_ms)
        protocol = protocols.protocol_of(settings.protocol)
        if protocol.asks_platform:
            from firmware_bridge.operators.configured import operator_of

            return operator_of(settings, bridge.spool.path, sink, stop)
        if parts is not None:
            from firmware_bridge.ocpp.configured import central_of

            return central_of(parts, sink, sink.spool, self._calls, stop)
        if settings.port.startswith("tcp://"):
            host, _, port = settings.port.removeprefix("tcp://").rpartition(":")
            address = host.strip("[]"), int(port)
            piles = len(settings.devices)
            return TcpBus(settings.id, address, lambda: protocols.build(settings, doors), sink, silent_ms, stop, piles)
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
    allowed = read_allow_list(bridge.allow_list_file, zone) if bridge.allow_list_file else None
    return Rules(cards, allowed)
