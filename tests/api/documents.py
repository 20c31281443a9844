"""Documents as the gateway makes them."""

import json
from typing import Any

from api.times import rfc3339
from api.wire_documents import read
from gateway.live.station_document import Document
from gateway.model import axes_of


def resource(
    name: str, kind: str = "seat", *, use: str = "free", evidence: str = "live", until: int | None = None, **more: Any
) -> dict[str, Any]:
    axes = axes_of("active", more.pop("health", "ok"), more.pop("access", "open"), use, evidence)  # type: ignore[arg-type]
    return {
        "id": name, "kind": kind, "type": None, "usable": axes.usable, "because": axes.because,
        "lifecycle": axes.lifecycle, "health": axes.health, "access": axes.access, "use": axes.use,
        "evidence": axes.evidence, "observed_at": None, "valid_until": None if until is None else rfc3339(until),
        "since": None, **more,
    }  # fmt: skip


def line(kind: str, total: int, least: int, most: int, sort: str | None = None) -> dict[str, Any]:
    return {"kind": kind, "type": sort, "total": total, "usable_min": least, "usable_max": most}


def document(
    station: str, resources: list[dict[str, Any]], summary: list[dict[str, Any]], now: int, **more: Any
) -> Document:
    ends = [row["valid_until"] for row in resources if row["valid_until"] and row["evidence"] == "live"]
    body = {
        "station": station, "name": {"zh": station}, "as_of": rfc3339(now), "valid_until": min(ends, default=None),
        "open": {"now": "yes", "until": None}, "summary": summary,
        "areas": [{"id": "a", "name": {}, "resources": resources}],
    } | more  # fmt: skip
    encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Document(station, read(encoded), encoded, now)
