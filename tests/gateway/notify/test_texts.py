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
        "原因：接地故障",
        "建议：按故障代码排查；必要时断电。",
        LINK,
    ]


def test_an_english_one_says_the_same() -> None:
    message = alert_message(delivery(action="escalated"), PLACES, "en", T0, LINK)
    assert message.text.splitlines() == [
        "🟠 [Unacknowledged] Yanshan · Yard · 一号桩 · charger fault",
        "Since 01-15 15:48 (12 min)",
        "Cause: ground failure",
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


@pytest.mark.parametrize(
    ("kind", "sort", "name", "chinese", "english"),
    [
        ("charger", "ebike", "pile-04", "4 号充电桩", "Charger 4"),
        ("charger", "phone", "phone-01", "1 号手机充电口", "Phone charger 1"),
        ("seat", None, "seat-03", "3 号座位", "Seat 3"),
        ("door", None, "door-main", "门", "Door"),
        ("safety", "aed", "aed", "AED", "Defibrillator"),
        ("appliance", "microwave", "microwave-1", "微波炉", "Microwave"),
        ("hazard", "smoke", "smoke", "探测器", "Detector"),
    ],
)
def test_a_place_without_a_name_is_called_by_kind_and_number(
    kind: str, sort: str | None, name: str, chinese: str, english: str
) -> None:
    key = ("yanshan", name)
    places = Places(stations={"yanshan": {"zh": "雁山驿站"}}, kinds={key: kind}, types={key: sort} if sort else {})
    alert = replace(ALERT, resource=name, subject=name)
    assert chinese in alert_message(delivery(alert=alert), places, "zh", T0, None).title.split(" · ")
    assert english in alert_message(delivery(alert=alert), places, "en", T0, None).title.split(" · ")


@pytest.mark.parametrize(
    ("cause", "chinese", "english"),
    [
        ("battery_pct=8.0", "原因：电量 8%", "Cause: battery 8 %"),
        ("E07", "原因：故障代码 E07", "Cause: code E07"),
        ("other", "原因：其他问题", "Cause: something else"),
        ("free_mib=12", "原因：剩余 12 MiB", "Cause: 12 MiB left"),
    ],
)
def test_a_cause_is_told_in_words(cause: str, chinese: str, english: str) -> None:
    alert = replace(ALERT, cause=cause)
    assert chinese in alert_message(delivery(alert=alert), PLACES, "zh", T0, None).lines
    assert english in alert_message(delivery(alert=alert), PLACES, "en", T0, None).lines


@pytest.mark.parametrize(("kind", "cause"), [("help", "help"), ("charger_fault", "message")])
def test_a_cause_that_says_nothing_is_left_out(kind: str, cause: str) -> None:
    lines = alert_message(delivery(alert=replace(ALERT, kind=kind, cause=cause)), PLACES, "zh", T0, None).lines
    assert [line for line in lines if line.startswith("原因")] == []


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


def test_a_test_message_looks_like_an_alert_about_something_that_is_there() -> None:
    assert test_message("duty", PLACES, "zh", T0, LINK).text.splitlines() == [
        "🔵 【测试】雁山驿站 · 车棚 · 一号桩 · 设备失联",
        "这是测试：通道 duty 工作正常。",
        "自 01-15 15:59 起（1 分）",
        "原因：超过时限没有消息",
        "建议：检查设备供电和网络。",
        LINK,
    ]
    assert "channel duty works" in test_message("duty", Places(), "en", T0, None).text


HOSTILE_NAME = "雁山\r\nBcc: x@evil.example\u2028\u202egnp\x00" + "长" * 500


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_name_and_no_cause_makes_more_than_a_line_of_any_message(lang: str) -> None:
    places = replace(PLACES, stations={"yanshan": {"zh": HOSTILE_NAME}}, resources={})
    alert = replace(ALERT, cause=HOSTILE_NAME, detail={"silent": 1, "of": 2})
    messages = [
        alert_message(delivery(alert=alert), places, lang, T0, LINK),
        alert_message(
            delivery(alert=replace(alert, state="closed", closed_by="x"), action="closed"), places, lang, T0, LINK
        ),
        digest_message([delivery(f"d{number}", alert=alert) for number in range(20)], places, lang, T0),
        test_message("duty", places, lang, T0, LINK),
    ]
    for message in messages:
        assert len(message.title) <= 200
        for text in (message.title, *message.lines, *message.titles):
            assert text.isprintable() or "\ufe0f" in text
            assert len(text.splitlines()) == 1
            assert len(text) <= 300


@pytest.mark.parametrize("station", ["[点此确认](http://evil.example)", "a" * 500, "x\ny", "@all", "Yanshan+#"])
def test_a_station_that_nobody_configured_is_named_only_by_what_could_be_an_id(station: str) -> None:
    alert = replace(ALERT, station=station, subject=station, resource=None, kind="quarantine_rate", cause="unreadable")
    message = alert_message(delivery(alert=alert), PLACES, "zh", T0, LINK)
    assert message.title == "🟠 未配置的站点 · 无法读取的消息过多"
    assert station not in message.text
    named = replace(alert, station="yanshan-2", subject="yanshan-2")
    assert "未配置的站点 yanshan-2 ·" in alert_message(delivery(alert=named), PLACES, "zh", T0, LINK).title
