"""Alarms in the journal that came after alerts last followed it."""

from collections.abc import Callable, Iterator

from gateway.alerting.facts import facts_of_events
from gateway.alerts.case import alert_id
from gateway.alerts.facts import Fact
from gateway.alerts.words import Alert
from gateway.live import Live
from gateway.model import Millis
from gateway.store.base import Store
from gateway.wire import UnreadableError, parse_topic, read_event


def missed_alarms(store: Store, live: Live, known: Callable[[str], Alert | None], cursor: int) -> Iterator[Fact]:
    """Alarms in the batches behind `cursor`; those whose alert is `known` by its id are left out."""
    for _, batch in store.batches(cursor):
        for topic, payload, received in zip(batch.topics, batch.payloads, batch.received, strict=True):
            said = _alarm(live, topic, payload, received) if topic.endswith(b"/event") else ()
            yield from (fact for fact in said if known(_id_of(fact)) is None)


def _alarm(live: Live, topic: bytes, payload: bytes, received: Millis) -> list[Fact]:
    try:
        device = live.devices.get(parse_topic(topic)[:2])
        return facts_of_events([(device, read_event(payload), received)]) if device is not None else []
    except UnreadableError:
        return []


def _id_of(fact: Fact) -> str:
    return alert_id((fact.station or "", fact.subject, fact.kind), fact.at)
