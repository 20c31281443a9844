"""What staff ask of a pile, in the words of its version; and what must not be asked: a token that we did not make."""

from collections.abc import Callable
from dataclasses import dataclass
from zlib import crc32

from firmware_bridge.calls import Ordered
from firmware_bridge.ocpp import schemas, v16, v201
from firmware_bridge.ocpp.frames import Payload
from firmware_bridge.ocpp.pile import ChargePoint, Plug
from firmware_bridge.ocpp.reply import utc
from gateway.commands import carries_foreign_token, make_token
from gateway.model import Millis

BOTH_WAYS = frozenset(("DataTransfer",))
STARTS = frozenset(("RemoteStartTransaction", "RequestStartTransaction", "ReserveNow"))
_FROM_PILES = {"1.6": v16.HANDLERS, "2.0.1": v201.HANDLERS, "2.1": v201.HANDLERS_2_1}


class UnfitCallError(ValueError):
    """A call that is not made. `trouble` is the word of `firmware_bridge.calls` for it."""

    def __init__(self, text: str, trouble: str = "senseless") -> None:
        super().__init__(text)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class OurCall:
    action: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class StaffMeans:
    """`key` gives the command key, with which tokens are made; `charge(device)` the number and the pile's own name of
    the transaction that goes on there."""

    key: Callable[[], bytes | None]
    charge: Callable[[str], tuple[int, str] | None]


def call_of(ordered: Ordered, pile: ChargePoint, plug: Plug | None, desk: StaffMeans, now: Millis) -> OurCall:
    """What to ask the pile. UnfitCallError says why nothing."""
    if ordered.do == "call":
        return _checked(OurCall(ordered.action, ordered.payload), pile, desk, now)
    if plug is None and ordered.do != "reset":
        raise UnfitCallError(f"{ordered.device} is no connector of {pile.charge_point}")
    made = (_made_16 if pile.version == "1.6" else _made_2)(ordered, plug, desk, now)
    return _checked(made, pile, desk, now)


def _made_16(ordered: Ordered, plug: Plug | None, desk: StaffMeans, now: Millis) -> OurCall:
    here = {"connectorId": plug.connector} if plug is not None else {}
    match ordered.do:
        case "reset":
            return OurCall("Reset", {"type": "Soft"})
        case "unlock":
            return OurCall("UnlockConnector", here)
        case "out_of_service" | "in_service":
            kind = "Inoperative" if ordered.do == "out_of_service" else "Operative"
            return OurCall("ChangeAvailability", here | {"type": kind})
        case "start":
            return OurCall("RemoteStartTransaction", here | {"idTag": ""})
        case "stop":
            return OurCall("RemoteStopTransaction", {"transactionId": _charge(ordered, desk)[0]})
        case "reserve":
            return OurCall(
                "ReserveNow", here | _reservation(ordered, now, "expiryDate", "reservationId") | {"idTag": ""}
            )
        case _:
            return OurCall("CancelReservation", {"reservationId": _reservation_id(ordered)})


def _made_2(ordered: Ordered, plug: Plug | None, desk: StaffMeans, now: Millis) -> OurCall:
    evse, connector = (0, 1) if plug is None else (plug.evse, plug.connector) if plug.evse else (plug.connector, 1)
    token = {"idToken": "", "type": "Central"}
    match ordered.do:
        case "reset":
            return OurCall("Reset", {"type": "OnIdle"})
        case "unlock":
            return OurCall("UnlockConnector", {"evseId": evse, "connectorId": connector})
        case "out_of_service" | "in_service":
            kind = "Inoperative" if ordered.do == "out_of_service" else "Operative"
            return OurCall(
                "ChangeAvailability", {"operationalStatus": kind, "evse": {"id": evse, "connectorId": connector}}
            )
        case "start":
            number = now % 2**31
            return OurCall("RequestStartTransaction", {"evseId": evse, "remoteStartId": number, "idToken": token})
        case "stop":
            return OurCall("RequestStopTransaction", {"transactionId": _charge(ordered, desk)[1]})
        case "reserve":
            fields = _reservation(ordered, now, "expiryDateTime", "id")
            return OurCall("ReserveNow", fields | {"evseId": evse, "idToken": token})
        case _:
            return OurCall("CancelReservation", {"reservationId": _reservation_id(ordered)})


def _charge(ordered: Ordered, desk: StaffMeans) -> tuple[int, str]:
    charge = desk.charge(ordered.device)
    if charge is None:
        raise UnfitCallError(f"no transaction goes on at {ordered.device}")
    return charge


def _reservation(ordered: Ordered, now: Millis, expiry: str, number: str) -> Payload:
    if ordered.until is None or ordered.until <= now:
        raise UnfitCallError("a reservation needs an end ahead")
    return {number: _reservation_id(ordered), expiry: utc(ordered.until)}


def _reservation_id(ordered: Ordered) -> int:
    """One for each connector: a new one takes the place of the one before, as the standard says."""
    return crc32(ordered.device.encode()) & 0x7FFF_FFFF


# ---- what may be asked ----


def _checked(call: OurCall, pile: ChargePoint, desk: StaffMeans, now: Millis) -> OurCall:
    version, action = pile.version, call.action
    if action not in schemas.actions(version) or (action in _FROM_PILES[version] and action not in BOTH_WAYS):
        raise UnfitCallError(f"{action!r} is no call of a central system in OCPP {version}")
    key = desk.key()
    payload = _with_token(call, version, key, now) if action in STARTS else call.payload
    if carries_foreign_token(payload, key, now):
        raise UnfitCallError(
            "the payload carries a token that this product did not make: leave it out or empty, and one is made",
            "foreign_token",
        )
    fault = schemas.request_fault(action, version, payload)
    if fault is not None:
        raise UnfitCallError(f"{action}: {fault.text}")
    return OurCall(action, payload)


def _with_token(call: OurCall, version: str, key: bytes | None, now: Millis) -> Payload:
    """A missing or empty token is one of ours."""
    if key is None:
        raise UnfitCallError("there is no command key to make a token with")
    if version == "1.6":
        return call.payload | {"idTag": call.payload.get("idTag") or make_token(key, now)}
    given = call.payload.get("idToken")
    token = given if isinstance(given, dict) else {"type": "Central"}
    made = token.get("idToken") or make_token(key, now)
    return call.payload | {"idToken": {"type": "Central"} | token | {"idToken": made}}
