"""`/api/v1/subscriptions`: apps have changes delivered by webhook, with a key of role app or any other."""

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field

from api.auth import AccessGate, Key
from api.context import ApiContext
from api.late_routes import Routes
from api.outward_use import LastUse
from api.problem import bad_field
from api.schemas import ProblemDocument
from api.times import rfc3339
from api.webhooks.deliveries import Deliveries, may_hear_of_alerts
from api.webhooks.messages import ALERT
from config.kinds import NAMES
from gateway.base.reach import UnreachableError, public_addresses
from gateway.model import Millis
from gateway.notify.signing import new_secret
from gateway.store.base import StoreError
from gateway.store.subscriptions import Subscription

log = logging.getLogger(__name__)

MOST: Final = 10_000
"""SubscriptionList of one key."""
FORMER_MS: Final = 86_400_000
"""After a rotation the former secret signs, too, for so long."""
PROBLEMS: dict[int | str, dict[str, Any]] = {status: {"model": ProblemDocument} for status in (401, 403, 404, 422, 503)}


class SubscriptionWish(BaseModel):
    """What to be told of, and where. Without `stations` all that the key reaches, without `kinds` all."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(min_length=1, max_length=2000)]
    events: Annotated[list[Literal["availability", "alert"]], Field(min_length=1, max_length=2)]
    stations: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=2000)] = []
    kinds: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=50)] = []


class Subscribed(BaseModel):
    """`secret` is shown only here; it verifies what we send, by any library of Standard Webhooks."""

    id: str
    secret: str


class SubscriptionShown(BaseModel):
    """One subscription without its secret. `disabled_at`: it took nothing for three days, or its receiver is gone;
    `unused_since`: nothing was taken for a week, mostly because nothing changed."""

    id: str
    url: str
    events: list[str]
    stations: list[str]
    kinds: list[str]
    created_at: str
    delivered_at: str | None
    failing_since: str | None
    disabled_at: str | None
    unused_since: str | None
    error: str | None


class SubscriptionList(BaseModel):
    subscriptions: list[SubscriptionShown]


def router(context: ApiContext, deliveries: Deliveries) -> Routes:
    routes = Routes(prefix="/api/v1/subscriptions", tags=["subscriptions"], responses=PROBLEMS)
    gate = AccessGate(context.keyring, context.now)
    app, role = Depends(gate.needs("app")), {"x-role": "app"}

    def own(key: Key, subscription: str) -> Subscription:
        with _kept():
            kept = next((known for known in deliveries.all() if known.id == subscription), None)
        if kept is None or (kept.owner != key.id and not (key.at_least("admin") and key.everywhere)):
            raise HTTPException(404, f"there is no subscription {subscription[:64]!r} of this key")
        return kept

    @routes.post("", status_code=201, response_model=Subscribed, openapi_extra=role, summary="Subscribe by webhook")
    def subscribe(wish: SubscriptionWish, key: Key = app) -> Any:
        _judge(wish, key, context)
        subscription = Subscription(
            f"sub_{secrets.token_hex(8)}", key.id, wish.url, tuple(wish.events), tuple(wish.stations),
            tuple(wish.kinds), new_secret(), context.now(),
        )  # fmt: skip
        with _kept():
            if sum(known.owner == key.id for known in deliveries.all()) >= MOST:
                raise HTTPException(422, f"this key has {MOST} subscriptions, and may have no more: delete some")
            deliveries.put(subscription)
        context.keyring.book.note(context.now(), key.name, "subscribed", subscription.id, urlsplit(wish.url).hostname)
        return Subscribed(id=subscription.id, secret=subscription.secret)

    @routes.get("", response_model=SubscriptionList, openapi_extra=role, summary="The key's subscriptions")
    def every(key: Key = app) -> Any:
        with _kept():
            kept = deliveries.all()
        whole = key.at_least("admin") and key.everywhere
        return {"subscriptions": [_told(known, context.now()) for known in kept if whole or known.owner == key.id]}

    @routes.delete("/{subscription}", status_code=204, openapi_extra=role, summary="End a subscription")
    def ended(subscription: str, key: Key = app) -> Response:
        ended = own(key, subscription)
        with _kept():
            deliveries.remove(ended.id)
        context.keyring.book.note(context.now(), key.name, "unsubscribed", ended.id)
        return Response(status_code=204)

    @routes.post("/{subscription}/rotate", response_model=Subscribed, openapi_extra=role, summary="Another secret")
    def rotated(subscription: str, key: Key = app) -> Any:
        """The former one signs, too, for a day. A subscription that was given up is tried again."""
        kept, now = own(key, subscription), context.now()
        anew = replace(
            kept, secret=new_secret(), former_secret=kept.secret, former_until=now + FORMER_MS, disabled_at=None,
            failures=0, failing_since=None, due=0, error=None,
        )  # fmt: skip
        with _kept():
            deliveries.put(anew)
        context.keyring.book.note(now, key.name, "secret_rotated", kept.id)
        return Subscribed(id=kept.id, secret=anew.secret)

    return routes


def _judge(wish: SubscriptionWish, key: Key, context: ApiContext) -> None:
    """422 for what nobody can deliver, 403 for what the key may not hear of."""
    unknown = [station for station in wish.stations if context.settings.station(station) is None]
    if unknown:
        raise bad_field("stations", f"there is no station {unknown[0]!r}")
    strange = [kind for kind in wish.kinds if kind not in NAMES]
    if strange:
        raise bad_field("kinds", f"{strange[0]!r} is no kind; there are {', '.join(NAMES)}")
    for name in wish.stations:
        station = context.settings.station(name)
        if station is None or not key.covers(name, station.region):
            raise HTTPException(403, f"this key does not reach {name}")
    if ALERT in wish.events and not may_hear_of_alerts(key):
        raise HTTPException(403, "this key hears of no alerts: make one with `keys create --role app --alerts`")
    try:
        parts = urlsplit(wish.url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise bad_field("url", "is no address; write https://host/path") from None
    if parts.scheme not in ("http", "https") or not host or not wish.url.isascii() or not wish.url.isprintable():
        raise bad_field("url", "is no address; write https://host/path")
    if context.settings.api.subscriptions_allow_private:
        return
    try:
        public_addresses(host, port or 443, allow_private=False)
    except UnreachableError as error:
        text = str(error).replace("set allow_private: true", "set api.subscriptions_allow_private: true")
        raise bad_field("url", text) from None


def _told(subscription: Subscription, now: Millis) -> SubscriptionShown:
    unused = LastUse(subscription.created_at, subscription.delivered_at).unused_since(now)
    times = {
        name: None if (at := getattr(subscription, name)) is None else rfc3339(at)
        for name in ("delivered_at", "failing_since", "disabled_at")
    }
    return SubscriptionShown(
        id=subscription.id, url=subscription.url, events=list(subscription.events),
        stations=list(subscription.stations), kinds=list(subscription.kinds),
        created_at=rfc3339(subscription.created_at), error=subscription.error,
        unused_since=None if unused is None or subscription.disabled_at else rfc3339(unused), **times,
    )  # fmt: skip


@contextmanager
def _kept() -> Iterator[None]:
    """503 while the file of subscriptions can't be used."""
    try:
        yield
    except StoreError as error:
        log.error("%s", error)
        raise HTTPException(503, "subscriptions can't be kept at the moment; the log says why") from None
