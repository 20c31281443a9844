"""The report's words in three languages, and how its figures are written."""

from collections.abc import Mapping
from html import escape

from api.pages.language import CONFIGURED
from api.usage import Usage
from config.called import of_language
from gateway.base.local_time import HOUR_MS
from gateway.history.activities import HeldCount
from gateway.history.occupations import OCCUPATIONS, Shares
from gateway.model import Millis
from gateway.policy.privacy import Band

LANGUAGES = ("zh-Hans", "zh-Hant", "en")
LANGUAGE_NAMES = {"zh-Hans": "简体", "zh-Hant": "繁體", "en": "English"}

WORDS: dict[str, tuple[str, str, str]] = {
    "title": ("利用月报", "利用月報", "Monthly report"),
    "month": ("{year} 年 {month} 月", "{year} 年 {month} 月", "{name} {year}"),
    "months": ("", "", "January February March April May June July August September October November December"),
    "weekdays": (
        "周一 周二 周三 周四 周五 周六 周日",
        "週一 週二 週三 週四 週五 週六 週日",
        "Mon Tue Wed Thu Fri Sat Sun",
    ),
    "upto": ("截至 {at}", "截至 {at}", "until {at}"),
    "made": ("{at} 生成", "{at} 產生", "made {at}"),
    "earlier": ("上一月", "上一月", "Month before"),
    "later": ("下一月", "下一月", "Month after"),
    "station": ("站点页", "站點頁", "Station page"),
    "unknown": ("未知", "未知", "not known"),
    "none": ("—", "—", "—"),
    "utilization": ("利用率", "利用率", "Utilisation"),
    "filled": ("平均占满", "平均佔滿", "Filled"),
    "no_shows": ("订而未到", "訂而未到", "No-shows"),
    "formula": ("占用 ÷ 已知开放时间", "佔用 ÷ 已知開放時間", "occupied ÷ known open time"),
    "coverage": ("覆盖率", "覆蓋率", "Coverage"),
    "covered": ("未知 {hours} 小时", "未知 {hours} 小時", "{hours} h not known"),
    "uses": ("使用次数", "使用次數", "Uses"),
    "seen": ("看到开始的", "看到開始的", "whose beginning was seen"),
    "energy": ("充电 kWh", "充電 kWh", "Charged, kWh"),
    "charged": ("{whole} 次完整，共 {all} 次", "{whole} 次完整，共 {all} 次", "{whole} of {all} sessions seen whole"),
    "visits": ("到访人次", "到訪人次", "Visits"),
    "banded": ("只以区间计", "只以區間計", "told in bands only"),
    "by_day": ("逐日利用率", "逐日利用率", "Utilisation by day"),
    "by_hour": ("一周忙闲", "一週忙閒", "The week by hours"),
    "empty": ("空", "空", "empty"),
    "busy": ("满", "滿", "busy"),
    "shut": ("关闭", "關閉", "closed"),
    "peak": ("最忙", "最忙", "busiest"),
    "peaks": ("最忙：{list}", "最忙：{list}", "Busiest: {list}"),
    "no_peaks": (
        "已知时间太少，不排最忙时段",
        "已知時間太少，不排最忙時段",
        "Too little is known to name the busiest hours",
    ),
    "compared": ("与上月相比", "與上月相比", "Beside the month before"),
    "compared_days": (
        "上月也只算同样长的头一段，到 {at} 为止",
        "上月也只算同樣長的頭一段，到 {at} 為止",
        "of the month before as much as has passed of this one, until {at}",
    ),
    "compared_thin": (
        "有一个月的覆盖率不足一半，差别只供参考",
        "有一個月的覆蓋率不足一半，差別只供參考",
        "Less than half of one of the two was seen: the difference says little",
    ),
    "no_before": (
        "上月没有数据，无从相比",
        "上月沒有數據，無從相比",
        "No data of the month before: nothing to compare with",
    ),
    "figure": ("项目", "項目", "Figure"),
    "this_month": ("本月", "本月", "This month"),
    "last_month": ("上月", "上月", "Month before"),
    "difference": ("差别", "差別", "Difference"),
    "alert_hours": ("告警合计小时", "告警合計小時", "Hours of alerts"),
    "same": ("持平", "持平", "the same"),
    "points_up": ("高 {n} 个百分点", "高 {n} 個百分點", "{n} pp higher"),
    "points_down": ("低 {n} 个百分点", "低 {n} 個百分點", "{n} pp lower"),
    "more": ("多 {n}", "多 {n}", "{n} more"),
    "fewer": ("少 {n}", "少 {n}", "{n} fewer"),
    "at_least_more": ("至少多 {n}", "至少多 {n}", "at least {n} more"),
    "at_least_fewer": ("至少少 {n}", "至少少 {n}", "at least {n} fewer"),
    "cannot_tell": ("区间相叠，说不准", "區間相疊，說不準", "the bands overlap: can't be told"),
    "nothing_before": ("上月没有数据", "上月沒有數據", "no data of the month before"),
    "nothing_now": ("本月没有数据", "本月沒有數據", "no data of this month"),
    "area_number": ("第 {n} 区", "第 {n} 區", "Area {n}"),
    "sign": ("确认", "確認", "Confirmed"),
    "sign_made": ("填报人", "填報人", "Made by"),
    "sign_read": ("负责人", "負責人", "Responsible"),
    "sign_name": ("姓名", "姓名", "Name"),
    "sign_hand": ("签名", "簽名", "Signature"),
    "sign_date": ("日期", "日期", "Date"),
    "sign_seal": ("盖章", "蓋章", "Seal"),
    "compare": ("各站各月", "各站各月", "Stations and months"),
    "compare_all": ("共 {n} 站", "共 {n} 站", "All {n} stations"),
    "compare_last": ("最近一月", "最近一月", "Last month shown"),
    "compare_course": ("各月", "各月", "Month by month"),
    "compare_how": (
        (
            "按最近一月的利用率从高到低；覆盖率不足一半的不排名，排在最后，利用率加括号，也不算差别。"
            "条中深色为占用，浅色为开放而空闲，斜纹为未知。"
        ),
        (
            "按最近一月的利用率從高到低；覆蓋率不足一半的不排名，排在最後，利用率加括號，也不算差別。"
            "條中深色為佔用，淺色為開放而空閒，斜紋為未知。"
        ),
        (
            "By the last month's utilisation, the highest first. What was seen for less than half of its time is not"
            " ranked: it stands last, in brackets, and has no difference. In a strip dark is in use, pale is open and"
            " empty, hatched is not known."
        ),
    ),
    "months_n": ("{n} 个月", "{n} 個月", "{n} months"),
    "too_little_now": ("本月已知太少", "本月已知太少", "too little known of this month"),
    "too_little_before": ("上月已知太少", "上月已知太少", "too little known of the month before"),
    "login_compare": ("对比只给工作人员看", "對比只給工作人員看", "The comparison is for staff"),
    "busy_hours": ("平常几点忙", "平常幾點忙", "Usually busy"),
    "busy_picture": (
        "平常一周每小时的忙闲，下面有文字",
        "平常一週每小時的忙閒，下面有文字",
        "The usual use of each hour of the week; in words below",
    ),
    "busy_day": (
        "{day}：最忙 {busiest}，{most}在用；最空 {quietest}，{least}在用",
        "{day}：最忙 {busiest}，{most}在用；最空 {quietest}，{least}在用",
        "{day}: busiest {busiest}, {most} in use; quietest {quietest}, {least} in use",
    ),
    "busy_day_flat": (
        "{day}：全天差不多，{share}在用",
        "{day}：全天差不多，{share}在用",
        "{day}: about the same all day, {share} in use",
    ),
    "busy_day_unknown": ("{day}：说不准", "{day}：說不準", "{day}: not known"),
    "busy_days": ("其他日子", "其他日子", "Other days"),
    "busy_rests": (
        "按最近 {of} 周中有数据的 {weeks} 周，看得见的时间占 {coverage}；只是平常，不是现在。活动室和门不计在内。",
        "按最近 {of} 週中有數據的 {weeks} 週，看得見的時間佔 {coverage}；只是平常，不是現在。活動室和門不計在內。",
        "From {weeks} of the last {of} weeks, {coverage} of them seen. What is usual, not now. No rooms, no doors.",
    ),
    "busy_too_little": (
        "还说不准平常几点忙：至少要看到两周，现在有 {weeks} 周。",
        "還說不準平常幾點忙：至少要看到兩週，現在有 {weeks} 週。",
        "Not known yet: it takes two weeks at least, and {weeks} were seen.",
    ),
    "busy_back": ("现在空不空", "現在空不空", "What is free now"),
    "tenths": ("约 {n} 成", "約 {n} 成", "about {n}0%"),
    "nearly_none": ("几乎没有", "幾乎沒有", "almost none"),
    "nearly_all": ("几乎全部", "幾乎全部", "almost all"),
    "by_area": ("分区", "分區", "By area"),
    "area": ("区域", "區域", "Area"),
    "whole": ("全站", "全站", "Whole station"),
    "occupied_h": ("占用 h", "佔用 h", "Occupied h"),
    "open_h": ("已知开放 h", "已知開放 h", "Known open h"),
    "unknown_h": ("未知 h", "未知 h", "Not known h"),
    "broken_h": ("停用 h", "停用 h", "Out of order h"),
    "wishes": ("居民点单", "居民點單", "Wishes"),
    "lessons": ("布局与开放时间", "佈局與開放時間", "What the month teaches"),
    "kind": ("种类", "種類", "Kind"),
    "how_many": ("数量", "數量", "How many"),
    "full_week": ("每周全满 min", "每週全滿 min", "None free, min a week"),
    "full_h": ("本月全满 h", "本月全滿 h", "None free, h"),
    "lessons_how": (
        "全满：有在用的，没有空闲的；按已知的开放时间折算到一周。哪一类最久，就最缺哪一类。",
        "全滿：有在用的，沒有空閒的；按已知的開放時間折算到一週。哪一類最久，就最缺哪一類。",
        "None of a kind free while one at least was in use, as if all open time were known: the longest wants more.",
    ),
    "edges": (
        "开门后半小时使用 {first}（已知 {seen_first}），关门前半小时 {last}（已知 {seen_last}）；{n} 次开放。",
        "開門後半小時使用 {first}（已知 {seen_first}），關門前半小時 {last}（已知 {seen_last}）；{n} 次開放。",
        "First half hour {first} in use ({seen_first} known), last half hour {last} ({seen_last} known); {n} openings.",
    ),
    "by_place": ("逐处", "逐處", "Each place"),
    "place": ("位置", "位置", "Place"),
    "sessions": ("完整 / 共", "完整 / 共", "Whole / all"),
    "gaps": ("其中断报 kWh", "其中斷報 kWh", "Over gaps, kWh"),
    "resets": ("换表", "換表", "Meter resets"),
    "chargers": ("充电桩电量", "充電樁電量", "Energy of charging points"),
    "daily": ("每日明细", "每日明細", "Day by day"),
    "day": ("日期", "日期", "Day"),
    "alerts": ("故障与告警", "故障與告警", "Faults and alerts"),
    "alert": ("告警", "告警", "Alert"),
    "times": ("次数", "次數", "Times"),
    "lasted": ("合计历时", "合計歷時", "Lasted, in all"),
    "longest": ("最长", "最長", "Longest"),
    "ongoing": ("未结束", "未結束", "still open"),
    "no_alerts": ("本月没有告警", "本月沒有告警", "No alerts in this month"),
    "alerts_unread": ("告警记录现在读不到", "告警記錄現在讀不到", "The record of alerts can't be read now"),
    "more_alerts": ("另有 {n} 项较短的", "另有 {n} 項較短的", "{n} shorter ones more"),
    "how": ("怎样计数", "怎樣計數", "How it is counted"),
    "how_use": (
        (
            "利用率是占用时间 ÷ 已知开放时间；关闭和停用的时间不在分母里。"
            "有人数的活动室，有人即为占用；储物柜和车位按格位折算。平均占满是人数 ÷ 容量、已用格位 ÷ 全部格位。"
        ),
        (
            "利用率是佔用時間 ÷ 已知開放時間；關閉和停用的時間不在分母裡。"
            "有人數的活動室，有人即為佔用；儲物櫃和車位按格位折算。平均佔滿是人數 ÷ 容量、已用格位 ÷ 全部格位。"
        ),
        (
            "Utilisation is occupied ÷ known open time; closed and out-of-order time is not in the divisor. "
            "A room that counts people is occupied while anybody is there; lockers and bays count by their units. "
            "Filled is people ÷ capacity, units taken ÷ units."
        ),
    ),
    "how_unknown": (
        "没有可信数据的时间是未知：不算空闲，也不算占用，另列。门和急救设备没有人占用，不计入分区和全站。",
        "沒有可信數據的時間是未知：不算空閒，也不算佔用，另列。門和急救設備沒有人佔用，不計入分區和全站。",
        "Time without data to believe is not known: neither free nor occupied. Doors and first aid are in no sum.",
    ),
    "how_energy": (
        "电量是电表两次读数之差；相隔超过一小时的另列为断报电量。读数变小即换表，其间电量未知，不作估计。",
        "電量是電表兩次讀數之差；相隔超過一小時的另列為斷報電量。讀數變小即換表，其間電量未知，不作估計。",
        "Energy is what a meter rose by; over gaps of an hour it stands beside, over a reset it is never guessed.",
    ),
    "how_visits": (
        "到访人次来自客流计数、刷卡和开门，按整日，是包含真实人次的区间，以五人一档计；没有一直看到的日子只有下限。",
        "到訪人次來自客流計數、刷卡和開門，按整日，是包含真實人次的區間，以五人一檔計；沒有一直看到的日子只有下限。",
        "Visits come from counters, cards and doors: by whole days, in steps of five, with no end where none is known.",
    ),
    "occupations": ("谁来歇脚", "誰來歇腳", "Who rests here"),
    "occupations_of": (
        "{answers} 份不记名答卷；不足五人的并入其他，一月不足二十份不公布",
        "{answers} 份不記名答卷；不足五人的併入其他，一月不足二十份不公布",
        "of {answers} nameless answers; groups under five are in the last one, months under twenty untold",
    ),
    "no_sign": (
        "{at} 开门后还看不到有人进出，平常 {minutes} 分钟内就有；只是提示，不算落空",
        "{at} 開門後還看不到有人進出，平常 {minutes} 分鐘內就有；只是提示，不算落空",
        "opened at {at}, and no sign yet that one can come in; usually within {minutes} min. A hint, no accusation",
    ),
    "activities": ("活动场次", "活動場次", "Activities held"),
    "activities_of": (
        "日历共 {planned} 场，未举办 {not_held}，无从得知 {unknown}",
        "日曆共 {planned} 場，未舉辦 {not_held}，無從得知 {unknown}",
        "of {planned} in calendars; {not_held} not held, {unknown} not seen",
    ),
    "how_activities": (
        "活动来自日历；开始一刻钟后仍有人在场才算举办，一直看得见而无人到场为未举办，没有传感器的无从得知。",
        "活動來自日曆；開始一刻鐘後仍有人在場才算舉辦，一直看得見而無人到場為未舉辦，沒有感測器的無從得知。",
        "Activities are those of calendars: held if somebody is there after 15 min; else not held, or not seen.",
    ),
    "login": ("月报只给工作人员看", "月報只給工作人員看", "The report is for staff"),
    "login_how": (
        "请用包含本站的密钥登录，再打开本页。",
        "請用包含本站的密鑰登入，再打開本頁。",
        "Log in with a key that covers this station, then open this page again.",
    ),
    "promises": ("体检表", "體檢表", "Kept promises"),
    "overview": ("总览", "總覽", "Overview"),
    "kept": ("开放兑现率", "開放兌現率", "Kept"),
    "kept_of": ("看得见的占 {coverage}", "看得見的佔 {coverage}", "{coverage} of it was seen"),
    "kept_formula": (
        "兑现 ÷（兑现 + 落空），只按看得见的时间",
        "兌現 ÷（兌現 + 落空），只按看得見的時間",
        "proved ÷ (proved + contradicted), of the time that was seen",
    ),
    "coverage_promises": (
        "看得见的 ÷ 承诺开放的时间",
        "看得見的 ÷ 承諾開放的時間",
        "seen ÷ promised time",
    ),
    "contradicted_h": ("落空小时", "落空小時", "Hours not kept"),
    "contradicted_how": ("应开放却进不去", "應開放卻進不去", "should be open, could not be entered"),
    "stations_worst": ("各站，最差的在前", "各站，最差的在前", "Stations, the worst first"),
    "station_name": ("站点", "站點", "Station"),
    "days": ("逐日", "逐日", "Day by day"),
    "working": ("设备可用率", "設備可用率", "Equipment that worked"),
    "long_faults": ("故障超 48 小时", "故障逾 48 小時", "Faults over 48 h"),
    "checks_missed": ("漏巡检", "漏巡檢", "Checks missed"),
    "day_kept": ("兑现", "兌現", "kept"),
    "day_partly": ("部分落空", "部分落空", "partly not kept"),
    "day_broken": ("落空", "落空", "not kept"),
    "day_unseen": ("无从得知", "無從得知", "not seen"),
    "day_shut": ("不开放", "不開放", "closed"),
    "day_before": ("无记录", "無記錄", "no record"),
    "rest_whole": ("其余 100%", "其餘 100%", "the rest 100%"),
    "all_whole": ("全部 100%", "全部 100%", "all 100%"),
    "how_promises": (
        "刷卡放行、门或锁打开、座位或设备开始使用、巡检正常、人工设为开放，都证明门开着，两小时内有效。",
        "刷卡放行、門或鎖打開、座位或設備開始使用、巡檢正常、人工設為開放，都證明門開著，兩小時內有效。",
        "A card let in, a door or lock that opens, a seat or device in use, a check, a hand prove it for 2 h.",
    ),
    "how_contradicted": (
        "应开放时所有门都锁着、多张卡刷不开，或有人报告进不去，且 15 分钟内没有证明，即为落空。",
        "應開放時所有門都鎖著、多張卡刷不開，或有人報告進不去，且 15 分鐘內沒有證明，即為落空。",
        "All doors locked, cards refused or a person who can't get in contradict it, after 15 min without a sign.",
    ),
    "how_unproved": (
        "没有这类传感器的站点只是无从得知，不算落空，也不算兑现。",
        "沒有這類感測器的站點只是無從得知，不算落空，也不算兌現。",
        "A station without such sensors is not seen: neither kept nor broken.",
    ),
    "login_promises": ("体检表只给工作人员看", "體檢表只給工作人員看", "The check-up is for staff"),
    "login_how_promises": (
        "请用密钥登录，再打开本页。",
        "請用密鑰登入，再打開本頁。",
        "Log in with a key, then open this page again.",
    ),
    "login_go": ("登录", "登入", "Log in"),
}


def floored(share: float) -> int:
    """Per cent, rounded down."""
    return int(share * 100 + 1e-9)


class Words:
    """A speaker of one language; everything that it says is safe in HTML."""

    def __init__(self, lang: str) -> None:
        self.lang, self._column = lang, LANGUAGES.index(lang)
        self.configured = CONFIGURED[lang]

    def __call__(self, key: str, **values: object) -> str:
        return escape(WORDS[key][self._column].format(**values))

    def name(self, names: Mapping[str, str], otherwise: str) -> str:
        return escape(of_language(names, self.configured) or otherwise)

    def month(self, year: int, month: int) -> str:
        names = WORDS["months"][self._column].split()
        return self("month", year=year, month=month, name=names[month - 1] if names else "")

    def weekday(self, number: int) -> str:
        return self("weekdays").split()[number]

    # ---- figures: what is not known is a word, never a number ----

    def share(self, value: float | None) -> str:
        return self("unknown") if value is None else f"{value * 100:.0f}%"

    def coverage(self, value: float | None) -> str:
        """Rounded down, so that 100% leaves nothing unknown; none where it was shut all the time."""
        if value is None:
            return self("none")
        return "&lt;1%" if 0 < value < 0.01 else f"{floored(value)}%"

    def share_of(self, usage: Usage) -> str:
        """A bucket's utilisation; one that was shut all the time has none."""
        shut = not usage.minutes.known_open and not usage.minutes.unknown
        return self("none") if shut else self.share(usage.minutes.utilization)

    def hours(self, ms: Millis) -> str:
        return f"{ms / HOUR_MS:,.1f}"

    def energy(self, usage: Usage) -> str:
        """All that is known to have flowed, in kWh."""
        tally = usage.tally
        return self.kwh(tally.energy_mwh + tally.gap_mwh) if usage.metered else self("unknown")

    def occupations(self, told: Shares) -> str:
        """Each group with its share, the largest first."""
        parts = [
            f"{escape(OCCUPATIONS[name][self._column])} {self.share(share)}" for name, share in told.shares.items()
        ]
        return " · ".join(parts)

    def held(self, count: HeldCount) -> str:
        """How many, and what part of the calendar was seen; none where nothing was planned."""
        if not count.planned:
            return self("none")
        return f"{count.held} · {self.coverage(count.coverage)}" if count.coverage else self("unknown")

    def kwh(self, mwh: int) -> str:
        return f"{mwh / 1_000_000:,.1f}"

    def band(self, band: Band | None) -> str:
        if band is None:
            return self("unknown")
        return f"≥ {band.low:,}" if band.high is None else f"{band.low:,}–{band.high:,}"
