"""What staff do at charging piles: found in their reach, asked through the pile's bridge, answered, and audited.

Out of service by a deed and `maintenance` set by hand are one thing said twice: the deed sets both, and a word by hand
about a pile's connector is told to the pile (`follow`).
"""

import asyncio
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from datetime import datetime
from typing import Any, NamedTuple

from fastapi import HTTPException

from api.auth import Key
from api.context import ApiContext
from api.pile_line import PileLine, configured
from api.pile_words import BridgeReply
from gateway.commands import answer_in_short, carries_foreign_token
from gateway.model import Millis

log = logging.getLogger(__name__)

ANSWER_S = 32.0  # the bridge gives a pile 30
OUT_MS = 366 * 86_400_000  # out of service without an end: as long as a word by hand may hold
STATUS_OF_TROUBLE = {
    "unknown": 404, "not_connected": 503, "busy": 503, "no_answer": 504, "foreign_token": 422, "senseless": 422,
    "too_large": 502, "operator_commands": 403,
}  # fmt: skip
FOREIGN = "the payload carries a token that this product did not make: leave it out or empty, and one is made"


class PilePlace(NamedTuple):
    """`bridge` None: it is not connected."""

    station: str
    charge_point: str
    bridge: str | None


class PileDesk:
    """One for each application; its line begins with the first question."""

    def __init__(self, context: ApiContext) -> None:
        self._context, self._line = context, context.pile_lines

    def _ready(self) -> PileLine:
        try:
            return self._line.ready()
        except ConnectionError as error:
            raise HTTPException(503, f"the bridges can't be reached: {error}") from error

    # ---- finding; in a thread ----

    def find(self, key: Key, charge_point: str, station: str | None) -> PilePlace:
        line = self._ready()
        known = line.known().keys() | configured(self._context.settings)
        names = {where for where, name in known if name == charge_point and self._covers(key, where)}
        if station is not None:
            names &= {station}
        if not names:
            raise HTTPException(404, "there is no charging pile of this name for this key")
        if len(names) > 1:
            raise HTTPException(409, f"{', '.join(sorted(names))} have a pile of this name: say ?station=")
        (where,) = names
        there = line.piles().get((where, charge_point))
        return PilePlace(where, charge_point, there.bridge if there is not None else None)

    def find_device(self, key: Key, station: str, device: str) -> PilePlace:
        if not self._covers(key, station):
            raise HTTPException(404, "there is nothing of this name for this key")
        for (where, name), pile in self._ready().known().items():
            if where == station and device in pile.devices:
                return PilePlace(where, name, pile.bridge)
        raise HTTPException(503, "no charging pile with this connector has been connected")

    def piles(self, key: Key, station: str) -> list[dict[str, Any]]:
        if not self._covers(key, station):
            raise HTTPException(404, "there is nothing of this name for this key")
        return [
            {
                "charge_point": name, "bridge": pile.bridge, "protocol": pile.protocol, "since": pile.since,
                "vendor": pile.vendor, "model": pile.model, "firmware": pile.firmware, "devices": list(pile.devices),
            } | ({} if pile.operator is None else {"operator": pile.operator})
            for (where, name), pile in sorted(self._ready().piles().items(), key=lambda item: item[0])
            if where == station
        ]  # fmt: skip

    def _covers(self, key: Key, station: str) -> bool:
        known = self._context.settings.station(station)
        return known is not None and key.covers(known.id, known.region)

    # ---- asking ----

    async def call(self, key: Key, place: PilePlace, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """The pile's answer; HTTPException for all else. A foreign token goes no further than here."""
        if carries_foreign_token(payload, self._ready().key, self._context.now()):
            raise HTTPException(422, FOREIGN)
        order = {"do": "call", "charge_point": place.charge_point, "action": action, "payload": payload}
        return await self._asked(key, place, action, order)

    async def deed(self, key: Key, place: PilePlace, device: str, do: str, until: Millis | None) -> dict[str, Any]:
        return await self._asked(key, place, do, {"do": do, "device": device, "until": until})

    def until(self, do: str, moment: datetime | None) -> Millis | None:
        now = self._context.now()
        if moment is None:
            return now + OUT_MS if do == "out_of_service" else None
        if moment.tzinfo is None or not now < (until := round(moment.timestamp() * 1000)) <= now + OUT_MS:
            raise HTTPException(422, "until must have an offset and lie ahead, by at most 366 days")
        return until

    async def _asked(self, key: Key, place: PilePlace, what: str, order: dict[str, Any]) -> dict[str, Any]:
        if place.bridge is None:
            self._note(key.name, place, what, "not connected")
            raise HTTPException(503, f"the pile {place.charge_point} is not connected")
        line = self._ready()
        try:
            nonce, future = line.ask(place.station, place.bridge, key.name, order)
        except ConnectionError as error:
            raise HTTPException(503, f"the bridge can't be told: {error}") from error
        reply = await self._waited(future, nonce, line)
        self._note(key.name, place, what, answer_in_short(reply.result, reply.error, reply.trouble))
        return _answer(reply)

    async def _waited(self, future: "Future[BridgeReply]", nonce: str, line: PileLine) -> BridgeReply:
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), ANSWER_S)
        except (TimeoutError, CancelledError):
            return BridgeReply(trouble="no_answer", text="neither the pile nor its bridge answered in time")
        finally:
            line.forget(nonce)

    # ---- in step with words by hand ----

    def follow(self, station: str, devices: Sequence[str], by: str, until: Millis | None) -> None:
        """Words by hand took these out of service until then, or back (None): tell their piles, without waiting."""
        if not devices:
            return
        threading.Thread(target=self._follow, args=(station, frozenset(devices), by, until), daemon=True).start()

    def _follow(self, station: str, devices: frozenset[str], by: str, until: Millis | None) -> None:
        do = "in_service" if until is None else "out_of_service"
        try:
            line = self._line.ready()
            for (where, name), pile in line.known().items():
                for device in devices.intersection(pile.devices) if where == station else ():
                    nonce, _ = line.ask(where, pile.bridge, by, {"do": do, "device": device, "until": until})
                    line.forget(nonce)
                    self._note(by, PilePlace(where, name, pile.bridge), do, "as set by hand")
        except ConnectionError as error:
            log.warning("station %s: its piles could not be told what was set by hand: %s", station, error)

    def _note(self, by: str, place: PilePlace, what: str, detail: str) -> None:
        """In the trail: who asked which pile for what, and its answer in a word; no data of either."""
        target = f"{place.station}/{place.charge_point}"
        self._context.keyring.book.note(self._context.now(), by, "pile_call", target, f"{what}: {detail}")


def _answer(reply: BridgeReply) -> dict[str, Any]:
    if reply.result is not None:
        return {"result": reply.result}
    if reply.error is not None:
        return {"error": {"code": reply.error.get("code"), "description": reply.error.get("description")}}
    raise HTTPException(STATUS_OF_TROUBLE.get(reply.trouble or "", 502), reply.text or "the bridge gave no answer")
