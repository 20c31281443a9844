"""The OpenAPI document: what FastAPI makes of the routes, with names that last, our errors, roles, and examples."""

import re
from typing import Any, Final

from fastapi import FastAPI

from api.auth import COOKIE

EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "post_stations_station_tally": {"occupation": "courier"},
    "post_stations_station_wishes": {"interest": "tai_chi", "when": "weekday_morning"},
    "post_stations_station_wishes_wish_deed": {"to": "李老师"},
    "post_stations_station_reports": {"resource": "pile-01", "kind": "broken", "text": "插头松了"},
    "post_stations_station_checks": {
        "id": "0b9f3c1e-2f54-4c3e-9a61-6f1f0c1d2e3f", "check": "aed", "at": "2026-11-21T20:00:00+08:00", "result": "ok",
    },
    "post_stations_station_piles_device": {"do": "reset"},
    "post_piles_charge_point_calls": {"action": "Reset", "payload": {"type": "Soft"}},
    "put_stations_station_override": {"status": "closed", "until": "2026-11-21T18:00:00+08:00", "note": "停水"},
    "put_partner_override": {"status": "closed"},
    "post_alerts_alert_acknowledge": {"text": "在路上"},
    "post_alerts_alert_close": {"text": "看过，没有问题"},
    "post_alerts_alert_comment": {"text": "已联系厂家"},
    "post_alerts_alert_mute": {"until": "2026-11-22T08:00:00+08:00", "text": "施工"},
    "post_orders": {"station": "yanshan", "resource": "pile-01", "title": "换插座", "assignee": "李师傅"},
    "post_subscriptions": {
        "url": "https://app.example/hook", "events": ["availability"], "stations": ["yanshan"], "kinds": ["seat"],
    },
    "post_config_changes": {
        "why": "另一个座位", "dry_run": True,
        "changes": [{
            "op": "add", "path": "/stations/yanshan/areas/lounge/resources/seat-09", "value": {"kind": "seat"},
        }],
    },
    "post_config_versions_n_restore": {"why": "昨天的更好"},
    "post_setup_keys": {"name": "李师傅", "role": "operator", "stations": ["yanshan"], "days": 90},
    "post_setup_channels_test": {"channel": {"id": "duty", "kind": "wecom", "url_file": "secrets/duty"}},
    "post_setup_secrets": {"name": "duty-url", "value": "https://robot.example/?key=0a1b2c"},
}  # fmt: skip
"""By the name of the operation: a body that its route takes."""


def document(app: FastAPI) -> None:
    """Have the application give our document."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        told = made()
        told["components"]["securitySchemes"] = {
            "key": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
        }
        for path, item in told["paths"].items():
            for method, operation in item.items():
                operation["operationId"] = operation_id(method, path)
                _document_problems(operation["responses"])
                _exemplify(operation)
                if "x-role" in operation:
                    operation["security"] = [{"key": []}, {"session": []}]
        return told

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way


def operation_id(method: str, path: str) -> str:
    """What generated clients call it: from method and path alone, so that it lasts as long as they do."""
    words = re.sub(r"[^a-z0-9]+", "_", path.removeprefix("/api/v1").lower()).strip("_")
    return f"{method}_{words}"


def _exemplify(operation: dict[str, Any]) -> None:
    example = EXAMPLES.get(operation["operationId"])
    if example is not None:
        operation["requestBody"]["content"]["application/json"]["example"] = example


def _document_problems(responses: dict[str, Any]) -> None:
    """FastAPI knows one media type for every model; our errors have another, and its own shape of 422 is never sent."""
    shape = {"$ref": "#/components/schemas/ProblemDocument"}
    for answer in responses.values():
        content = answer.get("content", {})
        refs = str(content.get("application/json", {}).get("schema", {}).get("$ref", ""))
        if refs.endswith(("/ProblemDocument", "/HTTPValidationError")):
            answer["content"] = {"application/problem+json": {"schema": shape}}
