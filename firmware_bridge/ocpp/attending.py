"""A pile that is there is looked after: asked what it left out, set to work offline, closed when it is gone."""

import logging

from firmware_bridge.ocpp.calls import CallOutcome
from firmware_bridge.ocpp.conversation import Conversation
from firmware_bridge.ocpp.link import PileLink
from firmware_bridge.ocpp.opening import how_set, to_set, whats_up

log = logging.getLogger(__name__)

SILENT_S, GONE_S = 90.0, 150.0  # asked whether it is there, and given up
ASK_STATUS_S = 10.0  # a connector that has told no status by then is asked
SETTLED_S = 60.0  # after dialling a pile that has booted is done with its own beginnings
SLOW_S = 20.0  # takes nothing of what we say


def attend(bus: str, link: PileLink, talk: Conversation, now_s: float, *, may_call: bool) -> None:
    """Whatever is due. `may_call`: no operator alone commands it."""
    talk.calls.give_up(now_s)
    there_s = now_s - link.opened_at
    if not talk.asked_status and there_s > ASK_STATUS_S:
        _ask_status(talk)
    if talk.booted and not talk.settled and may_call and there_s > SETTLED_S:
        _settle(talk)
    silent_s = now_s - link.heard_at
    if silent_s > GONE_S or (link.full_since is not None and now_s - link.full_since > SLOW_S):
        log.info("bus %s: %s says or takes nothing any more: closed", bus, talk.pile.charge_point)
        link.drop()
    elif silent_s > SILENT_S and link.pinged_at is None:
        link.ping()


def _settle(talk: Conversation) -> None:
    """A pile that works offline shall know those whom it let in before: its cache is turned on where it is off."""
    talk.settled = True

    def told(outcome: CallOutcome) -> None:
        for action, payload in to_set(talk.pile.version, outcome.result or {}):
            talk.calls.ask(action, payload, lambda _outcome: None)

    talk.calls.ask(*how_set(talk.pile.version), told)


def _ask_status(talk: Conversation) -> None:
    """A line that was only broken is taken up without a boot, and then some piles tell no status by themselves."""
    talk.asked_status = True
    for plug in talk.pile.plugs:
        if not plug.fresh:
            talk.calls.ask(*whats_up(talk.pile.version, plug.evse, plug.connector), lambda _outcome: None)
