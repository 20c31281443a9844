"""Whatever the gateway can say, the pages have a word for it in each of their languages."""

import re
from pathlib import Path
from typing import get_args

import pytest

from api.pages.kinds import words
from api.pages.wordlist import rows_of
from api.routes.reports import VisitorReport
from config.kinds import SPECS, KindSpec
from gateway.alerts.doubts import facts_of_verdict
from gateway.alerts.facts import clock_skew, flooding, screen
from gateway.alerts.kinds import KINDS
from gateway.alerts.signals import ALARMS, Limits, facts_of_signals
from gateway.history.occupations import OCCUPATIONS
from gateway.model import REASONS, Resource, Signal
from gateway.notify.catalogue import cause_text, entry
from tests.gateway.live.house import MINUTE, House

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "api" / "pages" / "static" / "js"
LANGUAGES = 3
CHARGER = Resource("yanshan", "yard", "pile-01", "charger", "pile-01", "ebike")
SAID: dict[str, Signal] = {
    "battery_pct": 3,
    "expires": "2026-12-01",
    "open": True,
}


def words_of(*names: str) -> dict[str, list[str]]:
    """The tables of these scripts: a key and its words, simplified, traditional, English."""
    return rows_of("\n".join((SCRIPTS / name).read_text("utf-8") for name in names))


def test_the_phone_asks_for_every_occupation_in_the_words_of_the_report() -> None:
    asked = words_of("phone-words.js")
    assert {name: tuple(asked[f"work_{name}"]) for name in OCCUPATIONS} == OCCUPATIONS
    listed = re.findall(r"OCCUPATIONS = \[(.*?)\]", (SCRIPTS / "tally.js").read_text("utf-8"))
    assert re.findall(r'"(\w+)"', listed[0]) == list(OCCUPATIONS)


COMMON, ALERTS = words_of("words.js"), words_of("alert-words.js")


def causes_of_changes() -> set[str]:
    """What the live state names as the cause of a change: the last word of each `settle`."""
    state = (ROOT / "gateway" / "live" / "state.py").read_text("utf-8")
    settled = {word for line in state.splitlines() if "settle(" in line for word in re.findall(r'"(\w+)"', line)}
    return settled | set(re.findall(r'\bcause: str = "(\w+)"', state))


def causes_of_signals() -> set[str]:
    resources = (
        CHARGER,
        Resource("yanshan", "a", "door", "door", "door"),
        Resource("yanshan", "a", "aed", "safety", "aed"),
    )
    facts = [fact for resource in resources for fact in facts_of_signals(resource, SAID, 0, Limits())]
    return {fact.cause.split("=")[0] + "=" for fact in facts} | causes_of_verdicts()


def causes_of_verdicts() -> set[str]:
    """What an alert about power without a session gives as its cause."""
    house = House([{"id": "pile", "kind": "charger", "type": "ev"}])
    house.wait_while(2 * MINUTE, ("pile", {"status": "Available", "power_w": 7000}))
    facts = facts_of_verdict(house.facts("pile"), house.now)
    return {fact.cause.split("=")[0] + "=" for fact in facts if fact.holds}


def test_every_word_is_there_in_every_language() -> None:
    tables = [path.name for path in SCRIPTS.glob("*words.js")]
    assert len(tables) >= 8
    short = {key: row for name in tables for key, row in words_of(name).items() if len(row) != LANGUAGES}
    assert short == {}


@pytest.mark.parametrize("reason", [reason for reason in REASONS if reason not in ("planned", "removed")])
def test_every_reason_that_a_page_can_show_has_its_word(reason: str) -> None:
    assert reason in COMMON


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_alert_is_called_what_messages_call_it(kind: str) -> None:
    simplified, _, english = ALERTS[f"alert.{kind}"]
    assert (simplified, english.lower()) == (entry(kind, "zh").title, entry(kind, "en").title.lower())


def test_every_cause_has_its_words() -> None:
    said = causes_of_changes() | causes_of_signals() | {"start", "all_silent", "unreadable", "free_mib="}
    said |= {
        screen(0, True, "yanshan", "x").cause,
        clock_skew(CHARGER, 0, True).cause,
        "stale",
        flooding(CHARGER, 0, 1).cause,
        "offline",
        "suspect",
    }
    said |= set(get_args(VisitorReport.model_fields["kind"].annotation))
    assert {"message", "hours", "override", "battery_pct=", "power_w=", "expires=", "open="} <= said
    assert {cause for cause in said if f"cause.{cause}" not in ALERTS} == set()


def test_an_alarm_whose_cause_only_repeats_its_kind_needs_none() -> None:
    assert not {f"cause.{alarm}" for alarm in ALARMS} & ALERTS.keys()


@pytest.mark.parametrize(
    "cause",
    [
        "stale",
        "offline",
        "suspect",
        "unreadable_value",
        "all_silent",
        "clock",
        "flooding",
        "GroundFailure",
        "OverCurrentFailure",
        "broken",
        "dirty",
        "wrong",
        "other",
        "no check-in",
        "unreadable",
    ],
)
def test_a_cause_is_worded_as_in_messages(cause: str) -> None:
    assert cause_text(cause, "zh") == ALERTS[f"cause.{cause}"][0]
    assert cause_text(cause, "en") == ALERTS[f"cause.{cause}"][2]


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_every_kind_and_type_of_resource_has_its_name(spec: KindSpec) -> None:
    rows = {key: row for key, row in words().items() if key.partition(".")[0].partition(":")[0] == spec.name}
    assert {spec.name, *(f"{spec.name}:{sort}" for sort in spec.types)} <= rows.keys()
    assert all(len(row) == LANGUAGES and all(row) for row in rows.values())


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_every_kind_and_type_of_resource_has_its_picture(spec: KindSpec) -> None:
    drawn = re.findall(r'^\.k\[data-k="(\w+)"\]', (SCRIPTS.parent / "css/tokens.css").read_text("utf-8"), re.MULTILINE)
    assert {spec.icon, *(sort.icon for sort in spec.types.values())} <= set(drawn), "draw it in css/tokens.css"


def test_no_word_stands_in_a_table_unused() -> None:
    scripts = "\n".join(
        re.sub(r"(?s)const \w+ = \{\n.*?\n\};", "", path.read_text("utf-8")) for path in SCRIPTS.glob("*.js")
    )
    written = "\n".join(path.read_text("utf-8") for path in SCRIPTS.parents[1].rglob("*.py"))  # by the server
    scripts += re.sub(r"'(\w+)'", r'"\1"', written)
    pages = "\n".join(path.read_text("utf-8") for path in (SCRIPTS.parents[1] / "templates").rglob("*.html"))
    made = (  # put together from parts
        r"(alert|cause|level|did|did_by|who|role|found|set|title)\..*|.*\.(free|unit|one|thing|short|col)|.*_short"
        r"|(nav|h|sys|v|why|area|asked|channel|pile)\..*"
        r"|severity_.*|alarm_\w+|step\d|work_\w+|.*:.*"
    )
    own = set(REASONS)
    for path in SCRIPTS.glob("*words.js"):
        for key in words_of(path.name):
            used = f'"{key}"' in scripts or f'data-say="{key}"' in pages or f": {key}" in scripts
            assert used or key in own or re.fullmatch(made, key), f"{path.name}: {key}"
