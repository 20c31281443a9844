"""What we ask of a pile that has just begun. It may refuse each: nothing rests on it."""

from firmware_bridge.ocpp.frames import Payload
from firmware_bridge.ocpp.pile import Version


def opening_calls(version: Version) -> list[tuple[str, Payload]]:
    """Who may charge while it is offline: those whom it let in before."""
    if version == "1.6":
        return [
            ("ChangeConfiguration", {"key": "AuthorizationCacheEnabled", "value": "true"}),
            ("ChangeConfiguration", {"key": "LocalAuthorizeOffline", "value": "true"}),
        ]
    variables = [("AuthCacheCtrlr", "Enabled"), ("AuthCtrlr", "LocalAuthorizeOffline")]
    wanted = [
        {"attributeValue": "true", "component": {"name": component}, "variable": {"name": variable}}
        for component, variable in variables
    ]
    return [("SetVariables", {"setVariableData": wanted})]


def whats_up(version: Version, evse: int | None, connector: int) -> tuple[str, Payload]:
    """The status of a connector, please."""
    if version == "1.6":
        return "TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": connector}
    where = {"id": evse, "connectorId": connector} if evse is not None else {"id": connector, "connectorId": 1}
    return "TriggerMessage", {"requestedMessage": "StatusNotification", "evse": where}
