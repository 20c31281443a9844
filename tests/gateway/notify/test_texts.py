from dataclasses import replace

import pytest

from gateway.alerts.kinds import KINDS
from gateway.alerts.places import Places
from gateway.notify.catalogue import entry
from gateway.notify.texts import alert_message, digest_message, duration, test_message
from tests.gateway.notify.samples import ALERT, CLOSED, PLACES, T0, delivery

LINK = "https://x.example/a/t"


def test_a_chinese_message_says_what_where_since_when_why_and_what_next() -> None:
    message = alert_message(delivery(), PLACES, "zh", T0, LINK)
    assert message.text.splitlines() == [
        "🟠 雁山驿站 · 车棚 · 一号桩 · 充电桩故障",
        "自 01-15 15:48 起（12 分）",
        "原因：GroundFailure",
        "建议：按故障代码排查；必要时断电。",
        LINK,
    ]


def test_an_english_one_says_the_same() -> None:
    message = alert_message(delivery(action="escalated"), PLACES, "en", T0, LINK)
    assert message.text.splitlines() == [
        "🟠 [Unacknowledged] Yanshan · Yard · 一号桩 · charger fault",
        "Since 01-15 15:48 (12 min)",
        "Cause: GroundFailure",
        "Next: Look up the code; cut its power if in doubt.",
        LINK,
    ]


def test_the_end_is_told_with_how_long_it_lasted_and_no_link() -> None:
    message = alert_message(delivery(alert=CLOSED, action="closed"), PLACES, "zh", T0, LINK)
    assert message.text.splitlines() == ["✅ 雁山驿站 · 车棚 · 一号桩 · 充电桩故障", "01-15 16:00 恢复，历时 12 分"]
    by_hand = replace(CLOSED, closed_by="li")
    assert "工作人员" in alert_message(delivery(alert=by_hand, action="closed"), PLACES, "zh", T0, None).text
    assert "li" not in alert_message(delivery(alert=by_hand, action="closed"), PLACES, "zh", T0, None).text


def test_a_site_that_fell_silent_is_told_with_its_count() -> None:
    site = replace(
        ALERT,
        kind="station_offline",
        subject="yanshan",
        resource=None,
        cause="all_silent",
        detail={"silent": 38, "of": 40},
    )
    message = alert_message(delivery(alert=site), PLACES, "en", T0, None)
    assert message.title == "🟠 Yanshan · station offline"
    assert "(38/40)" in message.text


def test_a_place_without_a_name_goes_by_its_id() -> None:
    assert "yanshan · pile-01" in alert_message(delivery(), Places(), "en", T0, None).title


def test_a_digest_counts_and_puts_the_worst_first() -> None:
    worst = replace(ALERT, id="a2", kind="door_forced", severity="critical")
    many = [delivery(f"d{number}") for number in range(20)] + [delivery("w", alert=worst)]
    message = digest_message(many, PLACES, "zh", T0)
    assert message.title == "🔴 汇总：21 条消息"
    assert message.lines[0] == "充电桩故障 ×20、门被强行打开 ×1"
    assert "门被强行打开" in message.lines[1]
    assert message.lines[-1] == "……另有 6 条"
    assert len(message.alerts) == 21


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_name_and_a_next_step(kind: str, lang: str) -> None:
    assert all(entry(kind, lang))


@pytest.mark.parametrize(
    ("ms", "text"), [(0, "1 s"), (61_000, "1 min 1 s"), (3_600_000, "1 h"), (90_061_000, "1 d 1 h")]
)
def test_a_duration_has_its_two_largest_units(ms: int, text: str) -> None:
    assert duration(ms, "en") == text


def test_a_test_message_names_its_channel() -> None:
    assert "duty" in test_message("duty", "zh", T0).text
    assert test_message("duty", "en", T0).alerts == ()
