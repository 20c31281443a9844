"""OCPP 1.6J: what a pile may say, and what a central system answers. Every action has a row in `HANDLERS`."""

from firmware_bridge.cards import NOBODY, CardStanding
from firmware_bridge.ocpp import meters
from firmware_bridge.ocpp.charging import ChargeBegin, ChargeEnd
from firmware_bridge.ocpp.frames import Payload
from firmware_bridge.ocpp.meters import Sampled
from firmware_bridge.ocpp.pile import Plug, time_of
from firmware_bridge.ocpp.reply import (
    Handler,
    Reply,
    Scene,
    booted,
    error_text,
    heartbeat,
    says,
    security_event,
    utc,
)


def boot(scene: Scene, payload: Payload) -> Reply:
    return booted(
        scene, payload.get("chargePointVendor"), payload.get("chargePointModel"), payload.get("firmwareVersion")
    )


def authorize(scene: Scene, payload: Payload) -> Reply:
    info = _tag_info(scene.tokens.decide(payload["idTag"], scene.now).standing)
    return Reply(lambda: {"idTagInfo": info})


def status(scene: Scene, payload: Payload) -> Reply:
    pile, connector = scene.pile, payload["connectorId"]
    plug = pile.plug(connector)
    if plug is None and connector != 0:
        return Reply()
    trouble = error_text(payload["errorCode"], payload.get("vendorErrorCode"), payload.get("info"))
    pile.set_status(plug, payload["status"], trouble, time_of(payload.get("timestamp")), scene.now)
    return Reply(dict, pile.news(scene.now))


def meter_values(scene: Scene, payload: Payload) -> Reply:
    plug = scene.pile.plug(payload["connectorId"])
    if plug is None:
        return Reply()
    take(scene, plug, meters.sampled(payload["meterValue"]))
    return Reply(dict, scene.pile.news(scene.now))


def take(scene: Scene, plug: Plug, moments: list[Sampled]) -> None:
    """What is measured now; what a pile queued while it was away is left to its transaction."""
    current = [moment for moment in moments if not scene.pile.late(time_of(moment.at), scene.now)]
    if current:
        newest = meters.latest(current)
        scene.pile.measure(plug, newest.power_w, newest.energy_wh, scene.now)


def start(scene: Scene, payload: Payload) -> Reply:
    pile, now = scene.pile, scene.now
    decided = scene.tokens.decide(payload["idTag"], now)
    plug = pile.plug(payload["connectorId"])
    info = _tag_info(decided.standing)
    if plug is None:
        return Reply(lambda: {"transactionId": 0, "idTagInfo": _tag_info(NOBODY)})
    at, meter_start = time_of(payload["timestamp"]), _wh(payload["meterStart"])
    begin = ChargeBegin(
        pile.charge_point, plug.device, start_mark(payload), pile.our_time(at, now), meter_start, decided.pseudonym
    )
    if not pile.late(at, now):
        pile.measure(plug, None, meter_start, now)
    answer = lambda: {"transactionId": begin.given, "idTagInfo": info}  # noqa: E731  known when it is kept
    return Reply(answer, pile.news(now), begin.keep, begin=begin)


def start_mark(payload: Payload) -> str:
    """What tells one start of a pile from another."""
    return f"{payload['connectorId']}|{payload['timestamp']}|{payload['meterStart']}"[:120]


def stop(scene: Scene, payload: Payload) -> Reply:
    pile, now, number = scene.pile, scene.now, payload["transactionId"]
    moments = meters.sampled(payload.get("transactionData"))
    at, meter_stop = time_of(payload["timestamp"]), _wh(payload["meterStop"])
    decided = scene.tokens.decide(payload["idTag"], now) if payload.get("idTag") else None
    end = ChargeEnd(
        pile.charge_point,
        number if 0 < number < 2**31 else None,
        f"stop|{number}|{payload['timestamp']}|{payload['meterStop']}"[:120],
        pile.devices[0] if len(pile.devices) == 1 else None,
        pile.our_time(at, now),
        meter_stop,
        str(payload.get("reason", "Local")),
        meters.register(moments, "Transaction.Begin"),
        decided.pseudonym if decided is not None else None,
    )
    answer: Payload = {} if decided is None else {"idTagInfo": _tag_info(decided.standing)}
    late = pile.late(at, now)

    def answered() -> Payload:
        plug = pile.plug_of(end.ended) if end.ended is not None and not late else None
        if plug is not None:
            pile.measure(plug, None if plug.power_w is None else 0.0, meter_stop, now)
        return answer

    return Reply(answered, [], end.keep)


def _tag_info(standing: CardStanding) -> Payload:
    """With the end of who is accepted, so that the pile forgets him in time."""
    info = {"status": standing.word}
    return info | {"expiryDate": utc(standing.until)} if standing.accepted and standing.until is not None else info


def _wh(value: int) -> float | None:
    """A register; None for what none can say."""
    return float(value) if 0 <= value <= 10**12 else None


HANDLERS: dict[str, Handler] = {
    "Authorize": authorize,
    "BootNotification": boot,
    "DataTransfer": says(status="UnknownVendorId"),
    "DiagnosticsStatusNotification": says(),
    "FirmwareStatusNotification": says(),
    "Heartbeat": heartbeat,
    "LogStatusNotification": says(),
    "MeterValues": meter_values,
    "SecurityEventNotification": security_event,
    "SignCertificate": says(status="Rejected"),  # we are no certificate authority
    "SignedFirmwareStatusNotification": says(),
    "StartTransaction": start,
    "StatusNotification": status,
    "StopTransaction": stop,
}
