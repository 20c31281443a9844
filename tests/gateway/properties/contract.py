"""The contract's page read once more, by somebody who has not seen the code: section 4 as plain questions."""

from datetime import datetime
from typing import Any

ORDER = [
    "planned", "removed", "fault", "maintenance", "closed", "staff_only", "not_enterable", "never", "stale", "offline",
    "suspect", "unreadable", "hours_unknown", "use_unknown", "empty", "occupied", "away", "reserved", "blocked",
]  # fmt: skip


def usable(one: dict[str, Any]) -> str:
    """First match wins."""
    if one["lifecycle"] != "active":
        return "no"
    if one["health"] == "fault" or one["health"] == "maintenance":
        return "no"
    if one["access"] == "closed" or one["access"] == "staff_only":
        return "no"
    if "not_enterable" in one.get("because", ()):
        return "unknown"
    if one["evidence"] != "live":
        return "unknown"
    if one["access"] == "unknown" or one["use"] == "unknown":
        return "unknown"
    return "yes" if one["use"] == "free" else "no"


def because(one: dict[str, Any]) -> list[str]:
    """Every reason that holds, most decisive first."""
    holds = {
        "planned": one["lifecycle"] == "planned",
        "removed": one["lifecycle"] == "removed",
        "fault": one["health"] == "fault",
        "maintenance": one["health"] == "maintenance",
        "closed": one["access"] == "closed",
        "staff_only": one["access"] == "staff_only",
        "unreadable": "unreadable" in one.get("because", ()) and one["evidence"] == "suspect",
        "not_enterable": "not_enterable" in one.get("because", ()) and one["access"] == "open",
        "empty": "empty" in one.get("because", ()) and one["use"] == "blocked",
        "hours_unknown": one["access"] == "unknown",
        "use_unknown": one["use"] == "unknown",
        **{word: one["evidence"] == word for word in ("never", "stale", "offline", "suspect")},
        **{word: one["use"] == word for word in ("occupied", "away", "reserved", "blocked")},
    }
    return [word for word in ORDER if holds[word]]


def ms(text: str | None) -> int | None:
    return None if text is None else round(datetime.fromisoformat(text).timestamp() * 1000)


def check(document: dict[str, Any], now: int) -> None:
    """AssertionError where a document contradicts itself or claims what has run out."""
    ends, counts = [], {}
    for one in (one for area in document["areas"] for one in area["resources"]):
        assert one["usable"] == usable(one), one
        assert one["because"] == because(one), one
        end = ms(one["valid_until"])
        if one["evidence"] == "live":
            assert end is not None, one
            assert end > now, one
            ends.append(end)
        assert one["usable"] != "yes" or one["evidence"] == "live", one
        if one["lifecycle"] == "active":
            row = counts.setdefault((one["kind"], one["type"]), [0, 0, 0])
            units = one["kind"] in ("locker", "parking")
            size = (one["total"] or one["free"] or 0) if units else 1
            free = (one["free"] or 0) if units else 1
            row[0] += size
            row[1] += free if one["usable"] == "yes" else 0
            row[2] += {"yes": free, "unknown": size, "no": 0}[one["usable"]]
    assert ms(document["valid_until"]) == min(ends, default=None)
    assert ms(document["as_of"]) == now
    shown = {
        (row["kind"], row["type"]): [row["total"], row["usable_min"], row["usable_max"]] for row in document["summary"]
    }
    assert shown == counts
    assert all(low <= high <= total for total, low, high in shown.values())
