"""What each kind of alert is called and the next step, by language. Plain words, no codes."""

import re
from typing import NamedTuple

from gateway.alerts.words import Alert


class AlertText(NamedTuple):
    """What is wrong, and what to do about it."""

    title: str
    step: str


_ZH = {
    "device_silent": AlertText("设备失联", "检查设备供电和网络"),
    "bridge_offline": AlertText("网关盒失联", "检查网关盒供电和网络"),
    "station_offline": AlertText("整站失联", "检查站点路由器和供电"),
    "charger_fault": AlertText("充电桩故障", "按故障代码排查；必要时断电"),
    "equipment_fault": AlertText("设备故障", "到现场检查设备"),
    "power_without_session": AlertText("无会话却有功率", "检查接触器和私接用电"),
    "session_without_power": AlertText("充电中却无功率", "检查插头、线缆和断路器"),
    "stuck_sensor": AlertText("传感器疑似卡死", "检查传感器安装，必要时重启"),
    "reader_dead": AlertText("门禁读卡器故障", "检查读卡器供电和总线"),
    "battery_low": AlertText("电池电量低", "更换电池"),
    "clock_skew": AlertText("设备时钟偏差", "校准设备时间（NTP）"),
    "counters_disagree": AlertText("客流计数互相矛盾", "核对同一入口的计数器、门禁和 entrance 设置"),
    "device_flooding": AlertText("设备消息过多", "检查该设备的固件和上报设置；多余的消息未被存储"),
    "open_contradicted": AlertText("应开放却进不去", "到现场开门；如确需闭站，请在系统中设为关闭"),
    "locker_full": AlertText("柜格已满", "清理超时占用的柜格"),
    "box_offline": AlertText("站点盒子断线", "检查该站的上网线路；站内照常运行，恢复后自动补齐记录"),
    "operator_away": AlertText("运营商失联", "联系运营商；检查网络和 upstream 地址，消息已留存待送"),
    "screen_absent": AlertText("站点屏幕无响应", "检查屏幕供电和浏览器"),
    "check_problem": AlertText("巡检发现问题", "派单处理；复查合格后自动解除"),
    "check_missed": AlertText("巡检逾期未做", "安排人员到现场检查"),
    "supply_expiring": AlertText("物资即将过期", "订购并更换"),
    "reported": AlertText("访客报修", "核实后派单"),
    "door_forced": AlertText("门被强行打开", "立即查看现场"),
    "door_held": AlertText("门长时间未关", "到现场关门，检查闭门器"),
    "tamper": AlertText("设备被拆动", "立即查看现场"),
    "help": AlertText("有人求助", "立即联系现场"),
    "hazard": AlertText("安全报警", "立即到现场查看；有火情或燃气先疏散，拨打 119"),
    "safety_not_ready": AlertText("急救设备未就绪", "检查自检、电池、有效期和柜门"),
    "safety_expiring": AlertText("急救物资即将过期", "订购并更换"),
    "broker_lost": AlertText("与消息服务器断开", "检查 MQTT 服务器；期间设备状态未知"),
    "store_failing": AlertText("存储写入失败", "检查磁盘；设备会保留未确认的数据"),
    "disk_filling": AlertText("磁盘空间不足", "清理或扩容磁盘"),
    "channel_failing": AlertText(
        "通知通道发不出消息", "检查该通道的地址、密钥和网络；未送达的消息在 /api/v1/deliveries"
    ),
    "copy_failing": AlertText("历史副本不完整", "检查 InfluxDB；本地数据完整，恢复后自动补齐"),
    "replica_away": AlertText("第二份数据跟不上", "检查 PostgreSQL；数据目前只在这台机器上，恢复后自动补齐"),
    "shard_away": AlertText("网关失联", "启动这个分片的网关；所列站点目前无人监视，消息在服务器上等待"),
    "log_ins_failing": AlertText("登录多次失败", "看是谁的地址；不认识就换密钥，别让登录页暴露在外网"),
    "backup_failing": AlertText("备份没有做成", "看原因；备份盘在不在，口令文件对不对"),
    "certificate_ending": AlertText("证书快到期", "续期，或换上新证书；换好后自动生效"),
    "holidays_unknown": AlertText("来年放假安排未录入", "将国务院通知写入 calendar.notices，或更新 chinesecalendar"),
    "duplicate_gateway": AlertText("网关重复运行", "停掉其中一个，或改用不同的 ID"),
    "quarantine_rate": AlertText("无法读取的消息过多", "用 export --quarantine 查看原因"),
    "internal_error": AlertText("程序处理某项输入时出错", "该项已搁置，其余照常；把日志中的错误报告给我们"),
}

_EN = {
    "device_silent": AlertText("device silent", "Check its power and network"),
    "bridge_offline": AlertText("gateway box offline", "Check the box's power and network"),
    "station_offline": AlertText("station offline", "Check the station's router and power"),
    "charger_fault": AlertText("charger fault", "Look up the code; cut its power if in doubt"),
    "equipment_fault": AlertText("equipment fault", "Check it on site"),
    "power_without_session": AlertText("power without a session", "Check the contactor and for tapped power"),
    "session_without_power": AlertText("session without power", "Check plug, cable and breaker"),
    "stuck_sensor": AlertText("sensor seems stuck", "Check how it is mounted; restart it"),
    "reader_dead": AlertText("door reader fault", "Check the reader's power and bus"),
    "battery_low": AlertText("battery low", "Change the battery"),
    "clock_skew": AlertText("device clock off", "Set its time (NTP)"),
    "counters_disagree": AlertText(
        "counters disagree", "Check the counters and readers of this entrance, and what `entrance` says of them"
    ),
    "device_flooding": AlertText(
        "device sends too much", "Check its firmware and how often it reports; the rest is not stored"
    ),
    "open_contradicted": AlertText(
        "should be open, can't be entered", "Go and open it; if it must stay shut, set it closed"
    ),
    "locker_full": AlertText("lockers full", "Clear what is overdue"),
    "box_offline": AlertText(
        "line to a box down", "Check the station's internet line; it works on by itself and tells all when it is back"
    ),
    "operator_away": AlertText(
        "operator silent", "It hears nothing of its piles: call it, check the network and upstream:; all is kept for it"
    ),
    "screen_absent": AlertText("station screen absent", "Check the screen's power and browser"),
    "check_problem": AlertText("problem found on a round", "Have it mended; the next check that is fine ends it"),
    "check_missed": AlertText("check missed", "Send somebody to look"),
    "supply_expiring": AlertText("supplies expire soon", "Order and replace"),
    "reported": AlertText("reported by a visitor", "Check it, then order the work"),
    "door_forced": AlertText("door forced", "Look at once"),
    "door_held": AlertText("door held open", "Shut it; check the closer"),
    "tamper": AlertText("tampering", "Look at once"),
    "help": AlertText("somebody asks for help", "Call the site at once"),
    "hazard": AlertText("hazard alarm", "Go and look at once; with fire or gas get everybody out first and call 119"),
    "safety_not_ready": AlertText("first-aid item not ready", "Check self-test, battery, expiry and cabinet"),
    "safety_expiring": AlertText("first-aid item expires soon", "Order and replace"),
    "broker_lost": AlertText("message broker lost", "Check the MQTT broker; devices are unknown meanwhile"),
    "store_failing": AlertText("storage failing", "Check the disk; devices keep what is not confirmed"),
    "disk_filling": AlertText("disk filling", "Free or add disk space"),
    "channel_failing": AlertText(
        "channel delivers nothing", "Check its address, key and network; what it owes is at /api/v1/deliveries"
    ),
    "copy_failing": AlertText(
        "copy of the history not whole", "Check InfluxDB; the journal has everything and catches up"
    ),
    "shard_away": AlertText(
        "gateway offline", "Start this shard: nobody watches the stations named; their messages wait at the broker"
    ),
    "replica_away": AlertText(
        "second copy of the data behind", "Check PostgreSQL; until it is back there is one copy, then it catches up"
    ),
    "log_ins_failing": AlertText(
        "many log-ins fail", "See whose address it is; strangers: new keys, no page in the open"
    ),
    "backup_failing": AlertText("the backup failed", "See the cause; is its disk there, is the passphrase right"),
    "certificate_ending": AlertText("a certificate ends soon", "Renew it; the new file is taken up by itself"),
    "holidays_unknown": AlertText("holidays of a year not known", "Enter its notice, calendar.notices"),
    "duplicate_gateway": AlertText("duplicate gateway", "Stop one, or give it another id"),
    "quarantine_rate": AlertText("many unreadable messages", "See why with export --quarantine"),
    "internal_error": AlertText(
        "a fault of this program", "It was set aside, the rest goes on; report the traceback in the log"
    ),
}

_HAZARDS: dict[str, tuple[str, str]] = {
    "smoke": ("烟雾报警", "smoke alarm"),
    "gas": ("燃气泄漏报警", "gas alarm"),
    "co": ("一氧化碳报警", "carbon monoxide alarm"),
    "leak": ("漏水报警", "water leak alarm"),
    "fire": ("火警", "fire alarm"),
}
_TESTED = AlertText("（测试）", "测试结束后自动关闭，无需处理"), AlertText(" (test)", "Nothing; it ends with the test")

_HOW_WE_KNOW = frozenset(
    {"message", "retained", "heartbeat", "availability", "time", "activity", "hours", "override", "start", "restart"}
)
_FIGURES: dict[str, tuple[str, str]] = {
    "battery_pct": ("电量 {}%", "battery {} %"),
    "power_w": ("功率 {} W", "{} W"),
    "expires": ("{} 到期", "expires {}"),
    "open": ("门一直开着", "it stands open"),
    "free_mib": ("剩余 {} MiB", "{} MiB left"),
}
_A_CODE = re.compile(r"(?=.*\d)[A-Za-z0-9_.-]{1,16}")
_CODE = ("故障代码 {}", "code {}")

_CAUSES_ZH = {
    "GroundFailure": "接地故障",
    "ConnectorLockFailure": "枪锁故障",
    "EVCommunicationError": "与车辆通信失败",
    "HighTemperature": "温度过高",
    "InternalError": "桩内部故障",
    "LocalListConflict": "白名单冲突",
    "OtherError": "其他故障",
    "OverCurrentFailure": "过流",
    "OverVoltage": "电压过高",
    "PowerMeterFailure": "电表故障",
    "PowerSwitchFailure": "接触器故障",
    "ReaderFailure": "读卡器故障",
    "ResetFailure": "复位失败",
    "UnderVoltage": "电压过低",
    "WeakSignal": "信号弱",
    "broken": "坏了",
    "dirty": "脏了",
    "wrong": "显示不对",
    "other": "其他问题",
    "no check-in": "页面没有报到，可能死机或断网",
    "unreadable": "数据格式无法识别",
    "alarm": "探测器报警",
    "test": "有人正在测试探测器",
    "stale": "超过时限没有消息",
    "offline": "连接已断开",
    "suspect": "读数与其他证据矛盾",
    "unreadable_value": "最近一条消息无法识别",
    "all_silent": "所有设备同时静默，很可能是网络或供电",
    "clock": "时间戳不可信",
    "doors_locked": "所有门都锁着",
    "cards_refused": "多张卡刷不开门",
    "person_found_shut": "现场有人进不去",
    "found_wrong": "巡检人员报告异常",
    "expires_soon": "按登记的有效期即将或已经过期",
    "not_looked_at": "超过应检时间无人检查",
    "flooding": "消息远超限额，多余的未存储",
}

_CAUSES_EN = {
    "GroundFailure": "ground failure",
    "ConnectorLockFailure": "connector lock failure",
    "EVCommunicationError": "no talk with the vehicle",
    "HighTemperature": "too hot",
    "InternalError": "internal error of the charger",
    "LocalListConflict": "conflict of its local list",
    "OtherError": "another error",
    "OverCurrentFailure": "overcurrent",
    "OverVoltage": "overvoltage",
    "PowerMeterFailure": "meter failure",
    "PowerSwitchFailure": "switch failure",
    "ReaderFailure": "reader failure",
    "ResetFailure": "reset failure",
    "UnderVoltage": "undervoltage",
    "WeakSignal": "weak signal",
    "broken": "broken",
    "dirty": "dirty",
    "wrong": "shown wrongly",
    "other": "something else",
    "no check-in": "its page is hung or cut off",
    "unreadable": "messages that can't be read",
    "alarm": "its detector warns",
    "test": "somebody is testing its detector",
    "stale": "no message within its time",
    "offline": "its connection broke",
    "suspect": "its values contradict other evidence",
    "unreadable_value": "its last message could not be read",
    "all_silent": "all devices at once, network or power",
    "clock": "its time stamps can't be believed",
    "doors_locked": "all doors are locked",
    "cards_refused": "several cards did not open the door",
    "person_found_shut": "somebody could not get in",
    "expires_soon": "by the day on it",
    "found_wrong": "a person found it wrong",
    "not_looked_at": "nobody has looked in time",
    "flooding": "more messages than it may send; the rest is not stored",
}


def entry(kind: str, lang: str) -> AlertText:
    """KeyError for a kind that nobody described."""
    return (_EN if lang == "en" else _ZH)[kind]


def text_of(alert: Alert, lang: str) -> AlertText:
    """What this alert is called: a detector's by what it warns of, and whether it is only tested."""
    text, english = entry(alert.kind, lang), lang == "en"
    if alert.kind != "hazard":
        return text
    titles = _HAZARDS.get(str(alert.detail.get("type", "")))
    title = text.title if titles is None else titles[english]
    if alert.severity == "critical":
        return AlertText(title, text.step)
    tested = _TESTED[english]
    return AlertText(title + tested.title, tested.step)


def cause_of(alert: Alert, lang: str) -> str:
    """In words. Empty where it only repeats the kind, or says no more than how we came to know."""
    if alert.cause in (alert.kind, *_HOW_WE_KNOW):
        return ""
    return cause_text(alert.cause, lang)


def cause_text(cause: str, lang: str) -> str:
    """In words where there are some; a vendor's code stays as it is, for that is what its manual lists."""
    english = lang == "en"
    name, is_figure, value = cause.partition("=")
    if is_figure and name in _FIGURES:
        return _FIGURES[name][english].format(value.removesuffix(".0"))
    known = (_CAUSES_EN if english else _CAUSES_ZH).get(cause)
    if known is not None:
        return known
    return _CODE[english].format(cause) if _A_CODE.fullmatch(cause) else cause
