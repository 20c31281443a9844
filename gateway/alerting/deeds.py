"""What staff and visitors do, as data: the gateway carries it out, whether they ask in its process or from another.

From another process a deed travels signed on `yz-cmd/{station}/staff`, and its nonce in the audit trail is the answer.
That it comes once, and in time, is the gate's work (`gateway.commands`).
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Annotated, Literal

import msgspec

from gateway.alerting.orders import FOUND_BY_PERSON
from gateway.alerting.twins import About, Twins
from gateway.alerts import orders
from gateway.alerts.core import Alerts
from gateway.alerts.facts import Fact
from gateway.alerts.kinds import KINDS, is_danger
from gateway.alerts.orders import Order, OrderEvent
from gateway.alerts.shelf import MUTED_MOST_MS, can_be_muted
from gateway.alerts.words import MAINTENANCE, SENSOR, Alert, AlertEvent
from gateway.live import Live
from gateway.model import Millis, Resource
from gateway.policy.text import LONGEST_NAME, bounded
from gateway.store.alerts_reader import AlertReader
from gateway.store.jobs import Job, RetryDelivery, SpendLink

LinkId = Annotated[str, msgspec.Meta(max_length=64)]
Until = Annotated[Millis, msgspec.Meta(ge=0, lt=2**53)]  # the store holds 64 bits
LONGEST_TEXT = 1_000
UNDO_WITHIN_MS = 15 * 60_000
Verb = Literal[
    "acknowledge", "close", "comment", "mute", "undo", "retry", "assign", "accept", "done", "verify", "undo_order",
    "report",
]  # fmt: skip
Done = tuple[list[AlertEvent], list[OrderEvent], list[Job]]
ON_ORDERS: frozenset[Verb] = frozenset(("accept", "done", "verify", "undo_order"))
RELAYED: frozenset[Verb] = ON_ORDERS | {"acknowledge", "close", "comment", "mute", "undo", "assign", "report"}
"""What is done at a box and at its centre."""


class Deed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`target`: the alert, order or delivery. `assign` and `report` name a station and perhaps a resource.

    `text`: the comment, the order's title, or a visitor's words; `sort`: what kind of problem a visitor reports;
    `link`: what is spent with it, and until when; `until`: the end of `mute`, none ends it. Of one that was done at
    another machine already: `told_by` names that box, or is CENTRE, and `about` says what alert `target` is, or is for.
    """

    do: Verb
    by: str
    nonce: str
    expires: Millis
    target: str = ""
    station: str = ""
    resource: str | None = None
    assignee: str = ""
    text: str = ""
    sort: str = ""
    link: tuple[LinkId, Until] | None = None
    until: Until | None = None
    told_by: LinkId = ""
    about: About | None = None

    @property
    def is_relayed(self) -> bool:
        """Whether it was done elsewhere, and is to be done here as well."""
        return bool(self.told_by)

    @property
    def who(self) -> str:
        """Who did it, and at which other machine."""
        return f"{self.by}@{self.told_by}" if self.is_relayed else self.by


class DeedError(ValueError):
    """A deed that is not carried out; the text says why."""


encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Deed)


def decode(payload: bytes) -> Deed:
    """DeedError for one that can't be read."""
    try:
        return _decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DeedError(f"unreadable: {error}") from None


OnVerified = Callable[[str, str, str, str, Millis], None]
"""(station, check, who, 32 hex digits, now): what a check found wrong was seen to be right."""


class Deeds:
    """Carries them out on the intake thread. LookupError or ValueError says why not."""

    def __init__(self, core: Alerts, live: Live, reader: AlertReader) -> None:
        self._core, self._live, self._reader = core, live, reader
        self.twins = Twins(core, reader)
        self.on_verified: OnVerified = lambda _station, _check, _by, _name, _now: None

    def carry_out(self, deed: Deed, now: Millis) -> Done:
        deed = msgspec.structs.replace(
            deed, by=bounded(deed.who, LONGEST_NAME), assignee=bounded(deed.assignee, LONGEST_NAME),
            text=bounded(deed.text, LONGEST_TEXT),
        )  # fmt: skip
        events, steps, jobs = self._do(deed, now)
        return events, steps, jobs if deed.link is None else [*jobs, SpendLink(*deed.link)]

    def _do(self, deed: Deed, now: Millis) -> Done:
        match deed.do:
            case "acknowledge" | "close" | "comment" | "mute":
                return self._on_alert(deed, now), [], []
            case "undo":
                return self._undo(deed, now), [], []
            case "verify":
                return self._verify(self._order(deed), deed, now)
            case "undo_order":
                return self._undo_order(self._order(deed), deed, now)
            case "retry":
                return [], [], [RetryDelivery(deed.target, now)]
            case "report":
                return self._report(deed, now), [], []
            case _:
                return [], [self._step(deed, now)], []

    def _on_alert(self, deed: Deed, now: Millis) -> list[AlertEvent]:
        core = self._core
        if deed.do == "close":
            self._may_close(deed.target)
        held = core.desk.acknowledge(deed.target, deed.by, now) if deed.do == "acknowledge" else []
        said = held + (core.desk.comment(deed.target, deed.by, deed.text, now) if deed.text else [])
        if deed.do == "mute":
            return said + self._mute(deed, now)
        return said + core.desk.close(deed.target, deed.by, now) if deed.do == "close" else said

    def _mute(self, deed: Deed, now: Millis) -> list[AlertEvent]:
        alert = self._core.desk.find(deed.target)
        if alert is not None and not can_be_muted(alert):
            raise DeedError("this is told to its end: nobody mutes what threatens people or makes us blind")
        until = now if deed.until is None else deed.until
        if until > now + MUTED_MOST_MS:
            raise DeedError("until must lie ahead, by at most 7 days")
        return self._core.desk.mute(deed.target, deed.by, until, now)

    def _undo(self, deed: Deed, now: Millis) -> list[AlertEvent]:
        """What a person did to an alert last, within a quarter of an hour: an acknowledgement, a closing, a mute."""
        desk = self._core.desk
        steps = [line for line in self._reader.history(deed.target) if line[1] not in ("commented", "opened")]
        at, action, by, _ = steps[-1] if steps else (0, "", SENSOR, None)
        if not (at <= now <= at + UNDO_WITHIN_MS) or by in (SENSOR, MAINTENANCE):
            raise DeedError("there is nothing of the last quarter of an hour to take back")
        if action == "closed":
            closed = self._reader.alert(deed.target)
            assert closed is not None, "it has a history"
            return desk.reopen(closed, deed.by, now)
        if action == "acknowledged":
            return desk.release(deed.target, deed.by, now)
        if action == "muted":
            return desk.mute(deed.target, deed.by, now, now)
        raise DeedError("the last step was taken back already")

    def _may_close(self, alert_id: str) -> None:
        """Nobody closes a warning that goes on."""
        alert = self._core.desk.find(alert_id)
        if alert is None or not is_danger(alert):
            return
        station = self._live.stations.get(alert.station or "")
        for facts in () if station is None else station.facts():
            if facts.resource.id == alert.resource and (facts.known.use, facts.axes.evidence) == ("blocked", "live"):
                raise DeedError("it still warns: acknowledge it, and it closes once the warning is over")

    def _step(self, deed: Deed, now: Millis) -> OrderEvent:
        if deed.do == "assign":
            alert = self._reader.alert(deed.target) if deed.target else None
            if deed.target and alert is None:
                raise DeedError(f"there is no alert {deed.target!r}")
            station = (alert.station if alert is not None else None) or deed.station
            return orders.assign(deed.nonce[:12], alert, station, deed.resource, deed.text, deed.assignee, deed.by, now)
        steps = {"accept": orders.accept, "done": orders.claim_done}
        return steps[deed.do](self._order(deed), deed.by, now)

    def _order(self, deed: Deed) -> Order:
        order = self._reader.order(deed.target)
        if order is None:
            raise DeedError(f"there is no order {deed.target!r}")
        return order

    def _alert_of(self, order: Order) -> Alert | None:
        return self._reader.alert(order.alert) if order.alert is not None else None

    def _verify(self, order: Order, deed: Deed, now: Millis) -> Done:
        """Whoever verifies the order for what only a person can see (what a check found, a forced door, a call for
        help) has seen it: that ends the trouble, too.
        """
        alert = self._alert_of(order)
        by_person = alert is not None and alert.kind == FOUND_BY_PERSON
        latched = alert is not None and KINDS[alert.kind].latched
        event = orders.verify_by_hand(order, deed.by, now, seen_by_person=by_person or latched)
        if alert is not None and by_person:
            name = blake2b(deed.nonce.encode(), digest_size=16).hexdigest()
            self.on_verified(order.station, alert.subject, deed.by, name, now)
        if alert is not None and latched and alert.state != "closed":
            return self._core.desk.close(alert.id, deed.by, now), [event], []
        return [], [event], []

    def _undo_order(self, order: Order, deed: Deed, now: Millis) -> Done:
        """The last step of a person, within a quarter of an hour; a verified order takes what it closed along."""
        last = self._reader.order_history(order.id)[-1]
        if last[2] == SENSOR or not last[0] <= now <= last[0] + UNDO_WITHIN_MS:
            raise DeedError("there is nothing of the last quarter of an hour to take back")
        event = orders.undo(order, deed.by, now)
        alert = self._alert_of(order)
        closed = alert is not None and alert.state == "closed" and KINDS[alert.kind].latched and order.state == "closed"
        events = self._core.desk.reopen(alert, deed.by, now) if alert is not None and closed else []
        return events, [event], []

    def _report(self, deed: Deed, now: Millis) -> list[AlertEvent]:
        """A visitor's words stay in the history, for staff only."""
        core, subject = self._core, deed.resource or deed.station
        fact = Fact(
            "reported", now, True, deed.station, subject, self._resource(deed), deed.sort, {"reported": deed.sort}
        )
        events = core.on_facts([fact], now)
        if not deed.text:
            return events
        about = ("reported", deed.station, subject)
        alert = next(
            (alert for alert in core.desk.open_alerts() if (alert.kind, alert.station, alert.subject) == about), None
        )
        if alert is None:
            raise DeedError("the report could not be kept: nothing open to keep it with")
        return events + core.desk.comment(alert.id, deed.by, deed.text, now)

    def _resource(self, deed: Deed) -> Resource | None:
        station = self._live.stations.get(deed.station)
        if station is None:
            raise DeedError(f"there is no station {deed.station!r}")
        return next((facts.resource for facts in station.facts() if facts.resource.id == deed.resource), None)
