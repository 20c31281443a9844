"""Which of a pile's messages wait for an operator who is away, and where transactions are numbered in them. Pure."""

import json
from dataclasses import dataclass, field
from typing import Any

from firmware_bridge.ocpp.frames import Payload, PileCall, call_words

ASKS = frozenset(
    (
        "Authorize", "DataTransfer", "Get15118EVCertificate", "GetCertificateChainStatus", "GetCertificateStatus",
        "Heartbeat", "NotifyEVChargingNeeds", "OpenPeriodicEventStream", "PullDynamicScheduleUpdate", "SignCertificate",
        "VatNumberValidation",
    )
)  # fmt: skip
"""What asks for an answer of now: nobody wants it later."""
STEPS = frozenset(("StartTransaction", "StopTransaction", "TransactionEvent"))
UNKNOWN = -1
"""What the operator is told of the end of a transaction whose start he refused, or never had."""
LARGEST = 2**31 - 1


def waits(call: PileCall) -> bool:
    return call.wants_answer and call.action not in ASKS


def is_step(call: PileCall) -> bool:
    """A start or an end: told once, and never dropped."""
    if call.action == "TransactionEvent":
        return call.payload.get("eventType") != "Updated"
    return call.action in STEPS


def begins(call: PileCall) -> bool:
    return call.action == "StartTransaction" or call.payload.get("eventType") == "Started"


def lasts(call: PileCall) -> bool:
    return is_step(call) or call.action == "SecurityEventNotification"


@dataclass(slots=True)
class Numbers:
    """The numbers of one pile's transactions (1.6): the pile's → the operator's, None while he has given none."""

    his: dict[int, int | None] = field(default_factory=dict)

    def given_of(self, his: object) -> int | None:
        """The pile's number of a transaction as the operator calls it, the newest; None for one that we don't know."""
        return next((given for given, known in reversed(self.his.items()) if known == his), None)


def to_operator(call: PileCall, said: str, numbers: Numbers) -> str:
    """The words of a pile's call as the operator is to hear them."""
    number = call.payload.get("transactionId")
    if (
        call.action not in ("StopTransaction", "MeterValues")
        or not isinstance(number, int)
        or number not in numbers.his
    ):
        return said
    his = numbers.his[number]
    if his == number:
        return said
    payload = dict(call.payload)
    if his is not None:
        payload["transactionId"] = his
    elif call.action == "MeterValues":
        del payload["transactionId"]
    else:
        payload["transactionId"] = UNKNOWN
    return call_words(call.action, payload)


def to_pile(call: PileCall, said: str, numbers: Numbers) -> str:
    """The words of an operator's call as the pile is to hear them."""
    payload: Any = call.payload
    if call.action == "SetChargingProfile" and isinstance(payload.get("csChargingProfiles"), dict):
        profile = _with_number(payload["csChargingProfiles"], numbers)
        return said if profile is None else call_words(call.action, payload | {"csChargingProfiles": profile})
    if call.action != "RemoteStopTransaction":
        return said
    named = _with_number(payload, numbers)
    return said if named is None else call_words(call.action, named)


def _with_number(payload: Payload, numbers: Numbers) -> Payload | None:
    """None where it stays as it is."""
    his = payload.get("transactionId")
    given = numbers.given_of(his) if isinstance(his, int) else None
    if given is None and his in numbers.his:
        given = UNKNOWN  # not his, but that of another transaction at the pile
    return None if given is None or given == his else payload | {"transactionId": given}


def verdict_in(answer: Payload) -> str | None:
    """Whether the operator lets him charge, in the words of the standard; None where he says nothing of it."""
    for key in ("idTagInfo", "idTokenInfo"):
        info = answer.get(key)
        if isinstance(info, dict) and isinstance(info.get("status"), str):
            return str(info["status"])[:20]
    return None


def number_in(answer: Payload) -> int | None:
    """The operator's number of a transaction that has begun."""
    number = answer.get("transactionId")
    return number if isinstance(number, int) and not isinstance(number, bool) and abs(number) <= LARGEST else None


def answer_again(call: PileCall, version: str, verdict: str | None, given: int | None) -> Payload:
    """To a step that the pile repeats, and that the operator has."""
    info = {} if verdict is None else {"idTagInfo" if version == "1.6" else "idTokenInfo": {"status": verdict}}
    return info if call.action != "StartTransaction" else {"transactionId": given or 0} | info


def renumbered(raw_answer: str, answer: Payload, given: int) -> str:
    """The operator's answer to a start, with the number that the pile is given."""
    if answer.get("transactionId") == given:
        return raw_answer
    return json.dumps(answer | {"transactionId": given}, separators=(",", ":"))
