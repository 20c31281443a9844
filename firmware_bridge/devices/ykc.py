"""YKC (云快充) 1.5 and 1.6: piles dial in by TCP; we answer, set their clocks and read them, and never start a charge.

A pile tells each change at once and every state every five minutes, so what it said holds while it beats, and it is
asked again every minute. A charge that is over is confirmed when it is on disk; a pile repeats it until then.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from firmware_bridge.devices import ykc_frames as frames
from firmware_bridge.devices.base import DeviceReading, Heard, Listener
from firmware_bridge.devices.ykc_charges import NO_TRADE, YkcBegin, YkcEnd
from firmware_bridge.devices.ykc_frames import YkcFrame, YkcGun
from firmware_bridge.frames.scanner import Scanner
from gateway.model import Millis, Signal

log = logging.getLogger(__name__)

HOLDS_MS = 330_000  # five minutes, and a beat or two
AGAIN_MS = 55_000  # a charger's word is good for three minutes
ASK_MS = 60_000
CLOCK_MS = 6 * 3_600_000
_STATUSES = {frames.OFFLINE: "Unknown", frames.FAULT: "Faulted", frames.CHARGING: "Charging"}


@dataclass(slots=True)
class _Gun:
    device: str
    pile: str
    number: int
    said: YkcGun | None = None
    said_at: Millis = 0
    at_fault: bool = False  # by its heartbeat
    asked_at: Millis = 0
    trade: str = ""  # whose begin is kept
    firmware: str = ""  # still to be told, with a state: alone it says nothing of now
    told: dict[str, Signal] = field(default_factory=dict)
    told_at: Millis = 0

    def signals(self) -> dict[str, Signal]:
        said = self.said
        assert said is not None
        if self.at_fault:
            status = "Faulted"
        elif said.status == frames.IDLE:
            status = "Occupied" if said.plugged else "Available"
        else:
            status = _STATUSES.get(said.status, "Unknown")
        known: dict[str, Signal] = {"status": status, "error": ",".join(said.faults)}
        if status == "Charging":
            known |= {} if said.power_w is None else {"power_w": said.power_w}
            known |= {} if said.energy_wh is None else {"energy_wh": said.energy_wh}
        else:
            known["power_w"] = 0.0
        return known

    def news(self, now: Millis) -> tuple[DeviceReading, ...]:
        """What has changed, or was told long ago and holds."""
        if self.said is None or not 0 <= now - self.said_at < HOLDS_MS:
            return ()
        signals = self.signals()
        if signals == self.told and 0 <= now - self.told_at < AGAIN_MS:
            return ()
        self.told, self.told_at = signals, now
        firmware, self.firmware = self.firmware, ""
        return (DeviceReading(self.device, signals | ({"firmware": firmware} if firmware else {})),)


class Ykc(Listener[Scanner]):
    """One connection. `devices` are by pile number (14 digits) and gun."""

    def __init__(self, devices: Mapping[tuple[str, int], str]) -> None:
        self._guns = {place: _Gun(device, *place) for place, device in devices.items()}
        self._piles = {pile for pile, _ in devices}
        self.reader = frames.scanner()
        self._sequence = 0
        self._clock_at: dict[str, Millis] = {}
        self._told_off = False

    def feed(self, data: bytes, now: Millis) -> Sequence[Heard]:
        return [heard for raw in self.reader.feed(data) if (heard := self._heard(frames.parse(raw), now)) is not None]

    def _heard(self, frame: YkcFrame, now: Millis) -> Heard | None:
        """None for what is nobody's, or a platform's."""
        pile = None if frame.encrypted else frames.pile_in(frame)
        if pile not in self._piles or pile is None:
            return self._strange(frame, pile)
        match frame.kind:
            case frames.LOGIN:
                return self._logged_in(frame, pile, now)
            case frames.HEARTBEAT:
                return self._beat(frame, pile, now)
            case frames.TARIFF_CHECK:
                return Heard((), self._devices(pile), frames.tariff_check_answer(frame))
            case frames.TARIFF:
                return Heard((), self._devices(pile), frames.tariff_answer(frame))
            case frames.REALTIME:
                return self._realtime(frame, pile, now)
            case frames.RECORD:
                return self._record(frame, pile)
            case frames.STARTED | frames.STOPPED:
                return self._result(frame, pile)
            case _:
                return Heard((), self._devices(pile))

    def _strange(self, frame: YkcFrame, pile: str | None) -> Heard | None:
        """Told once a connection; a pile that we do not have is refused."""
        if not self._told_off and (frame.encrypted or pile is not None):
            self._told_off = True
            why = "it encrypts, which is not understood here" if frame.encrypted else "it is no device of this bus"
            log.warning("ykc: a pile %sis refused: %s", f"{pile} " if pile else "", why)
        refused = frame.kind == frames.LOGIN and pile is not None
        return Heard(reply=frames.login_answer(frame, ok=False)) if refused else None

    def _devices(self, pile: str) -> tuple[str, ...]:
        return tuple(gun.device for gun in self._guns.values() if gun.pile == pile)

    def _logged_in(self, frame: YkcFrame, pile: str, now: Millis) -> Heard:
        told = frames.login(frame.body)
        if told is None:
            return Heard((), self._devices(pile))
        log.info("ykc: pile %s is there, it speaks %.1f", pile, told.version / 10)
        guns = [gun for gun in self._guns.values() if gun.pile == pile]
        for gun in guns:
            gun.firmware = told.program
        asked = b"".join(self._read(gun, now) for gun in guns)
        answer = frames.login_answer(frame, ok=True) + self._set_time(pile, now) + asked
        return Heard((), self._devices(pile), answer)

    def _beat(self, frame: YkcFrame, pile: str, now: Millis) -> Heard:
        told = frames.heartbeat(frame.body)
        gun = self._guns.get((pile, told[1])) if told is not None else None
        reply = frames.heartbeat_answer(frame)
        if told is None or gun is None:
            return Heard((), self._devices(pile), reply)
        gun.at_fault = told[2]
        reply += self._read(gun, now) if now - gun.asked_at >= ASK_MS else b""
        reply += self._set_time(pile, now) if now - self._clock_at.get(pile, 0) >= CLOCK_MS else b""
        return Heard(gun.news(now), self._devices(pile), reply)

    def _realtime(self, frame: YkcFrame, pile: str, now: Millis) -> Heard:
        said = frames.realtime(frame.body)
        gun = self._guns.get((pile, said.gun)) if said is not None else None
        if said is None or gun is None:
            return Heard((), self._devices(pile))
        gun.said, gun.said_at = said, now
        begin = None
        if said.status == frames.CHARGING and said.trade not in (NO_TRADE, gun.trade):
            gun.trade = said.trade
            begin = YkcBegin(pile, gun.device, said.trade, now - 60_000 * said.minutes).keep
        return Heard(gun.news(now), self._devices(pile), step=begin)

    def _record(self, frame: YkcFrame, pile: str) -> Heard:
        """A gun that nobody has configured is confirmed, too: its pile would repeat it for ever."""
        told = frames.record(frame.body)
        if told is None:
            return Heard((), self._devices(pile))
        gun = self._guns.get((pile, told.gun))
        step = None if gun is None else YkcEnd(gun.device, told).keep
        return Heard((), self._devices(pile), frames.record_answer(frame), step=step)

    def _result(self, frame: YkcFrame, pile: str) -> Heard:
        """The result of a start or stop as an event; somebody else asked for it, for we never do."""
        told = frames.result(frame.body, frame.kind)
        gun = self._guns.get((pile, told.gun)) if told is not None else None
        if told is None or gun is None:
            return Heard((), self._devices(pile))
        event = "start_result" if frame.kind == frames.STARTED else "stop_result"
        signals: dict[str, Signal] = {"granted": told.done, "reason": "" if told.done else f"ykc_{told.reason:02x}"}
        return Heard((DeviceReading(gun.device, signals, event),), self._devices(pile))

    def _read(self, gun: _Gun, now: Millis) -> bytes:
        gun.asked_at = now
        return frames.read_realtime(gun.pile, gun.number, self._next())

    def _set_time(self, pile: str, now: Millis) -> bytes:
        self._clock_at[pile] = now
        return frames.set_time(pile, self._next(), now)

    def _next(self) -> bytes:
        self._sequence = self._sequence % 0xFFFF + 1
        return self._sequence.to_bytes(2, "little")
