"""From staff to piles: a deed becomes the call of the pile's version, and its outcome an answer."""

from collections.abc import Mapping
from typing import Any

from firmware_bridge.calls import CallAnswer, CallDesk, Ordered, Told
from firmware_bridge.ocpp.calls import CallOutcome
from firmware_bridge.ocpp.central import OcppBus
from firmware_bridge.ocpp.pile import ChargePoint, Plug
from firmware_bridge.ocpp.reply import utc
from firmware_bridge.ocpp.service import ServiceBook, ServiceStore
from firmware_bridge.ocpp.staff import OurCall, StaffMeans, UnfitCallError, call_of
from gateway.base.clock import now_ms
from gateway.model import Millis

NAMES = {"1.6": "ocpp1.6", "2.0.1": "ocpp2.0.1", "2.1": "ocpp2.1"}
_TEXTS = {
    "not_connected": "the pile is not connected",
    "no_answer": "the pile did not answer",
    "busy": "too many calls wait for this pile",
    "operator_commands": "the pile's operator commands it: allow_calls: true at its bus lets staff call it, too",
}


class Switchboard:
    """One for each bus. The piles are read on other threads only for what is set once."""

    def __init__(
        self, bus: OcppBus, piles: Mapping[str, ChargePoint], store: ServiceStore, calls: CallDesk, desk: StaffMeans
    ) -> None:
        self._bus, self._piles, self._calls, self._desk = bus, piles, calls, desk
        self._of = {plug.device: (pile, plug) for pile in piles.values() for plug in pile.plugs}
        self.service = ServiceBook(store, self._tell_service)
        calls.add(self)

    # ---- what the desk asks; the publisher's thread ----

    def charge_points(self) -> tuple[str, ...]:
        return tuple(self._piles)

    def owns(self, ordered: Ordered) -> str | None:
        if ordered.do != "call":
            return ordered.device if ordered.device in self._of else None
        pile = self._piles.get(ordered.charge_point)
        return pile.devices[0] if pile is not None else None

    def carry_out(self, ordered: Ordered, told: Told) -> None:
        self._bus.soon(lambda: self._ask(ordered, told))

    # ---- on the loop's thread ----

    def _ask(self, ordered: Ordered, told: Told) -> None:
        pile, plug = self._target(ordered)
        if not self._bus.may_call:
            told(_trouble("operator_commands"))
            return
        self._note_service(ordered, pile)
        if not self._bus.is_there(pile.charge_point):
            told(_trouble("not_connected"))
            return
        try:
            call = call_of(ordered, pile, plug, self._desk, now_ms())
        except UnfitCallError as error:
            told({"trouble": error.trouble, "text": str(error)})
            return
        self._bus.ask(pile.charge_point, call.action, call.payload, lambda outcome: told(_answer(outcome)))

    def _target(self, ordered: Ordered) -> tuple[ChargePoint, Plug | None]:
        return (self._piles[ordered.charge_point], None) if ordered.do == "call" else self._of[ordered.device]

    def _note_service(self, ordered: Ordered, pile: ChargePoint) -> None:
        """Also for a pile that is away: it is told when it is back."""
        if ordered.do == "out_of_service" and ordered.until is not None:
            self.service.out(ordered.device, ordered.until)
            if not self._bus.is_there(pile.charge_point):
                self.service.forget_told(ordered.device)
        elif ordered.do == "in_service" and self._bus.is_there(pile.charge_point):
            self.service.back(ordered.device)
        elif ordered.do == "in_service":
            self.service.out(ordered.device, 0)

    def _tell_service(self, device: str, operative: bool, done: Any) -> None:
        pile, plug = self._of[device]
        ordered = Ordered(do="in_service" if operative else "out_of_service", device=device)
        call: OurCall = call_of(ordered, pile, plug, self._desk, now_ms())
        self._bus.ask(pile.charge_point, call.action, call.payload, lambda outcome: done(outcome.trouble is None))

    # ---- what the bus tells ----

    def presence(self, pile: ChargePoint, since: Millis | None) -> None:
        if since is None:
            self._calls.there(pile.charge_point, None)
            return
        for device in pile.devices:
            self.service.forget_told(device)
        about: dict[str, Any] = {
            "protocol": NAMES[pile.version], "since": utc(since), "vendor": pile.vendor, "model": pile.model,
            "firmware": pile.firmware, "devices": list(pile.devices),
        }  # fmt: skip
        if pile.operator_away is not None:
            about["operator"] = "away" if pile.operator_away else "there"
        self._calls.there(pile.charge_point, about)

    def tick(self, now: Millis) -> None:
        if self._bus.may_call:
            self.service.tick(
                now, lambda device: device in self._of and self._bus.is_there(self._of[device][0].charge_point)
            )


def _answer(outcome: CallOutcome) -> CallAnswer:
    if outcome.result is not None:
        return {"result": outcome.result}
    if outcome.error is not None:
        return {"error": {"code": outcome.error.code, "description": outcome.error.description}}
    return _trouble(outcome.trouble or "no_answer")


def _trouble(word: str) -> CallAnswer:
    return {"trouble": word, "text": _TEXTS.get(word, word)}
