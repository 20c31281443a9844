"""Brings what people report of checks to the gateway, and answers when it is durable."""

import asyncio
import secrets
from typing import Final

from fastapi import HTTPException

from api.context import ApiContext
from config.schema import StationSettings
from gateway.base.clock import monotonic_s
from gateway.commands import LIFE_MS
from gateway.evidence.checks import AHEAD_MS, BACK_MS, CheckReport, StoredCheck, encode_command
from gateway.store.reports import ReportBooks

WITHIN_S: Final = 8.0
ASK_AGAIN_S: Final = (0.01, 0.2)


class CheckDesk:
    """One for each API process: the gateway may be this process or another."""

    def __init__(self, context: ApiContext) -> None:
        self._context = context

    async def keep(self, station: StationSettings, report: CheckReport) -> bool:
        """True when it is new, False when it was there: durable in both cases. HTTPException says why it is not."""
        known = await asyncio.to_thread(self._find, report.id)
        if known is not None:
            return self._the_same(known, station)
        self._fits(station, report)
        if self._context.command is None:
            raise HTTPException(503, "there is no gateway to tell; keep it and try again")
        expires = self._context.now() + LIFE_MS // 2  # half of it is for clocks that differ
        try:
            text = encode_command(secrets.token_hex(16), expires, report)
            self._context.command(f"yz-cmd/{station.id}/check", text)
        except ConnectionError as error:
            raise HTTPException(503, "the gateway can't be reached; keep it and try again") from error
        await self._wait_for(report.id)
        return True

    def books(self) -> ReportBooks:
        """The stored reports of checks."""
        return ReportBooks(self._context.settings.store.path)

    def _find(self, name: str) -> StoredCheck | None:
        return self.books().find(name)

    @staticmethod
    def _the_same(known: StoredCheck, station: StationSettings) -> bool:
        if known.station != station.id:
            raise HTTPException(409, "a check of another station has this id; make a new one")
        return False

    def _fits(self, station: StationSettings, report: CheckReport) -> None:
        if all(check.id != report.check for check in station.checks):
            raise HTTPException(404, f"station {station.id} has no check {report.check!r}")
        now = self._context.now()
        if not now - BACK_MS <= report.ts <= now + AHEAD_MS:
            raise HTTPException(422, "at lies more than 5 minutes ahead or 30 days back; set the phone's clock")

    async def _wait_for(self, name: str) -> None:
        pause, longest = ASK_AGAIN_S
        end = monotonic_s() + WITHIN_S
        while await asyncio.to_thread(self._find, name) is None:
            if monotonic_s() > end:
                raise HTTPException(503, "the gateway does not answer; keep it and try again", {"retry-after": "5"})
            await asyncio.sleep(pause)
            pause = min(longest, pause * 2)
