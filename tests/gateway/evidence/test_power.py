"""Status against power against register, with the figures of docs/availability.md as the right answers."""

import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from config.kinds import SPECS, Load
from config.schema import Settings
from gateway.alerting.replayed import ReplayedAlerts
from gateway.alerts.doubts import facts_of_verdict
from gateway.core.pipeline import Pipeline
from gateway.core.plan import build
from gateway.core.replay import replay
from gateway.dialects.shared.facts import running_above_w
from gateway.evidence.contradiction import RULES
from gateway.evidence.power import LOADS, load_of
from gateway.kinds.charger import USE_OF_STATUS
from gateway.model import Message, Resource
from gateway.policy.hours import Openings
from tests.gateway.alerting.house import STATION, T0
from tests.gateway.live.house import MINUTE, House

DOC = (Path(__file__).parents[3] / "docs" / "availability.md").read_text("utf-8")
UNITS = {"min": MINUTE, "h": 60 * MINUTE}


def table(first: str) -> list[list[str]]:
    """The rows of the table in the document whose head begins with this word."""
    head = DOC.index(f"| {first} |", DOC.index("## Contradictions"))
    rows = DOC[head:].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def watts(text: str) -> float:
    return float(text.removesuffix(" W"))


def length_ms(text: str) -> int:
    number, unit = text.split()
    return int(number) * UNITS[unit]


WATTS = {type_: Load(watts(idle), watts(drawing)) for type_, idle, drawing in table("type")}
# (kind, reason) → how long it lasts, the alert
VERDICTS = {
    (kind, reason): (length_ms(after), alert)
    for kinds, reason, _, after, alert in table("kind")
    for kind in kinds.split(", ")
}


def test_the_figures_of_the_document_are_those_of_the_judge():
    assert {
        (kind, type_): WATTS[type_ if kind == "charger" else kind]
        for kind in ("charger", "appliance")
        for type_ in SPECS[kind].types
    } | {key: load for key, load in LOADS.items() if "power_w" not in SPECS[key[0]].facts} == LOADS
    assert {
        (kind, rule.reason): (rule.after_ms, rule.alert) for kind, rules in RULES.items() for rule in rules
    } == VERDICTS


def test_the_figures_are_what_was_promised():
    assert WATTS == {"phone": (0.3, 3), "ebike": (4, 15), "ev": (30, 50), "appliance": (5, 20)}
    assert {key: after // MINUTE for key, (after, _) in VERDICTS.items()} == {
        ("charger", "charging_without_power"): 2,
        ("charger", "power_while_free"): 1,
        ("charger", "power_while_out_of_order"): 1,
        ("charger", "meter_stands_still"): 15,
        ("charger", "frozen"): 120,
        ("appliance", "running_without_power"): 10,
        ("appliance", "power_while_free"): 20,
        ("appliance", "runs_for_hours"): 120,
        ("appliance", "frozen"): 120,
        ("seat", "occupied_though_nobody_is_about"): 360,
        ("seat", "frozen"): 120,
        ("room", "occupied_though_nobody_is_about"): 360,
    }


@pytest.mark.parametrize(
    ("kind", "type_"), [(kind, type_) for kind in ("charger", "appliance") for type_ in SPECS[kind].types]
)
def test_a_status_made_of_power_never_contradicts_that_power(kind: Any, type_: str):
    """The dialects' threshold lies between the two of the judge."""
    resource = Resource("s", "a", "x", kind, "x", type_)
    source = type("Source", (), {"values": {}})()
    idle_w, drawing_w = load_of(resource)
    assert idle_w <= running_above_w(source, resource) <= drawing_w


def expected(kind: str, status: str, power_w: float | None, load: Load, register: str) -> str | None:
    """The reason that the document gives, once all has lasted for its time."""
    if power_w is None:
        return None
    idles, draws = power_w < load.idle_w, power_w > load.drawing_w
    if status in ("Charging", "running") and idles:
        return ("charging" if kind == "charger" else "running") + "_without_power" if register != "rises" else None
    if status in ("Available", "idle") and draws:
        return "power_while_free"
    if status in ("Unavailable", "Faulted") and draws:
        return "power_while_out_of_order"
    if draws and power_w >= 20 and register == "still":
        return "meter_stands_still"
    return None


@pytest.mark.parametrize(
    ("kind", "type_"),
    [("charger", "phone"), ("charger", "ebike"), ("charger", "ev"), ("appliance", "water"), ("appliance", "massage")],
)
def test_every_status_with_every_power_and_register_is_judged_as_documented(kind: str, type_: str):
    load = WATTS[type_ if kind == "charger" else "appliance"]
    powers = (
        None, 0.0, load.idle_w - 0.1, load.idle_w, load.drawing_w, load.drawing_w + 0.1, 19.9, 20.0, 60.0, 7000.0,
    )  # fmt: skip
    statuses = list(USE_OF_STATUS) if kind == "charger" else ["idle", "running", "fault"]
    registers = ("none", "still", "rises") if kind == "charger" else ("none",)
    cases = {f"x-{at}": case for at, case in enumerate(product(statuses, powers, registers))}
    house = House([{"id": name, "kind": kind, "type": type_, "ttl": 600} for name in cases])
    seen: dict[str, list[str | None]] = {name: [] for name in cases}
    for minute in range(26):
        for name, (status, power_w, register) in cases.items():
            said: dict[str, Any] = {"status": status} | ({} if power_w is None else {"power_w": power_w})
            if register != "none":
                said["energy_wh"] = 1000 + (minute if register == "rises" else 0)
            house.say(name, **said)
            seen[name].append(house.facts(name).doubt.verdict)
        house.wait(MINUTE)
    for name, (status, power_w, register) in cases.items():
        reason, facts = expected(kind, status, power_w, load, register), house.facts(name)
        case = (status, power_w, register)
        assert (case, facts.doubt.verdict) == (case, reason)
        told = {fact.kind for fact in facts_of_verdict(facts, house.now) if fact.holds}
        if reason is None:
            assert (case, facts.axes.evidence, told) == (case, "live", set())
            assert (case, set(seen[name])) == (case, {None})
            continue
        after_ms, alert = VERDICTS[kind, reason]
        assert (case, told) == (case, {alert})
        assert (case, facts.axes.evidence) == (
            case, "live" if reason == "power_while_out_of_order" else "suspect",
        )  # fmt: skip
        assert (case, seen[name].index(reason)) == (case, after_ms // MINUTE)
        assert set(seen[name][: after_ms // MINUTE]) == {None}


def run_two_hours(**more: int) -> list[dict[str, Any]]:
    """120 messages of a pile that says it is free and draws 7 kW; `energy_wh` rises by so much with each."""
    settings = Settings.model_validate({"stations": [STATION]}, context={"base": Path(), "check_files": False})
    live = build(settings, settings.stations, Openings(settings), T0)
    pipeline = Pipeline(live)
    pipeline.take()
    messages = []
    for minute in range(120):
        body: dict[str, Any] = {"boot": "b", "seq": minute, "status": "Available", "power_w": 7000}
        body |= {name: 5000 + minute * step for name, step in more.items()}
        messages.append(Message(b"yz/yanshan/pile-01/state", json.dumps(body).encode(), T0 + minute * MINUTE))
    return [json.loads(line) for line in replay(pipeline, messages, ReplayedAlerts(settings, live))]


@pytest.mark.parametrize("register", [{}, {"energy_wh": 117}, {"energy_wh": 0}])
def test_a_pile_that_draws_seven_kilowatts_is_never_free_for_long_whatever_its_register_says(register: dict[str, int]):
    lines = run_two_hours(**register)
    shown = [(line["at"] - T0, line["usable"], line["evidence"]) for line in lines if "usable" in line]
    assert shown == [(0, "yes", "live"), (MINUTE, "unknown", "suspect")]
    told = [(line["at"] - T0, line["action"], line["alert"]["kind"]) for line in lines if "alert" in line]
    assert [(action, kind) for _, action, kind in told] == [("opened", "power_without_session")]
    assert MINUTE < told[0][0] <= 2 * MINUTE


PILE = {"id": "pile", "kind": "charger", "type": "ebike"}


def verdict(house: House) -> tuple[Any, ...]:
    return house.facts("pile").doubt.verdict, house.facts("pile").axes.evidence


def test_a_register_that_rises_while_the_power_reads_nothing_clears_the_doubt_until_it_stands_still_for_long():
    house = House([PILE])
    house.wait_while(5 * MINUTE, ("pile", {"status": "Charging", "power_w": 0, "energy_wh": 10}))
    assert verdict(house) == ("charging_without_power", "suspect")
    house.say("pile", status="Charging", power_w=0, energy_wh=11)
    assert verdict(house) == (None, "live")
    house.wait_while(14 * MINUTE, ("pile", {"status": "Charging", "power_w": 0, "energy_wh": 11}))
    assert verdict(house) == (None, "live")
    house.wait_while(MINUTE, ("pile", {"status": "Charging", "power_w": 0, "energy_wh": 11}))
    assert verdict(house) == ("charging_without_power", "suspect")


def test_a_register_that_rose_before_the_power_went_excuses_nothing():
    house = House([PILE])
    for minute in range(10):
        house.say("pile", status="Charging", power_w=900, energy_wh=minute * 15)
        house.wait(MINUTE)
    house.wait_while(3 * MINUTE, ("pile", {"status": "Charging", "power_w": 0, "energy_wh": 135}))
    assert verdict(house) == ("charging_without_power", "suspect")


def test_a_register_that_goes_back_has_not_risen():
    house = House([PILE])
    house.say("pile", status="Charging", power_w=900, energy_wh=500_000)
    for minute in range(16):
        house.wait(MINUTE)
        house.say("pile", status="Charging", power_w=900, energy_wh=400_000 - minute)
    assert verdict(house) == ("meter_stands_still", "suspect")


def test_what_was_not_decided_before_a_silence_begins_anew_and_what_was_decided_stands():
    house = House([PILE | {"ttl": 90}])
    said: dict[str, Any] = {"status": "Available", "power_w": 900}
    free = ("pile", said)
    house.say("pile", **said)
    house.live.availability(house.live.devices["yanshan", "pile"], online=False, retained=False, now=house.now)
    house.wait(10 * MINUTE)
    house.say("pile", **said)
    assert verdict(house) == (None, "live")
    house.wait_while(MINUTE, free)
    assert verdict(house) == ("power_while_free", "suspect")
    house.wait(10 * MINUTE)
    assert verdict(house) == ("power_while_free", "stale")
    house.say("pile", **said)
    assert verdict(house) == ("power_while_free", "suspect")


def test_a_doubt_is_asked_again_only_while_it_may_change():
    """A pile that contradicts itself and falls silent leaves no deadline behind."""
    house = House([PILE])
    house.say("pile", status="Available", power_w=900)
    house.live.availability(house.live.devices["yanshan", "pile"], online=False, retained=False, now=house.now)
    house.wait(60 * MINUTE)
    assert house.live.next_deadline() is None or house.live.next_deadline() > house.now + 30 * MINUTE  # type: ignore[operator]


def test_kinds_write_nothing_that_the_judge_owns():
    kinds = Path(__file__).parents[3] / "gateway" / "kinds"
    users = {path.name for path in kinds.glob("*.py") if re.search(r"facts\.doubt\b", path.read_text("utf-8"))}
    assert users == set()
