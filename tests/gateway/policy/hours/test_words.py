"""Opening hours as a person would say them."""

from zoneinfo import ZoneInfo

import pytest

from gateway.policy.hours.expression import Expression
from gateway.policy.hours.opening import Opening
from gateway.policy.hours.words import coming_week

SHANGHAI = ZoneInfo("Asia/Shanghai")
SATURDAY = 1_795_262_400_000  # 2026-11-21T12:00:00Z


def opening(hours: str, zone: ZoneInfo = SHANGHAI) -> Opening:
    return Opening(Expression(hours), zone, "none", "calendar")


@pytest.mark.parametrize(
    ("hours", "zh", "en"),
    [
        ("24/7", "全天开放", "round the clock"),
        ("24/7 closed", "休息", "closed"),
        ("24/7 unknown", "不详", "unknown"),
        ("08:00-22:00", "每天 08:00–22:00", "daily 08:00–22:00"),
        ("Mo-Fr 09:00-17:00", "周一至周五 09:00–17:00;周六、周日 休息", "Mon–Fri 09:00–17:00; Sat, Sun closed"),
        (
            "Mo-Fr 09:00-12:00,14:00-17:00; Sa 10:00-12:00",
            "周一至周五 09:00–12:00、14:00–17:00;周六 10:00–12:00;周日 休息",
            "Mon–Fri 09:00–12:00, 14:00–17:00; Sat 10:00–12:00; Sun closed",
        ),
        ("Mo-Su 22:00-02:00", "每天 22:00–次日02:00", "daily 22:00–next day 02:00"),
        (
            "Mo-Fr 20:00-06:00; Sa,Su 00:00-24:00",
            "周一至周四 20:00–次日06:00;周五 20:00–24:00;周六、周日 00:00–24:00",
            "Mon–Thu 20:00–next day 06:00; Fri 20:00–24:00; Sat, Sun 00:00–24:00",
        ),
        (
            "Mo-We 00:00-24:00; Th 00:00-12:00",
            "周一至周三 00:00–24:00;周四 00:00–12:00;周五至周日 休息",
            "Mon–Wed 00:00–24:00; Thu 00:00–12:00; Fri–Sun closed",
        ),
        ("09:00-17:00 unknown", "每天 09:00–17:00 不详", "daily 09:00–17:00 unknown"),
        (
            "Mo-Fr 09:00-17:00; 2026 Nov 25 off",
            "周一、周二 09:00–17:00;周三 休息;周四、周五 09:00–17:00;周六、周日 休息",
            "Mon, Tue 09:00–17:00; Wed closed; Thu, Fri 09:00–17:00; Sat, Sun closed",
        ),
    ],
)
def test_a_week_is_told_in_words(hours: str, zh: str, en: str) -> None:
    assert coming_week(opening(hours), SATURDAY, SHANGHAI) == zh
    assert coming_week(opening(hours), SATURDAY, SHANGHAI, "en") == en


def test_a_week_in_which_the_clock_changes_is_told_by_the_clock_on_the_wall() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before_the_change = 1_792_756_800_000  # 2026-10-23T12:00:00Z; the clock goes back on Sunday
    assert coming_week(opening("22:00-06:00", berlin), before_the_change, berlin, "en") == "daily 22:00–next day 06:00"
    assert coming_week(opening("24/7", berlin), before_the_change, berlin, "en") == "round the clock"
