"""What doctor finds of holidays and of the calendars of areas."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from api.commands.doctor_finding import DoctorFinding, FindingMark


def holidays(settings: Any) -> DoctorFinding:
    from gateway.base.clock import now_ms

    if settings.calendar.holidays == "none":
        return DoctorFinding("ok", "calendar", "no public holidays asked for")
    from zoneinfo import ZoneInfo

    from gateway.policy.hours import notices_of, unpublished_year

    today = datetime.fromtimestamp(now_ms() / 1000, ZoneInfo(settings.timezone)).date()
    missing = unpublished_year(today, notices_of(settings))
    if missing is not None:
        return DoctorFinding(
            "warn", "calendar",
            f"the holidays of {missing} are not known: hours near them are unknown; "
            "enter the State Council's notice under calendar.notices, or update chinesecalendar",
        )  # fmt: skip
    return DoctorFinding(
        "ok", "calendar", "Chinese holidays and make-up workdays are known for six weeks ahead and more"
    )


def calendars(settings: Any) -> Iterator[DoctorFinding]:
    """Each calendar of an area: read as a gateway would, or why not, or which events are left out."""
    from gateway.base.clock import now_ms
    from gateway.calendars.feeds import looked_at
    from gateway.calendars.wanted import configured

    areas = [(station, area) for station in settings.stations for area in station.areas if area.calendar]
    for station, area in areas:
        zone, cache = station.timezone or settings.timezone, settings.store.path / "calendars"
        for source in map(configured, area.calendar):
            name, remark, usable = looked_at((station.id, area.id), source, zone, cache, now_ms())
            mark: FindingMark = "fail" if not usable else "warn" if remark else "ok"
            yield DoctorFinding(mark, "activities", f"{name}: {remark or 'is read whole'}")
