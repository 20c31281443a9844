"""What a session listens to, and what its broker was told of that."""

import logging
from collections.abc import Iterable, Sequence

import paho.mqtt.client as paho  # noqa: TID251
from paho.mqtt.reasoncodes import ReasonCode  # noqa: TID251

from gateway.mqtt.client import asked_for
from gateway.mqtt.grants import Grants
from gateway.mqtt.troubles import Troubles

FILTERS_A_PACKET = 500


class Subscriptions:
    """`anew`: what is retained there is wanted once, also where the broker knows the session."""

    def __init__(self, filters: Sequence[str]) -> None:
        self.anew: frozenset[str] = frozenset()
        self.grants = Grants()
        self._filters = dict.fromkeys(filters)  # in order
        self._unsaid: dict[str, None] = {}  # those that the broker was not told of yet
        self._dropped: dict[str, None] = {}  # what it may believe that we listen to

    @property
    def filters(self) -> tuple[str, ...]:
        """The filters that are listened to."""
        return tuple(self._filters)

    def add(self, filters: Iterable[str], client: paho.Client | None, *, version5: bool) -> None:
        """Listen to these too. `client`: None while not connected."""
        fresh = [topic_filter for topic_filter in filters if topic_filter not in self._filters]
        self._filters.update(dict.fromkeys(fresh))
        for topic_filter in fresh:
            self._dropped.pop(topic_filter, None)
        if client is not None and fresh:
            self._ask(fresh, client, version5=version5)
        else:
            self._unsaid.update(dict.fromkeys(fresh))

    def drop(self, filters: Iterable[str], client: paho.Client | None) -> None:
        """Listen to these no more, which a broker that keeps our session may have to be told later."""
        for topic_filter in filters:
            if topic_filter in self._filters:
                del self._filters[topic_filter]
                self._dropped[topic_filter] = None
        if client is not None:
            self._take_back(client)

    def connected(self, client: paho.Client, *, version5: bool, known: bool) -> bool:
        """Tell a new connection. `known`: the broker kept the session, with what we listened to before. False where
        nothing had to be asked.
        """
        left = self.grants.opened()
        self._unsaid.update(dict.fromkeys(name for name in left if name in self._filters))
        # MQTT 3.1.1 would send every retained message again; a kept session has our subscriptions already.
        wanted = self.filters if version5 or not known else [name for name in self.filters if name in self._unsaid]
        self._unsaid.clear()
        asked = bool(wanted) or not known
        if asked:
            self._ask(wanted, client, version5=version5)
        self._take_back(client)
        return asked

    def ask_again(self, client: paho.Client, *, version5: bool) -> None:
        """What was refused, when that is due."""
        self._ask(self.grants.due(), client, version5=version5)

    def answered(self, mid: int, reasons: Sequence[ReasonCode], broker: object, troubles: Troubles) -> str | None:
        """The broker's answer: why it won't let us listen; None where it does."""
        self.grants.answered(mid, [not reason.is_failure for reason in reasons])
        refused = [reason for reason in reasons if reason.is_failure]
        if not refused:
            return None
        why = f"{broker} won't let us listen: {refused[0]}"
        troubles.tell(why, "asking again; if that does not help, mend its access list", logging.ERROR)
        return why

    def _ask(self, filters: Sequence[str], client: paho.Client, *, version5: bool) -> None:
        anew, self.anew = self.anew, frozenset()
        topics = [(wanted, asked_for(anew=wanted in anew) if version5 else 1) for wanted in filters]
        for start in range(0, len(topics), FILTERS_A_PACKET):
            packet = topics[start : start + FILTERS_A_PACKET]
            _, mid = client.subscribe(packet)  # type: ignore[arg-type]
            if mid is not None:
                self.grants.asked(mid, [topic for topic, _ in packet])

    def _take_back(self, client: paho.Client) -> None:
        gone, self._dropped = list(self._dropped), {}
        self.grants.dropped(gone)
        for start in range(0, len(gone), FILTERS_A_PACKET):
            client.unsubscribe(gone[start : start + FILTERS_A_PACKET])
