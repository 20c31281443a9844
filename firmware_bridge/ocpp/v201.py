"""OCPP 2.0.1, and 2.1 where it says the same: what a station may say, and what a CSMS answers."""

from typing import Any

from firmware_bridge.ocpp import meters
from firmware_bridge.ocpp.charging import ChargeBegin, ChargeEnd, ChargeMeter
from firmware_bridge.ocpp.frames import Payload
from firmware_bridge.ocpp.meters import Sampled
from firmware_bridge.ocpp.pile import STATUSES, Plug, time_of
from firmware_bridge.ocpp.reply import (
    Handler,
    Reply,
    Scene,
    Step,
    booted,
    error_text,
    heartbeat,
    says,
    security_event,
    utc,
)
from firmware_bridge.ocpp.v16 import take

DAY_MS = 86_400_000
NO_TOKEN = ("NoAuthorization", "Central")
"""Kinds of an idToken that name nobody: nothing was shown, or we said so ourselves."""


def boot(scene: Scene, payload: Payload) -> Reply:
    station = payload["chargingStation"]
    return booted(scene, station.get("vendorName"), station.get("model"), station.get("firmwareVersion"))


def authorize(scene: Scene, payload: Payload) -> Reply:
    info = _token_info(scene, payload["idToken"])
    return Reply(lambda: {"idTokenInfo": info})


def status(scene: Scene, payload: Payload) -> Reply:
    _status(scene, payload["evseId"], payload["connectorId"], payload["connectorStatus"], payload.get("timestamp"))
    return Reply(dict, scene.pile.news(scene.now))


def _status(scene: Scene, evse: object, connector: object, word: str, timestamp: object) -> None:
    plug = scene.pile.plug(connector, evse)
    if (plug is not None or evse == 0) and word in STATUSES:
        error = plug.error if plug is not None and word == "Faulted" else ""
        scene.pile.set_status(plug, word, error, time_of(timestamp), scene.now)


def meter_values(scene: Scene, payload: Payload) -> Reply:
    plug = scene.pile.plug(None, payload["evseId"])
    if plug is None:
        return Reply()
    take(scene, plug, meters.sampled(payload["meterValue"]))
    return Reply(dict, scene.pile.news(scene.now))


def event(scene: Scene, payload: Payload) -> Reply:
    """NotifyEvent: the status of connectors in 2.1, and what else is wrong with one."""
    for data in payload["eventData"]:
        component, variable = data["component"], data["variable"]["name"]
        evse = component.get("evse") or {}
        if component["name"] in ("Connector", "EVSE", "ChargingStation") and variable == "AvailabilityState":
            _status(scene, evse.get("id", 0), evse.get("connectorId"), data["actualValue"], data.get("timestamp"))
        elif variable == "Problem":
            _problem(scene, evse, component["name"], data)
    return Reply(dict, scene.pile.news(scene.now))


def _problem(scene: Scene, evse: dict[str, Any], component: str, data: dict[str, Any]) -> None:
    holds = str(data["actualValue"]).lower() == "true" and not data.get("cleared")
    text = error_text(component, data.get("techCode"), None) if holds else ""
    plug = scene.pile.plug(evse.get("connectorId"), evse["id"]) if "id" in evse else None
    for faulty in (plug,) if plug is not None else scene.pile.plugs if "id" not in evse else ():
        faulty.error = text


def transaction(scene: Scene, payload: Payload) -> Reply:
    pile, now, evse = scene.pile, scene.now, payload.get("evse") or {}
    plug = pile.plug(evse.get("connectorId"), evse["id"]) if evse else None
    mark = payload["transactionInfo"]["transactionId"]
    if plug is None and not evse:
        plug = pile.plug_in(mark)
    moments = meters.sampled(payload.get("meterValue"))
    card = None
    info: dict[str, Any] | None = None
    if payload.get("idToken"):
        info, card = _token_info(scene, payload["idToken"]), _pseudonym(scene, payload["idToken"])
    step = _step(scene, payload, plug, moments, card)
    if plug is not None and not pile.late(time_of(payload["timestamp"]), now):
        _live(scene, plug, payload, moments)
    answer: Payload = {} if info is None else {"idTokenInfo": info}
    return Reply(lambda: answer, pile.news(now), step)


def _live(scene: Scene, plug: Plug, payload: Payload, moments: list[Sampled]) -> None:
    """What a transaction says of now."""
    told = payload["transactionInfo"]
    ended = payload["eventType"] == "Ended"
    plug.transaction = None if ended else told["transactionId"]
    take(scene, plug, moments)
    if ended or "chargingState" in told:
        scene.pile.set_state(plug, None if ended else told["chargingState"])


def _step(scene: Scene, payload: Payload, plug: Plug | None, moments: list[Sampled], card: str | None) -> Step | None:
    pile, now, mark = scene.pile, scene.now, payload["transactionInfo"]["transactionId"]
    registers = [moment.energy_wh for moment in moments if moment.energy_wh is not None]
    first = meters.register(moments, "Transaction.Begin")
    at = pile.our_time(time_of(payload["timestamp"]), now)
    if payload["eventType"] == "Ended":
        last = meters.register(moments, "Transaction.End")
        if last is None:
            last = registers[-1] if registers else plug.energy_wh if plug is not None else None
        device = plug.device if plug is not None else pile.devices[0] if len(pile.devices) == 1 else None
        reason = str(payload["transactionInfo"].get("stoppedReason", "Local"))
        return ChargeEnd(pile.charge_point, None, mark, device, at, last, reason, first, card).keep
    if plug is None:
        return None
    if first is None and registers:
        first = registers[0]
    if payload["eventType"] == "Started":
        return ChargeBegin(pile.charge_point, plug.device, mark, at, first, card).keep
    return ChargeMeter(pile.charge_point, mark, first).keep if first is not None else None


def needs(scene: Scene, _payload: Payload) -> Reply:
    """Plans of charging are made by hand only."""
    verdict = "Rejected" if scene.pile.version == "2.0.1" else "NoChargingProfile"
    return Reply(lambda: {"status": verdict})


def chain_status(scene: Scene, payload: Payload) -> Reply:
    """We know of no certificate whether it was revoked, and say so."""
    unknown = [
        {
            "certificateHashData": asked["certificateHashData"],
            "source": asked["source"],
            "status": "Failed",
            "nextUpdate": utc(scene.now + DAY_MS),
        }
        for asked in payload["certificateStatusRequests"]
    ]
    return Reply(lambda: {"certificateStatus": unknown})


def _pseudonym(scene: Scene, token: dict[str, Any]) -> str | None:
    if token["type"] in NO_TOKEN or not token["idToken"]:
        return None
    return scene.tokens.decide(token["idToken"], scene.now).pseudonym


def _token_info(scene: Scene, token: dict[str, Any]) -> dict[str, Any]:
    if token["type"] == "NoAuthorization":
        return {"status": "Accepted"}
    standing = scene.tokens.decide(token["idToken"], scene.now).standing
    info = {"status": standing.word}
    if standing.accepted and standing.until is not None:
        return info | {"cacheExpiryDateTime": utc(standing.until)}
    return info


_BOTH: dict[str, Handler] = {
    "Authorize": authorize,
    "BootNotification": boot,
    "ClearedChargingLimit": says(),
    "DataTransfer": says(status="UnknownVendorId"),
    "FirmwareStatusNotification": says(),
    "Get15118EVCertificate": says(status="Failed", exiResponse=""),
    "GetCertificateStatus": says(status="Failed"),
    "Heartbeat": heartbeat,
    "LogStatusNotification": says(),
    "MeterValues": meter_values,
    "NotifyChargingLimit": says(),
    "NotifyCustomerInformation": says(),
    "NotifyDisplayMessages": says(),
    "NotifyEVChargingNeeds": needs,
    "NotifyEVChargingSchedule": says(status="Accepted"),
    "NotifyEvent": event,
    "NotifyMonitoringReport": says(),
    "NotifyReport": says(),
    "PublishFirmwareStatusNotification": says(),
    "ReportChargingProfiles": says(),
    "ReservationStatusUpdate": says(),
    "SecurityEventNotification": security_event,
    "SignCertificate": says(status="Rejected"),  # we are no certificate authority
    "StatusNotification": status,
    "TransactionEvent": transaction,
}
HANDLERS: dict[str, Handler] = _BOTH
HANDLERS_2_1: dict[str, Handler] = _BOTH | {
    "BatterySwap": says(),
    "ClosePeriodicEventStream": says(),
    "GetCertificateChainStatus": chain_status,
    "NotifyDERAlarm": says(),
    "NotifyDERStartStop": says(),
    "NotifyPeriodicEventStream": says(),
    "NotifyPriorityCharging": says(),
    "NotifySettlement": says(),
    "NotifyWebPaymentStarted": says(),
    "OpenPeriodicEventStream": says(status="Rejected"),
    "PullDynamicScheduleUpdate": says(status="Rejected"),
    "ReportDERControl": says(),
    "VatNumberValidation": lambda _scene, payload: Reply(
        lambda: {"status": "Rejected", "vatNumber": payload["vatNumber"]}
    ),
}
