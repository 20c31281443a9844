"""Alert → message: what, where, since when, likely cause, next step, one link. It fits a phone's screen.

Names and causes come from files and devices; each is one bounded line here, and each channel makes its markup inert.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gateway.alerts.places import Places, in_language
from gateway.alerts.words import MAINTENANCE, REMOVED, SENSOR, SEVERITIES, Alert, Delivery, Severity
from gateway.model import Millis
from gateway.notify.base import StaffMessage
from gateway.notify.catalogue import cause_of, text_of
from gateway.notify.plain import plain

MARKS: dict[Severity, str] = {"critical": "🔴", "warning": "🟠", "info": "🔵"}
DIGEST_LINES = 15
NAME_CHARS = 60
TITLE_CHARS = 200
LINE_CHARS = 300
_ID = re.compile("[a-z0-9][a-z0-9-]{0,39}")


def alert_message(delivery: Delivery, places: Places, lang: str, now: Millis, link: str | None) -> StaffMessage:
    """The message for one delivery; `now` gives the age of the trouble."""
    alert, action = delivery.alert, delivery.action
    lines = _ended(alert, places, lang) if action == "closed" else _standing(alert, places, lang, now)
    title = plain(f"{_mark(alert, action)} {_prefix(action, lang)}{headline(alert, places, lang)}", TITLE_CHARS)
    shown = tuple(plain(line, LINE_CHARS) for line in lines)
    link = None if action == "closed" else link
    return StaffMessage(delivery.id, title, shown, alert.severity, action, now, (alert,), (title,), link)


def standing_message(channel: str, alerts: Sequence[Alert], places: Places, lang: str, now: Millis) -> StaffMessage:
    """All that is still open, for a receiver that keeps nothing itself."""
    titles = tuple(f"{MARKS[alert.severity]} {headline(alert, places, lang)}" for alert in alerts)
    worst = max((alert.severity for alert in alerts), key=SEVERITIES.index)
    return StaffMessage(
        f"standing:{channel}:{now}", titles[0], titles[1:], worst, "standing", now, tuple(alerts), titles
    )


def digest_message(deliveries: Sequence[Delivery], places: Places, lang: str, now: Millis) -> StaffMessage:
    """A storm in one message: how many of what, then the worst first."""
    ordered = sorted(deliveries, key=lambda delivery: -SEVERITIES.index(delivery.alert.severity))
    counts = Counter(text_of(delivery.alert, lang).title for delivery in ordered)
    summary = ("、" if lang != "en" else ", ").join(f"{name} ×{count}" for name, count in counts.most_common())
    lines = [_digest_line(delivery, places, lang) for delivery in ordered[:DIGEST_LINES]]
    if len(ordered) > DIGEST_LINES:
        rest = len(ordered) - DIGEST_LINES
        lines.append(f"… and {rest} more" if lang == "en" else f"……另有 {rest} 条")
    worst = ordered[0].alert.severity
    count = len(ordered)
    title = f"{MARKS[worst]} " + (f"{count} messages in one" if lang == "en" else f"汇总：{count} 条消息")
    alerts = tuple(delivery.alert for delivery in ordered)
    titles = tuple(_titled(delivery, places, lang) for delivery in ordered)
    shown = tuple(plain(line, LINE_CHARS) for line in (summary, *lines))
    return StaffMessage(f"digest:{ordered[0].id}:{count}", title, shown, worst, "digest", now, alerts, titles)


def test_message(channel: str, places: Places, lang: str, now: Millis, link: str | None) -> StaffMessage:
    """What `doctor --send-test` sends: an alert about the first resource there is, said to be a test."""
    station, resource = next(iter(places.kinds or places.resources), (next(iter(places.stations), "yizhan"), "test"))
    since = now - 60_000
    alert = Alert(
        f"test-{channel}", station, resource, resource, "device_silent", "info", "open", since, now, now, "stale",
    )  # fmt: skip
    name = f"test:{channel}:{now}"
    message = alert_message(Delivery(name, channel, alert, "test", now, now), places, lang, now, link)
    line = f"This is a test: channel {channel} works." if lang == "en" else f"这是测试：通道 {channel} 工作正常。"
    return replace(message, lines=(line, *message.lines))


test_message.__test__ = False  # type: ignore[attr-defined]


def where(alert: Alert, places: Places, lang: str) -> str:
    """Station, area and resource by the names people use; ids where there are none."""
    if alert.station is None:
        return f"yizhan {plain(alert.subject, NAME_CHARS)}"
    if alert.station not in places.stations and places.stations:
        return _stranger(alert.station, lang)
    key = (alert.station, alert.resource or "")
    parts = [in_language(places.stations.get(alert.station, {}), lang, alert.station)]
    if area := in_language(places.areas.get(key, {}), lang, ""):
        parts.append(area)
    if alert.resource is not None or alert.subject != alert.station:
        parts.append(places.called(alert.station, alert.resource or alert.subject, lang))
    return " · ".join(plain(part, NAME_CHARS) for part in parts)


def headline(alert: Alert, places: Places, lang: str) -> str:
    """Where it is and what it is, as a headline."""
    return f"{where(alert, places, lang)} · {text_of(alert, lang).title}"


def _stranger(station: str, lang: str) -> str:
    """A station that is not configured: anybody may put any name into a topic, so only one that could be an id is
    repeated."""
    name = f" {station}" if _ID.fullmatch(station) else ""
    return f"a station that is not configured{name}" if lang == "en" else f"未配置的站点{name}"


def _standing(alert: Alert, places: Places, lang: str, now: Millis) -> tuple[str, ...]:
    since, lasted = _clock(alert, places, alert.since), duration(now - alert.since, lang)
    cause = plain(cause_of(alert, lang), LINE_CHARS // 2)
    if "silent" in alert.detail:
        cause += f" ({alert.detail['silent']}/{alert.detail['of']})"
    step = text_of(alert, lang).step
    english = lang == "en"
    told = [f"Since {since} ({lasted})" if english else f"自 {since} 起（{lasted}）"]
    if cause:
        told.append(f"Cause: {cause}" if english else f"原因：{cause}")
    return *told, f"Next: {step}." if english else f"建议：{step}。"


def _ended(alert: Alert, places: Places, lang: str) -> tuple[str, ...]:
    end, lasted = _clock(alert, places, alert.changed_at), duration(alert.changed_at - alert.since, lang)
    if alert.closed_by == MAINTENANCE:
        return (f"In maintenance since {end}" if lang == "en" else f"{end} 起检修，结束后重新判断",)
    if alert.closed_by == REMOVED:
        return (f"Taken out of the configuration at {end}" if lang == "en" else f"{end} 已从配置中移除",)
    by_hand = alert.closed_by not in (None, SENSOR)
    if lang == "en":
        return (f"Closed by staff at {end}, after {lasted}" if by_hand else f"Over at {end}, after {lasted}",)
    return (f"{end} 由工作人员关闭，历时 {lasted}" if by_hand else f"{end} 恢复，历时 {lasted}",)


def _digest_line(delivery: Delivery, places: Places, lang: str) -> str:
    alert = delivery.alert
    clock = _clock(alert, places, delivery.at)
    return f"{_mark(alert, delivery.action)} {clock} {headline(alert, places, lang)}"


def _titled(delivery: Delivery, places: Places, lang: str) -> str:
    return f"{_mark(delivery.alert, delivery.action)} {headline(delivery.alert, places, lang)}"


def _mark(alert: Alert, action: str) -> str:
    return "✅" if action == "closed" else MARKS[alert.severity]


def _prefix(action: str, lang: str) -> str:
    if action == "test":
        return "[Test] " if lang == "en" else "【测试】"
    if action == "reopened":
        return "[Open again] " if lang == "en" else "【重新打开】"
    if action == "escalated":
        return "[Unacknowledged] " if lang == "en" else "【无人确认】"
    return ""


def _clock(alert: Alert, places: Places, at: Millis) -> str:
    zone = places.zones.get(alert.station or "")
    return f"{datetime.fromtimestamp(at / 1000, ZoneInfo(zone) if zone else UTC):%m-%d %H:%M}"


def duration(length: Millis, lang: str) -> str:
    """The two largest units; no less than a second."""
    seconds = max(1, length // 1000)
    units = (("d", "天", 86_400), ("h", "小时", 3600), ("min", "分", 60), ("s", "秒", 1))
    parts = []
    for english, chinese, size in units:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {english}" if lang == "en" else f"{count} {chinese}")
    return " ".join(parts[:2])
