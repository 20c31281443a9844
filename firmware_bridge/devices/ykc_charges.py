"""Charges of YKC piles as the spool keeps them: begun when a pile is first seen charging, ended by its record."""

from collections.abc import Sequence
from dataclasses import dataclass

from firmware_bridge.devices.base import DeviceReading
from firmware_bridge.devices.ykc_frames import YkcRecord
from firmware_bridge.spool_charges import ChargeBook, ChargeRow
from gateway.model import Millis, Signal

EVENT = "transaction"
NO_TRADE = "0" * 32
AHEAD_MS, PAST_MS = 120_000, 100 * 86_400_000  # beyond these a pile's clock is wrong


@dataclass(frozen=True, slots=True)
class YkcBegin:
    pile: str
    device: str
    trade: str
    started_at: Millis

    def keep(self, book: ChargeBook, now: Millis) -> Sequence[DeviceReading]:
        if book.marked(self.pile, self.trade) is not None:  # it goes on, or its record has come before
            return ()
        row = book.begin(self.pile, self.device, self.trade, self.started_at, None, None, now)
        return (DeviceReading(self.device, _told(row, self.started_at) | {"phase": "started"}, EVENT),)


@dataclass(frozen=True, slots=True)
class YkcEnd:
    device: str
    told: YkcRecord

    def keep(self, book: ChargeBook, now: Millis) -> Sequence[DeviceReading]:
        """Each record is told once, whenever it comes and how often."""
        told = self.told
        mark = told.trade if told.trade != NO_TRADE else f"{told.trade}|{told.gun}|{told.started_at}"
        started_at, ended_at = self._times(now)
        row = book.marked(told.pile, mark)
        row = row or book.begin(told.pile, self.device, mark, started_at, told.meter_start, None, now)
        if row.ended_at is not None:
            return ()
        book.end(row, ended_at, now)
        signals = _told(row, min(started_at, ended_at)) | {
            "phase": "ended", "ended_at": ended_at, "reason": f"ykc_{told.reason:02x}",
        }  # fmt: skip
        meters = {"meter_start": told.meter_start, "meter_stop": told.meter_stop, "energy_wh": told.energy_wh}
        signals |= {name: value for name, value in meters.items() if value is not None}
        return (DeviceReading(row.device, signals, EVENT),)

    def _times(self, now: Millis) -> tuple[Millis, Millis]:
        """By our clock: a record whose end can't be by the pile's ends now, and has lasted as long as it says."""
        started_at, ended_at = self.told.started_at, self.told.ended_at
        if ended_at is None:
            return now, now
        if started_at is None or not 0 <= ended_at - started_at <= PAST_MS:
            started_at = ended_at
        if not now - PAST_MS <= ended_at <= now + AHEAD_MS:
            return now - (ended_at - started_at), now
        return started_at, ended_at


def _told(row: ChargeRow, started_at: Millis) -> dict[str, Signal]:
    return {"transaction": str(row.number), "started_at": started_at}
