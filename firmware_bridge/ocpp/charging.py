"""The steps of a transaction, as the spool keeps them and as they are told: an event `transaction` of the device.

`phase` is `started` or `ended`; meters in Wh, times in ms since 1970, `card` a pseudonym. An end tells `energy_wh`
where both meters are known, and all that its start told, for the two may lie days apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from firmware_bridge.devices.base import DeviceReading
from firmware_bridge.spool_charges import ChargeBook, ChargeRow
from gateway.model import Millis, Signal

EVENT = "transaction"
LARGEST_WH = 1e9  # what one charge may take


@dataclass(slots=True)
class ChargeBegin:
    """`given`, the number that the pile gets, is set when it is kept; `upstream` is that of its operator."""

    pile: str
    device: str
    mark: str
    started_at: Millis
    meter_start: float | None
    card: str | None
    upstream: int | None = None
    given: int | None = None

    def keep(self, book: ChargeBook, now: Millis) -> Sequence[DeviceReading]:
        row = book.begin(
            self.pile, self.device, self.mark, self.started_at, self.meter_start, self.card, now, self.upstream
        )
        self.given = row.given
        return (DeviceReading(row.device, _begun(row) | {"phase": "started"}, EVENT),) if row.fresh else ()


@dataclass(frozen=True, slots=True)
class ChargeMeter:
    """Where the register stands, for a transaction that did not say where it began."""

    pile: str
    mark: str
    energy_wh: float

    def keep(self, book: ChargeBook, _now: Millis) -> Sequence[DeviceReading]:
        book.meter_began(self.pile, self.mark, self.energy_wh)
        return ()


@dataclass(slots=True)
class ChargeEnd:
    """The end of the transaction `number` (1.6) or `mark` (2.x). `device` and `meter_start` are for one whose start
    never came.

    `ended` is the device where it has now ended, when it is kept; None for a repeat.
    """

    pile: str
    number: int | None
    mark: str
    device: str | None
    ended_at: Millis
    meter_stop: float | None
    reason: str
    meter_start: float | None = None
    card: str | None = None
    ended: str | None = None

    def keep(self, book: ChargeBook, now: Millis) -> Sequence[DeviceReading]:
        row = self._row(book, now)
        if row is None or row.ended_at is not None:
            return ()
        book.end(row, self.ended_at, now)
        self.ended = row.device
        told = _begun(row) | {"phase": "ended", "ended_at": self.ended_at, "reason": self.reason}
        meter_start = row.meter_start if row.meter_start is not None else self.meter_start
        if self.meter_stop is not None:
            told["meter_stop"] = self.meter_stop
        if meter_start is not None:
            told["meter_start"] = meter_start
        energy = None if meter_start is None or self.meter_stop is None else self.meter_stop - meter_start
        if energy is not None and 0 <= energy <= LARGEST_WH:
            told["energy_wh"] = round(energy, 3)
        return (DeviceReading(row.device, told, EVENT),)

    def _row(self, book: ChargeBook, now: Millis) -> ChargeRow | None:
        """None where nobody knows whose it is."""
        row = book.numbered(self.pile, self.number) if self.number is not None else None
        row = row or book.marked(self.pile, self.mark)
        if row is None and self.device is not None:
            row = book.begin(self.pile, self.device, self.mark, None, self.meter_start, self.card, now)
        return row


def _begun(row: ChargeRow) -> dict[str, Signal]:
    told: dict[str, Signal] = {"transaction": str(row.number)}
    if row.started_at is not None:
        told["started_at"] = row.started_at
    if row.meter_start is not None:
        told["meter_start"] = row.meter_start
    if row.card is not None:
        told["card"] = row.card
    return told
