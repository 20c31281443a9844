"""All stations' virtual devices as one pure machine: time in, messages to publish out.

The hidden world runs `speed` times as fast as the clock, starting at second `day_start_s` of some local day; stamps and
reporting periods stay real. The same arguments and calls give the same bytes, however the time is cut into steps.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from math import ceil
from random import Random

from firmware_bridge.emulator import faults
from firmware_bridge.emulator.agenda import CallQueue
from firmware_bridge.emulator.device import Publish, VirtualDevice
from firmware_bridge.emulator.faults import Misbehaviour
from firmware_bridge.emulator.things import Thing, VirtualDoor
from firmware_bridge.emulator.truth import TrueSignals, Truth
from firmware_bridge.emulator.world import World
from gateway.model import Millis, Resource, Signal

WARM_UP_S = 5_400.0  # the world runs this long unseen, so that it starts in use
CHARGING_PERIOD_MS, CHARGING_SPARING_MS = 15_000, 600_000
FLAP_PERIOD_MS = 2_000
FIRMWARE = "1.4.2"
RESEND_MS = 60_000  # not covered for so long although acks come: the broker has lost it


def _by_station(resources: Iterable[Resource]) -> dict[str, list[Resource]]:
    stations: dict[str, list[Resource]] = defaultdict(list)
    for resource in resources:
        if resource.lifecycle == "active":
            stations[resource.station].append(resource)
    if not stations:
        raise ValueError("nothing to simulate: the configuration has no active resources; add a station with some")
    return stations


class Town:
    """Virtual devices for `resources`, of any number of stations.

    start: now, ms. day_start_s: the world's clock at `start`, from `day.midday` or `day.local_s`.
    fault_rate: share of devices, 0 to 1, that misbehave at any moment, in the ways of `fault_kinds`.
    hold: readings each device keeps while they are not acknowledged. spread_ms: within it all devices come up; by
    default two seconds, more for big towns so that no more than 4,000 messages a second start them.
    sparing: devices report only as often as their values would run out.
    ValueError when there is nothing to simulate or an argument is out of range.
    """

    def __init__(
        self,
        resources: Iterable[Resource],
        *,
        start: Millis,
        day_start_s: float,
        seed: int = 0,
        speed: float = 1.0,
        fault_rate: float = 0.0,
        fault_kinds: tuple[str, ...] = faults.KINDS,
        hold: int = 200,
        spread_ms: int | None = None,
        sparing: bool = False,
    ) -> None:
        if speed <= 0 or not 0 <= fault_rate <= 1:
            raise ValueError(f"speed {speed} must be above 0, and the rate of faults {fault_rate} from 0 to 1")
        self._start, self._day_start_s, self._speed = start, day_start_s, speed
        self._fault_rate, self._fault_kinds = fault_rate, fault_kinds
        self._rng = Random(seed)  # noqa: S311
        self._hidden, self._real = CallQueue(), CallQueue()
        self._out: list[Publish] = []
        self._dirty: dict[VirtualDevice, None] = {}
        self._sparing = sparing
        self._metered: set[VirtualDevice] = set()  # of sparing ones, those that tell now what flows
        self._from_the_start: dict[VirtualDevice, Misbehaviour] = {}
        self.faults: list[Misbehaviour] = []
        self.worlds: dict[str, World] = {}
        self.devices: dict[tuple[str, str], VirtualDevice] = {}
        for station, its_resources in _by_station(resources).items():
            self._settle(station, its_resources, seed, hold)
        while self._hidden.next_due <= day_start_s:
            self._hidden.run_next()
        spread_ms = spread_ms or max(2_000, len(self.devices) // 2)
        for device in self.devices.values():
            self._real.add(start + self._rng.randrange(spread_ms), self._power_up, device)

    def _settle(self, station: str, resources: list[Resource], seed: int, hold: int) -> None:
        rng = Random(f"{seed}/{station}")  # noqa: S311
        world = World(resources, self._hidden, rng, self._changed, self._swiped)
        things: dict[str, list[Thing]] = defaultdict(list)
        for thing in world.things:
            things[thing.resource.device].append(thing)
        for device, its_things in things.items():
            self.devices[station, device] = VirtualDevice(station, device, its_things, hold, sparing=self._sparing)
        self.worlds[station] = world
        world.begin(self._day_start_s - WARM_UP_S)

    # ---- time

    def _local_s(self, at: Millis) -> float:
        return self._day_start_s + (at - self._start) * self._speed / 1000

    def _real_ms(self, local_s: float) -> Millis:
        return self._start + ceil((local_s - self._day_start_s) * 1000 / self._speed)

    def next_due(self) -> Millis:
        """When something happens next: call `step` then. There is always something."""
        return min(self._real_ms(self._hidden.next_due), int(self._real.next_due))

    def step(self, now: Millis) -> list[Publish]:
        """Everything that is to be published up to and including `now`, in order; each stamped with its own time."""
        while True:
            hidden_due, real_due = self._real_ms(self._hidden.next_due), self._real.next_due
            if min(hidden_due, real_due) > now:
                break
            if hidden_due <= real_due:
                self._hidden.run_next()
                while self._hidden.next_due <= self._local_s(hidden_due):
                    self._hidden.run_next()
                self._tell_changes(hidden_due)
            else:
                self._real.run_next()
        out, self._out = self._out, []
        return out

    def suspended(self, by: Millis) -> None:
        """The machine slept, or its clock was set, by this much: go on from there as if nothing had happened meanwhile.

        Spells of misbehaviour keep the end that is on record, though they last longer.
        """
        self._start += by
        self._real.shift(by)

    # ---- the truth

    def truth(self) -> dict[tuple[str, str], Truth]:
        """What is really so now (after the last step), by (station, resource)."""
        return {
            (station, thing.resource.id): thing.truth()
            for station, world in self.worlds.items()
            for thing in world.things
        }

    def people(self, station: str) -> int:
        """How many people are really inside this station now."""
        return self.worlds[station].people

    # ---- what the gateway and the broker tell us

    def acked(self, station: str, device: str, boot: str, upto: int) -> None:
        """A watermark came for this device; unknown devices are ignored."""
        if virtual := self.devices.get((station, device)):
            virtual.acked(boot, upto)

    def replay(self) -> list[Publish]:
        """After the broker lost our session: whoever can speak comes online again and resends what it holds."""
        out: list[Publish] = []
        for device in self.devices.values():
            if self._can_speak(device):
                out.append(device.availability("online"))
                out.extend(device.replay())
        return out

    def farewell(self) -> list[Publish]:
        """The last will of every device that is up, for a clean end."""
        return [device.availability("offline") for device in self.devices.values() if self._can_speak(device)]

    # ---- devices speak

    @staticmethod
    def _can_speak(device: VirtualDevice) -> bool:
        return device.up and (device.fault is None or device.fault.kind not in ("silence", "reboot", "offline"))

    def _power_up(self, at: float, device: VirtualDevice) -> None:
        born, fault = device.start(int(at)), self._from_the_start.pop(device, None)
        if fault is not None:
            self._begin_fault(at, fault)
        if self._can_speak(device):
            self._out.append(born)
        self._report(at, device)
        if self._rng.random() < self._fault_rate:  # so that the share holds from the start
            self._plan_fault(int(at) + self._rng.randrange(1_000, 10_000), device)
        else:
            self._plan_next_fault(int(at), device)

    def _report(self, at: float, device: VirtualDevice) -> None:
        """The periodic report, and the plan for the next one."""
        signals = self._tell(int(at), device)
        self._resend(int(at), device)
        period_ms = device.period_ms
        if signals.get("status") == "Charging" and not self._sparing:
            period_ms = min(period_ms, CHARGING_PERIOD_MS)
        self._real.add(at + period_ms, self._report, device)

    def _changed(self, _: float, thing: Thing) -> None:
        device = self.devices.get((thing.resource.station, thing.resource.device))
        if device and device.up:
            self._dirty[device] = None

    def _tell_changes(self, at: Millis) -> None:
        for device in self._dirty:
            if device.fault is None or device.fault.kind not in ("stuck", faults.INSTEAD):
                self._tell(at, device)
        self._dirty.clear()

    def _swiped(self, local_s: float, door: VirtualDoor, fields: dict[str, Signal]) -> None:
        device = self.devices.get((door.resource.station, door.resource.device))
        if device and device.up and (device.fault is None or device.fault.kind != faults.INSTEAD):
            self._send(self._real_ms(local_s), device, {"type": "card", **fields}, event=True)

    def _tell(self, at: Millis, device: VirtualDevice) -> TrueSignals:
        """Send a state message, as true as the device's fault allows; return what its sensors really read."""
        signals = device.signals(self._local_s(at))
        body: Mapping[str, object] = signals
        match device.fault and device.fault.kind:
            case "stuck" | faults.INSTEAD if device.fault:
                body = device.frozen = device.frozen or {**signals, **device.fault.said}
            case "wrong_type":
                body = faults.wrong_types(signals)
            case "flapping":
                device.flip = not device.flip
                body = faults.flipped(signals) if device.flip else signals
        if device.seq == 0:
            body = {**body, "firmware": FIRMWARE, "rssi_dbm": self._rng.randint(-82, -45)}
        self._send(at, device, body)
        if self._sparing and signals.get("status") == "Charging" and device not in self._metered:
            self._metered.add(device)
            self._real.add(at + CHARGING_SPARING_MS, self._meter, device)
        return signals

    def _meter(self, at: float, device: VirtualDevice) -> None:
        """A pile that charges reports more often, also a sparing one."""
        self._metered.discard(device)
        self._tell(int(at), device)

    def _send(self, at: Millis, device: VirtualDevice, body: Mapping[str, object], *, event: bool = False) -> None:
        kind = device.fault.kind if device.fault else ""
        if kind in ("silence", "reboot"):
            return
        if kind == "garbage":  # in the place of a message that was never numbered, so no hole is left
            topic = f"yz/{device.station}/{device.id}/state"
            self._out.append(Publish(topic, faults.garbage(self._rng), False, device.station, device.id))
            return
        message = device.message(at, body, event=event)
        if kind == "offline":
            return
        copies = self._rng.randint(2, 3) if kind == "duplicates" else 1
        self._out.extend([message] * copies)

    def _resend(self, at: Millis, device: VirtualDevice) -> None:
        if device.heard and device.held and at - device.held[0].at > RESEND_MS and self._can_speak(device):
            device.heard = False
            self._out.extend(device.replay(before=at - RESEND_MS // 2))

    # ---- faults

    def inject(self, fault: Misbehaviour) -> None:
        """Let a device misbehave from `begins` to `ends`; no effect, and no record, if it already does then, or is not.

        One that began before the town did is there from its first message on.
        """
        if (fault.station, fault.device) not in self.devices:
            return
        if fault.begins < self._start < fault.ends:
            self._from_the_start[self.devices[fault.station, fault.device]] = fault
        elif fault.begins >= self._start:
            self._real.add(fault.begins, self._begin_fault, fault)

    def happens(self, at: Millis, station: str, device: str, fields: Mapping[str, Signal]) -> None:
        """Have a device tell an event at this time, such as that its door was forced; no effect where there is none."""
        if (station, device) in self.devices:
            self._real.add(at, self._tell_event, (self.devices[station, device], fields))

    def _tell_event(self, at: float, event: tuple[VirtualDevice, Mapping[str, Signal]]) -> None:
        device, fields = event
        if device.up:
            self._send(int(at), device, fields, event=True)

    def _plan_fault(self, begins: Millis, device: VirtualDevice) -> None:
        kind = self._rng.choice(self._fault_kinds)
        ends = begins + faults.duration_ms(self._rng, kind, device.ttl_ms)
        self.inject(Misbehaviour(kind, device.station, device.id, begins, ends))

    def _plan_next_fault(self, now: Millis, device: VirtualDevice) -> None:
        if self._fault_rate:
            gap_ms = faults.mean_gap_ms(self._fault_rate, self._fault_kinds, device.ttl_ms)
            self._plan_fault(now + int(self._rng.expovariate(1 / max(1.0, gap_ms))), device)

    def _begin_fault(self, at: float, fault: Misbehaviour) -> None:
        device = self.devices[fault.station, fault.device]
        if device.fault or not device.up:
            return
        device.fault = fault
        self.faults.append(fault)
        if fault.kind == "clock_skew":
            device.skew_ms = self._rng.choice(faults.SKEWS_MS)
        elif fault.kind in ("offline", "reboot"):
            self._out.append(device.availability("offline"))
        elif fault.kind == "flapping":
            self._flap(at, device)
        elif fault.kind == faults.INSTEAD and device.seq:
            self._tell(int(at), device)
        self._real.add(fault.ends, self._end_fault, device)

    def _flap(self, at: float, device: VirtualDevice) -> None:
        if device.fault and device.fault.kind == "flapping":
            self._tell(int(at), device)
            self._real.add(at + FLAP_PERIOD_MS, self._flap, device)

    def _end_fault(self, at: float, device: VirtualDevice) -> None:
        kind = device.fault.kind if device.fault else ""
        device.fault, device.frozen, device.skew_ms = None, None, 0
        if kind == "reboot":
            self._out.append(device.start(int(at)))
        elif kind == "offline":
            self._out.append(device.availability("online"))
            self._out.extend(device.replay())
        self._tell(int(at), device)
        self._plan_next_fault(int(at), device)
