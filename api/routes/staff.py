"""What alerts, orders and reports share: who may see what, questions to the store, deeds for the gateway."""

import asyncio
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from fastapi import HTTPException

from api.alert_books import AlertBooks
from api.auth import Key
from api.context import ApiContext
from api.errands import told_of
from api.journal_here import needs_journal
from gateway.alerting import Alerting, Deed, DeedError
from gateway.alerting.deeds import Verb, encode
from gateway.alerts.orders import OrderError
from gateway.alerts.payload import OWN
from gateway.alerts.words import UnknownAlertError
from gateway.base.clock import monotonic_s
from gateway.commands import LIFE_MS
from gateway.store.base import StoreError

ANSWER_WITHIN_S = 5.0
ASK_AGAIN_S = 0.05


class Staff:
    """The staff side of one API process. `alerting` None: the gateway is another process, which hears of it by MQTT."""

    def __init__(self, context: ApiContext, alerting: Alerting | None) -> None:
        self.context, self._alerting = context, alerting

    @contextmanager
    def reader(self) -> Iterator[AlertBooks]:
        """The store's read side for one request; 503 where there is none yet."""
        needs_journal(self.context.settings, "alerts, orders and the audit trail")
        try:
            reader = AlertBooks(self.context.settings.store.path)
        except StoreError as error:
            raise HTTPException(503, "there is no store to read yet; is the gateway running?") from error
        try:
            yield reader
        except StoreError as error:
            raise HTTPException(503, "the store can't be read at the moment") from error
        finally:
            reader.close()

    def covered(self, key: Key, station: str | None = None) -> Sequence[str] | None:
        """The stations that a key may see, all of them or the one asked for; None for everything, ours included."""
        if station is not None:
            self.check(key, station)
            return [station]
        if key.everywhere:
            return None
        return [station.id for station in self.context.settings.stations if key.covers(station.id, station.region)]

    def check(self, key: Key, station: str | None) -> None:
        """404 for a station that is not there or that the key does not cover: it can't tell which."""
        known = self.context.settings.station(station) if station is not None else None
        region = known.region if known is not None else ()
        if (station is not None and known is None) or not key.covers(station or "", region):
            raise HTTPException(404, "there is nothing of this name for this key")

    def check_kept(self, key: Key, station: str | None) -> None:
        """The same for what is in the store, whose station may be a stranger's name: for keys that reach everywhere."""
        if not key.everywhere:
            self.check(key, station)

    async def do(self, verb: Verb, by: str, station: str | None, **more: Any) -> str:
        """Carried out and durable; its nonce. 409 where it no longer fits, 503 when the gateway does not answer."""
        expires = self.context.now() + LIFE_MS // 2  # half of it is for clocks that differ
        known = self.context.settings.station(station) if station is not None else None
        here = known.id if known is not None else ""  # a stranger's name may hold anything: it is in no topic
        deed = Deed(do=verb, by=by, nonce=secrets.token_hex(16), expires=expires, station=here, **more)
        try:
            await asyncio.wait_for(self._carried_out(deed), ANSWER_WITHIN_S)
        except UnknownAlertError as error:
            raise HTTPException(409, "the alert is closed already") from error
        except (OrderError, DeedError) as error:
            raise HTTPException(409, str(error)) from error
        except (TimeoutError, StoreError) as error:
            raise HTTPException(503, "the gateway does not answer; look whether it was done, then try again") from error
        return deed.nonce

    async def box(self, station: str | None, nonce: str) -> dict[str, Any]:
        """What the box of the station made of a deed, for the answer; see `told_of`."""
        return await asyncio.to_thread(told_of, self.context.settings, station, nonce)

    async def _carried_out(self, deed: Deed) -> None:
        if self._alerting is not None:
            await asyncio.wrap_future(self._alerting.desk.do(deed))
            return
        if self.context.command is None:
            raise HTTPException(503, "this process has no way to the gateway; send it to the gateway's own address")
        try:
            self.context.command(f"yz-cmd/{deed.station or OWN}/staff", encode(deed))
        except ConnectionError as error:
            raise HTTPException(503, "the gateway can't be reached at the moment; try again") from error
        await asyncio.to_thread(self._wait_for, deed.nonce)

    def _wait_for(self, nonce: str) -> None:
        """Until the audit trail holds it. TimeoutError when it does not come."""
        end = monotonic_s() + ANSWER_WITHIN_S
        with self.reader() as reader:
            while not reader.audited(nonce):
                if monotonic_s() > end:
                    raise TimeoutError
                time.sleep(ASK_AGAIN_S)
