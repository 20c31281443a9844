"""What people did in the demo's past: who answers which alert, what visitors wrote, whose round it was."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from heapq import heappop, heappush
from typing import Any

from firmware_bridge.emulator.troubles import DAY_MS, Week
from gateway.alerting.deeds import Deed, Verb
from gateway.alerts.words import Alert, AlertEvent
from gateway.evidence.checks import Result
from gateway.model import Millis
from gateway.policy.override import SetStatus

MINUTE_MS = 60_000
LIFE_MS = 60_000
DUTY, CARETAKER, HELPER, MANAGER = "王芳", "李师傅", "刘阿姨", "陈敏"


@dataclass(frozen=True, slots=True)
class Doing:
    """So many minutes after an alert opened. `mute_days` for do=mute."""

    after_min: float
    do: Verb
    by: str
    text: str = ""
    assignee: str = ""
    mute_days: float = 0


@dataclass(frozen=True, slots=True)
class Reaction:
    """What was done about an alert; `place` is station/subject, or empty for any."""

    kind: str
    place: str
    steps: tuple[Doing, ...]


@dataclass(frozen=True, slots=True)
class VisitorSaid:
    at: Millis
    station: str
    resource: str | None
    sort: str
    text: str


@dataclass(frozen=True, slots=True)
class RoundMade:
    """A round's check: `result` is ok or problem."""

    at: Millis
    station: str
    check: str
    result: Result
    note: str = ""


@dataclass(frozen=True, slots=True)
class SetByHand:
    at: Millis
    until: Millis
    station: str
    resource: str
    status: SetStatus
    note: str


def _acknowledged(after_min: float, text: str = "") -> tuple[Doing, ...]:
    return (Doing(after_min, "acknowledge", DUTY, text),)


def _repaired(accepted_min: float, done_min: float) -> tuple[Doing, ...]:
    """Acknowledged, ordered, accepted and reported as done."""
    return (
        Doing(4, "acknowledge", DUTY),
        Doing(6, "assign", DUTY, assignee=CARETAKER),
        Doing(accepted_min, "accept", CARETAKER),
        Doing(done_min, "done", CARETAKER),
    )


PAST_ANSWERS = (
    Reaction("charger_fault", "yanshan/pile-02", _repaired(18, 139)),
    Reaction("charger_fault", "xixiang/pile-05", (*_repaired(25, 70), Doing(182, "done", CARETAKER))),
    Reaction("equipment_fault", "henggang/microwave", _repaired(9, 330)),
    Reaction("station_offline", "shekou/shekou", _acknowledged(9, "路由器掉电，已请物业重启")),
    Reaction("device_silent", "henggang/seat-11", _acknowledged(70, "电池没电，明早换")),
    Reaction("battery_low", "xixiang/seat-07", (Doing(50, "mute", DUTY, "新电池周四到", mute_days=3),)),
    Reaction(
        "door_forced", "xixiang/door-main", (*_acknowledged(2, "保安已到场"), Doing(31, "close", DUTY, "已修好"))
    ),
    Reaction(
        "tamper", "shekou/pile-06",
        (*_repaired(35, 64), Doing(85, "verify", DUTY)),
    ),
    Reaction("help", "yanshan/door-main", (*_acknowledged(1, "正在联系现场"), Doing(22, "close", DUTY, "已好转"))),
    Reaction("hazard", "henggang/smoke", _acknowledged(1, "微波炉热饭冒烟，已开窗")),
    Reaction("safety_not_ready", "shekou/aed", (*_acknowledged(5), Doing(8, "assign", DUTY, assignee=HELPER),
                                              Doing(40, "accept", HELPER), Doing(366, "done", HELPER))),
    Reaction("open_contradicted", "chained/chained", _acknowledged(14, "物业忘了开锁，已打电话")),
    Reaction("broker_lost", "", _acknowledged(6)),
    Reaction("reported", "yanshan/phone-02", (*_repaired(30, 75), Doing(120, "close", DUTY))),
    Reaction("reported", "xixiang/xixiang", (*_acknowledged(12, "已安排保洁"), Doing(55, "close", DUTY, "已打扫"))),
    Reaction("reported", "henggang/massage", (*_acknowledged(20), Doing(48, "close", DUTY, "现场看过，正常"))),
    Reaction("check_problem", "teahouse/kitchen", (
        Doing(20, "accept", HELPER), Doing(65, "done", HELPER), Doing(90, "verify", MANAGER),
    )),
    Reaction("bridge_offline", "", _acknowledged(8, "交换机跳闸")),
    Reaction("station_offline", "carpark/carpark", _acknowledged(8, "交换机跳闸")),
    Reaction("stuck_sensor", "", _acknowledged(35)),
)  # fmt: skip
"""Of what is over by now."""

STANDING_ANSWERS = (
    Reaction("charger_fault", "yanshan/pile-07", (
        Doing(7, "acknowledge", DUTY), Doing(11, "assign", DUTY, assignee=CARETAKER), Doing(1_050, "accept", CARETAKER),
    )),
    Reaction("safety_not_ready", "xixiang/aed", (
        *_acknowledged(3, "备用机十分钟内送到"), Doing(5, "assign", DUTY, assignee=HELPER),
    )),
    Reaction("battery_low", "henggang/seat-09", (Doing(90, "mute", DUTY, "下周巡检一起换", mute_days=6),)),
    Reaction("equipment_fault", "shekou/water", (
        *_repaired(40, 1_000), Doing(1_003, "comment", CARETAKER, "换了加热管"),
    )),
    Reaction("safety_expiring", "shekou/first-aid", _acknowledged(200, "已下单")),
    Reaction("tamper", "shekou/pile-10", _repaired(60, 352)),
    Reaction("reported", "shekou/phone-03", (*_acknowledged(9), Doing(12, "assign", DUTY, assignee=CARETAKER),
                                           Doing(50, "accept", CARETAKER))),
    Reaction("open_contradicted", "chained/chained", _acknowledged(25, "房东换了锁，正在协商")),
)  # fmt: skip


def past_words(week: Week) -> list[VisitorSaid]:
    return [
        VisitorSaid(week.at(2, 13.3), "yanshan", "phone-02", "broken", "插头松，要用手扶着才充得上"),
        VisitorSaid(week.at(4, 20.2), "xixiang", None, "dirty", "地上有汤，纸巾也没了"),
        VisitorSaid(week.at(6, 18.6), "henggang", "massage", "broken", "投了币不动"),
    ]


def standing_words(week: Week) -> list[VisitorSaid]:
    return [
        VisitorSaid(week.ago(0.6), "yanshan", "seat-05", "broken", "椅子腿松了，坐上去晃"),
        VisitorSaid(week.ago(3.5), "shekou", "phone-03", "broken", "这个口充不进电，换了两根线都不行"),
    ]


def rounds(week: Week) -> list[RoundMade]:
    """At the tea house: every day but one; the first-aid kit lacks something since yesterday."""
    made = [RoundMade(week.at(0, 9.2), "teahouse", "kit", "ok")]
    for day in range(8):
        wrong = day == 2
        made += [
            RoundMade(week.at(day, 8.6), "teahouse", "door", "ok"),
            RoundMade(
                week.at(day, 8.7), "teahouse", "kitchen", "problem" if wrong else "ok", "饮水机漏水" if wrong else ""
            ),
        ]
    made = [round_made for round_made in made if not week.at(4, 0) <= round_made.at < week.at(6, 0)]
    made.append(RoundMade(week.ago(23.9), "teahouse", "kit", "ok"))
    made.append(RoundMade(week.ago(22), "teahouse", "kit", "problem", "创可贴用完了"))
    return [round_made for round_made in made if round_made.at < week.now]


def set_by_hand(week: Week) -> list[SetByHand]:
    return [SetByHand(week.at(2, 14), week.at(2, 18.2), "henggang", "microwave", "maintenance", "等配件")]


@dataclass(slots=True)
class People:
    """Hears of alerts, and says who does what when. The same seed names the same deeds.

    `during`: from when until when alerts about station/device are answered; about others always.
    """

    answers: Sequence[Reaction]
    seed: int
    during: Mapping[str, tuple[Millis, Millis]]
    _due: list[tuple[Millis, int, Doing, Alert]] = field(default_factory=list)
    _orders: dict[str, str] = field(default_factory=dict)  # by alert
    _number: int = 0

    def heard(self, event: AlertEvent) -> None:
        if event.action == "opened":
            for step in self._answer(event.alert):
                self._number += 1
                heappush(self._due, (event.at + round(step.after_min * MINUTE_MS), self._number, step, event.alert))

    def _answer(self, alert: Alert) -> tuple[Doing, ...]:
        place = f"{alert.station}/{alert.subject}"
        first, last = self.during.get(place, (0, alert.since))
        if not first <= alert.since <= last:
            return ()
        return next(
            (answer.steps for answer in self.answers if answer.kind == alert.kind and answer.place in ("", place)), ()
        )

    def deeds(self, now: Millis) -> Iterator[Deed]:
        """The deeds whose time has come."""
        while self._due and self._due[0][0] <= now:
            _, _, step, alert = heappop(self._due)
            yield self._deed(step, alert, now)

    def _deed(self, step: Doing, alert: Alert, now: Millis) -> Deed:
        nonce, more = self.nonce(), dict[str, Any]()
        target = alert.id
        if step.do == "assign":
            self._orders[alert.id] = nonce[:12]
            more["assignee"] = step.assignee
        elif step.do in ("accept", "done", "verify"):
            target = self._orders.get(alert.id, alert.id[:12])
        elif step.do == "mute":
            more["until"] = now + round(step.mute_days * DAY_MS)
        return Deed(
            do=step.do, by=step.by, nonce=nonce, expires=now + LIFE_MS, target=target, station=alert.station or "",
            text=step.text, **more,
        )  # fmt: skip

    def nonce(self) -> str:
        self._number += 1
        return blake2b(f"{self.seed}/{self._number}".encode(), digest_size=16).hexdigest()
