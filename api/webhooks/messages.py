"""What a subscriber is told: `{"type", "timestamp", "data"}`, as Standard Webhooks has it. Pure.

Of a station the present document, when anything in it changed that the subscriber asked for: whether it is open, what
of its kinds is usable. A document that only renews its times is no news.
"""

import hashlib
from dataclasses import dataclass

import msgspec

from api.live_view import Entry
from api.wire_documents import read
from gateway.alerts.payload import alert_json
from gateway.alerts.words import AlertEvent
from gateway.base.times import rfc3339
from gateway.live.station_document import StationDocument
from gateway.model import Millis
from gateway.store.subscriptions import Subscription

AVAILABILITY, ALERT = "availability", "alert"
EVENTS = (AVAILABILITY, ALERT)


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """`id` is the same while it is tried again."""

    id: str
    body: bytes


def digest_of(shown: StationDocument, kinds: tuple[str, ...] = ()) -> str:
    """Another one when something changed that a subscriber to these kinds (none: all) wants to hear of."""
    lines = [
        (line.kind, line.type, line.total, line.usable_min, line.usable_max)
        for line in shown.summary
        if not kinds or line.kind in kinds
    ]
    resources = [
        (resource.id, resource.usable, resource.because)
        for resource in shown.resources()
        if not kinds or resource.kind in kinds
    ]
    alarms = [
        (instrument.id, instrument.alarm) for instrument in shown.instruments() if not kinds or instrument.kind in kinds
    ]
    facts = (shown.open.now, shown.open.proof, lines, resources, alarms)
    return hashlib.blake2b(msgspec.json.encode(facts), digest_size=12).hexdigest()


def availability(subscription: Subscription, entry: Entry, digest: str, number: int) -> WebhookMessage:
    """The `number`th state of a station that the subscriber is told."""
    shown = msgspec.json.decode(entry.body, type=dict[str, msgspec.Raw])
    name = hashlib.blake2b(f"{subscription.id}/{entry.station}".encode(), digest_size=6).hexdigest()
    stamp = msgspec.json.decode(shown["as_of"], type=str)
    body = {"type": AVAILABILITY, "timestamp": stamp, "data": msgspec.Raw(entry.body)}
    return WebhookMessage(f"msg_{name}_{number}_{digest[:8]}", msgspec.json.encode(body))


def alert(event: AlertEvent) -> bytes:
    """What happened to an alert. Names of staff stay home."""
    data = alert_json(event.alert)
    del data["history"]
    body = {"type": ALERT, "timestamp": rfc3339(event.at), "data": data | {"action": event.action}}
    return msgspec.json.encode(body)


def shown_of(entry: Entry) -> StationDocument:
    return read(entry.body)


def wants(subscription: Subscription, event: str, station: str | None) -> bool:
    """Whether it is on, and asked for such events of this station (None: our own alerts)."""
    if subscription.disabled_at is not None or event not in subscription.events:
        return False
    return not subscription.stations or station in subscription.stations


PAUSES_MS: tuple[Millis, ...] = (5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000)
"""After the first failure, the second, ...; the last for all that follow."""
GIVE_UP_MS: Millis = 3 * 86_400_000
"""A subscriber that takes nothing for so long is given up."""


def pause_after(failures: int) -> Millis:
    """How long to wait after so many failures in a row, at least one."""
    return PAUSES_MS[min(failures, len(PAUSES_MS)) - 1]
