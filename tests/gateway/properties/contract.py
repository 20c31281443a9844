"""The contract's page read once more, by somebody who has not seen the code: section 4 as plain questions."""

from datetime import datetime
from typing import Any

ORDER = [
    "planned", "removed", "fault", "maintenance", "closed", "staff_only", "not_enterable", "never", "stale", "offline",
    "suspect", "unreadable", "hours_unknown", "use_unknown", "empty", "occupied", "away", "reserved", "blocked",
]  # fmt: skip


def usable(row: dict[str, Any]) -> str:
    """First match wins."""
    if row["lifecycle"] != "active":
        return "no"
    if row["health"] == "fault" or row["health"] == "maintenance":
        return "no"
    if row["access"] == "closed" or row["access"] == "staff_only":
        return "no"
    if "not_enterable" in row.get("because", ()):
        return "unknown"
    if row["evidence"] != "live":
        return "unknown"
    if row["access"] == "unknown" or row["use"] == "unknown":
        return "unknown"
    return "yes" if row["use"] == "free" else "no"


def because(row: dict[str, Any]) -> list[str]:
    """Every reason that holds, most decisive first."""
    holds = {
        "planned": row["lifecycle"] == "planned",
        "removed": row["lifecycle"] == "removed",
        "fault": row["health"] == "fault",
        "maintenance": row["health"] == "maintenance",
        "closed": row["access"] == "closed",
        "staff_only": row["access"] == "staff_only",
        "unreadable": "unreadable" in row.get("because", ()) and row["evidence"] == "suspect",
        "not_enterable": "not_enterable" in row.get("because", ()) and row["access"] == "open",
        "empty": "empty" in row.get("because", ()) and row["use"] == "blocked",
        "hours_unknown": row["access"] == "unknown",
        "use_unknown": row["use"] == "unknown",
        **{word: row["evidence"] == word for word in ("never", "stale", "offline", "suspect")},
        **{word: row["use"] == word for word in ("occupied", "away", "reserved", "blocked")},
    }
    return [word for word in ORDER if holds[word]]


def ms(text: str | None) -> int | None:
    return None if text is None else round(datetime.fromisoformat(text).timestamp() * 1000)


def check(document: dict[str, Any], now: int) -> None:
    """AssertionError where a document contradicts itself or claims what has run out."""
    ends, counts = [], {}
    for resource in (resource for area in document["areas"] for resource in area["resources"]):
        assert resource["usable"] == usable(resource), resource
        assert resource["because"] == because(resource), resource
        end = ms(resource["valid_until"])
        if resource["evidence"] == "live":
            assert end is not None, resource
            assert end > now, resource
            ends.append(end)
        assert resource["usable"] != "yes" or resource["evidence"] == "live", resource
        if resource["lifecycle"] == "active":
            row = counts.setdefault((resource["kind"], resource["type"]), [0, 0, 0])
            units = resource["kind"] in ("locker", "parking")
            size = (resource["total"] or resource["free"] or 0) if units else 1
            free = (resource["free"] or 0) if units else 1
            row[0] += size
            row[1] += free if resource["usable"] == "yes" else 0
            row[2] += {"yes": free, "unknown": size, "no": 0}[resource["usable"]]
    assert ms(document["valid_until"]) == min(ends, default=None)
    assert ms(document["as_of"]) == now
    shown = {
        (row["kind"], row["type"]): [row["total"], row["usable_min"], row["usable_max"]] for row in document["summary"]
    }
    assert shown == counts
    assert all(low <= high <= total for total, low, high in shown.values())
