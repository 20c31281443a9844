"""What we set at a pile, once it is done with its own beginnings, and what we ask where it tells nothing by itself.

It may refuse each: nothing rests on it.
"""

from firmware_bridge.ocpp.frames import Payload
from firmware_bridge.ocpp.pile import OcppVersion

KEYS = ("AuthorizationCacheEnabled", "LocalAuthorizeOffline")
VARIABLES = (("AuthCacheCtrlr", "Enabled"), ("AuthCtrlr", "LocalAuthorizeOffline"))
"""Who may charge while it is offline: those whom it let in before."""


def how_set(version: OcppVersion) -> tuple[str, Payload]:
    """How is it set? Nothing is written that stands there already."""
    if version == "1.6":
        return "GetConfiguration", {"key": list(KEYS)}
    asked = [{"component": {"name": component}, "variable": {"name": name}} for component, name in VARIABLES]
    return "GetVariables", {"getVariableData": asked}


def to_set(version: OcppVersion, answer: Payload) -> list[tuple[str, Payload]]:
    """What to turn on, by its answer."""
    if version == "1.6":
        off = [key["key"] for key in _objects(answer.get("configurationKey")) if _is_off_16(key)]
        return [("ChangeConfiguration", {"key": key, "value": "true"}) for key in KEYS if key in off]
    wanted = [
        {"attributeValue": "true", "component": variable.get("component"), "variable": variable.get("variable")}
        for variable in _objects(answer.get("getVariableResult"))
        if variable.get("attributeStatus") == "Accepted" and str(variable.get("attributeValue")).lower() == "false"
    ]
    return [("SetVariables", {"setVariableData": wanted})] if wanted else []


def _is_off_16(key: Payload) -> bool:
    return key.get("readonly") is False and key.get("key") in KEYS and str(key.get("value")).lower() == "false"


def _objects(value: object) -> list[Payload]:
    """A pile's answer is not judged by the schema."""
    return [listed for listed in value if isinstance(listed, dict)] if isinstance(value, list) else []


def whats_up(version: OcppVersion, evse: int | None, connector: int) -> tuple[str, Payload]:
    """The status of a connector, please."""
    if version == "1.6":
        return "TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": connector}
    where = {"id": evse, "connectorId": connector} if evse is not None else {"id": connector, "connectorId": 1}
    return "TriggerMessage", {"requestedMessage": "StatusNotification", "evse": where}
