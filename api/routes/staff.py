"""What alerts, orders and reports share: who may see what, questions to the store, requests to the gateway."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fastapi import HTTPException

from api.auth import Key
from api.context import Context
from gateway.alerting import Act, Alerting
from gateway.alerts.words import AlertEvent
from gateway.store.alerts_reader import AlertReader
from gateway.store.base import StoreError

ANSWER_WITHIN_S = 5.0


class Staff:
    """The staff side of one API process. `alerting` None: the gateway is another process, so staff can only look."""

    def __init__(self, context: Context, alerting: Alerting | None) -> None:
        self.context, self.alerting = context, alerting

    @contextmanager
    def reader(self) -> Iterator[AlertReader]:
        """The store's read side for one request; 503 where there is none yet."""
        try:
            reader = AlertReader(self.context.settings.store.path)
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
        if not (key.stations or key.regions):
            return None
        return [one.id for one in self.context.settings.stations if key.covers(one.id, one.region)]

    def check(self, key: Key, station: str | None) -> None:
        """404 for a station that is not there or that the key does not cover: it can't tell which."""
        known = self.context.settings.station(station) if station is not None else None
        region = known.region if known is not None else ()
        if (station is not None and known is None) or not key.covers(station or "", region):
            raise HTTPException(404, "there is nothing of this name for this key")

    async def ask(self, act: Act) -> list[AlertEvent]:
        """Carried out and durable. 503 when the gateway is another process or its store is in trouble."""
        if self.alerting is None:
            raise HTTPException(503, "this process only shows; send it to the process that runs the gateway")
        try:
            return await asyncio.wait_for(asyncio.wrap_future(self.alerting.ask(act)), ANSWER_WITHIN_S)
        except TimeoutError as error:
            raise HTTPException(503, "the gateway can't store it at the moment; try again") from error
