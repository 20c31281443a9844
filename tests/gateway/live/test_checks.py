"""Checks by people through the real core: what they do to the document, to alerts' facts and to the journal."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
import pytest

from gateway.alerting.facts import Watch
from gateway.commands import SeenNonces, sign
from gateway.core.outcome import Outcome
from gateway.evidence.checks import CheckReport, CheckState, encode_command
from tests.gateway.live.house import HOUR, MINUTE, START, House

KEY = b"k" * 32
AED = {"id": "aed", "kind": "safety", "type": "aed"}
BOX = {"id": "microwave", "kind": "appliance", "type": "microwave"}
CHECKS: list[dict[str, Any]] = [
    {"id": "aed", "of": ["aed"], "every": "day"},
    {"id": "oven", "of": ["microwave"], "every": "day"},
    {"id": "front-door", "every": "day", "entry": True},
]


class Venue(House):
    """A shared venue: no sensor but those that a test has speak."""

    nonce = 0
    resources: Sequence[dict[str, Any]] = (AED, BOX)
    checks: Sequence[dict[str, Any]] = CHECKS

    def __init__(self, **more: Any) -> None:
        super().__init__(self.resources, checks=self.checks, **more)
        self.pipeline.commands.trust(KEY, SeenNonces())
        self.outcome = self.pipeline.take()
        self.checked: set[CheckState] = set()

    def _take(self) -> None:
        self.outcome = self.pipeline.take()
        self.changes += self.outcome.changes
        self.checked |= self.outcome.checked

    def report(self, check: str, result: str = "ok", *, number: int = 0, ago: int = 0, **more: Any) -> None:
        self.nonce += 1
        name = f"00000000-0000-4000-8000-{number or self.nonce:012}"
        said = CheckReport(id=name, check=check, ts=self.now - ago, result=result, **more)  # type: ignore[arg-type]
        topic = "yz-cmd/yanshan/check"
        text = encode_command(f"nonce-of-a-test-{self.nonce}", self.now + 30_000, said)
        self.send(topic, sign(KEY, topic, text).decode())

    def answer(self, resource: str) -> tuple[str, str, str, tuple[str, ...]]:
        shown = next(row for row in self.document()["areas"][0]["resources"] if row["id"] == resource)
        return shown["usable"], shown["evidence"], shown["by"], tuple(shown["because"])


def test_what_people_find_right_is_usable_while_the_check_holds_and_not_longer() -> None:
    place = Venue()
    assert place.answer("microwave") == ("unknown", "never", "person", ("never", "use_unknown"))
    place.report("oven")
    assert place.answer("microwave") == ("yes", "live", "person", ())
    resource = next(row for row in place.document()["areas"][0]["resources"] if row["id"] == "microwave")
    assert resource["valid_until"] == "2026-06-02T14:00:00Z"  # a day and a half
    assert resource["observed_at"] == "2026-06-01T02:00:00Z"
    place.wait(36 * HOUR - 1)
    assert place.answer("microwave")[0] == "yes"
    place.wait(1)
    assert place.answer("microwave") == ("unknown", "never", "person", ("never", "use_unknown"))


def test_a_problem_is_a_fault_until_a_later_ok() -> None:
    place = Venue()
    place.report("oven", "problem", note="转盘坏了")
    assert place.answer("microwave") == ("no", "never", "person", ("fault", "never", "use_unknown"))
    place.wait(100 * HOUR)
    assert place.answer("microwave")[0] == "no"
    place.report("oven")
    assert place.answer("microwave")[0] == "yes"


def test_an_ok_clears_no_fault_of_a_sensor_and_where_one_speaks_it_decides() -> None:
    place = Venue()
    place.say("microwave", status="fault")
    place.report("oven")
    assert place.answer("microwave") == ("no", "live", "sensor", ("fault", "use_unknown"))
    place.say("microwave", status="idle")
    assert place.answer("microwave") == ("yes", "live", "sensor", ())
    place.report("oven", "problem")
    assert place.answer("microwave")[::2] == ("no", "person")


def test_a_report_is_stored_once_whatever_is_sent_again() -> None:
    place = Venue()
    place.report("oven", number=7)
    assert place.outcome.batch.topics == [b"yz/yanshan/oven/check"]
    assert msgspec.json.decode(place.outcome.batch.payloads[0]) == {
        "id": "00000000-0000-4000-8000-000000000007", "check": "oven", "ts": START, "result": "ok",
    }  # fmt: skip
    place.report("oven", number=7)
    assert len(place.outcome.batch) == len(place.outcome.reports) == 0


def test_one_older_than_what_is_known_goes_to_history_only() -> None:
    place = Venue()
    place.report("oven", ago=MINUTE)
    place.report("oven", "problem", ago=HOUR)
    assert len(place.outcome.reports) == 1
    assert place.answer("microwave")[0] == "yes"


@pytest.mark.parametrize("ago", [31 * 24 * HOUR, -10 * MINUTE])
def test_one_of_another_time_is_not_taken(ago: int) -> None:
    place = Venue()
    place.report("oven", ago=ago)
    assert len(place.outcome.batch) == 0


def test_nobody_reports_by_publishing() -> None:
    place = Venue()
    place.send("yz/yanshan/oven/check", {"id": f"{0:08}-0000-4000-8000-{0:012}", "check": "oven", "ts": START,
                                         "result": "ok"})  # fmt: skip
    assert place.answer("microwave")[0] == "unknown"
    assert len(place.outcome.batch) == 0


def test_a_door_that_people_find_shut_contradicts_the_hours_until_they_find_it_open() -> None:
    place = Venue()
    place.report("front-door", "problem")
    place.wait(16 * MINUTE)
    assert place.document()["open"]["proof"] == "contradicted"
    place.report("oven")
    assert place.document()["open"]["proof"] == "proved"  # who looks at the oven is inside
    place.wait(3 * HOUR)
    assert place.document()["open"]["proof"] == "contradicted"
    place.report("front-door")
    assert place.document()["open"]["proof"] == "proved"


def facts(place: Venue, watch: Watch) -> dict[tuple[str, str], bool | None]:
    watch.follow(Outcome(checked=place.checked), place.now)
    place.checked = set()
    return {(fact.kind, fact.subject): fact.holds for fact in watch.look(place.now) if fact.kind.startswith("check_")}


def test_problems_and_missed_checks_are_told_to_alerts() -> None:
    place = Venue()
    watch = Watch(place.settings, place.live, "gateway")
    assert set(facts(place, watch).values()) == {False}  # after a start all are looked at
    place.wait(MINUTE)
    place.report("oven", "problem")
    assert facts(place, watch) == {("check_problem", "oven"): True, ("check_missed", "oven"): False}
    place.wait(36 * HOUR)
    assert facts(place, watch)["check_missed", "oven"]
    place.report("oven")
    place.now += MINUTE
    assert facts(place, watch) == {("check_problem", "oven"): False, ("check_missed", "oven"): False}


def test_what_a_person_found_is_no_second_alert_of_the_equipment() -> None:
    place = Venue()
    place.report("aed", "problem")
    assert [change.cause for change in place.changes if change.after.health == "fault"] == ["check"]


BOXES = [{"id": "medicine", "kind": "supply", "type": "medicine"}]
ASKED = [{"id": "oven", "of": ["medicine"], "every": "month", "expires": True}]
DAY = 24 * HOUR


class Shelf(Venue):
    """Supplies that people count."""

    def __init__(self) -> None:
        House.__init__(self, BOXES, checks=ASKED)
        self.pipeline.commands.trust(KEY, SeenNonces())
        self.outcome = self.pipeline.take()
        self.checked: set[CheckState] = set()


def test_what_people_count_says_whether_something_is_left() -> None:
    place = Shelf()
    place.report("oven", count=0)
    assert place.answer("medicine") == ("no", "live", "person", ("empty", "blocked"))
    place.report("oven")
    assert place.answer("medicine") == ("yes", "live", "person", ())
    place.report("oven", count=3)
    assert place.answer("medicine")[0] == "yes"


def test_supplies_are_at_fault_from_the_day_after_they_expire_and_told_thirty_days_before() -> None:
    place = Shelf()
    watch = Watch(place.settings, place.live, "gateway")

    def told() -> bool:
        watch.follow(Outcome(checked=place.checked), place.now)
        seen = {(fact.kind, fact.holds) for fact in watch.look(place.now)}
        return ("supply_expiring", True) in seen

    place.report("oven", expires=date(2026, 7, 2))  # it is 1 June, ten in the morning
    assert not told()
    midnight = 32 * DAY - 10 * HOUR  # until 2 July is over there
    place.wait(midnight - 30 * DAY - 1)
    assert not told()
    place.wait(HOUR + 1)
    assert told()
    place.wait(30 * DAY - HOUR - 1)
    assert place.answer("medicine")[0] == "yes"
    place.wait(1)
    assert place.answer("medicine") == ("no", "live", "person", ("fault",))
    place.report("oven", expires=date(2027, 7, 2))
    assert place.answer("medicine")[0] == "yes"


@pytest.mark.parametrize(
    ("signals", "answer"),
    [
        ({"count": 0}, ("no", ("empty", "blocked"))),
        ({"count": 1}, ("yes", ())),
        ({"level": "low"}, ("yes", ())),
        ({"level": "out"}, ("no", ("empty", "blocked"))),
        ({"level": "ok", "count": 0}, ("no", ("empty", "blocked"))),
        ({"level": "some"}, ("unknown", ("use_unknown",))),
        ({"level": "ok", "expires": "2026-05-31"}, ("no", ("fault",))),
        ({"level": "ok", "expires": "2026-06-01"}, ("yes", ())),
    ],
)
def test_a_sensor_of_supplies(signals: dict[str, object], answer: tuple[str, tuple[str, ...]]) -> None:
    place = Shelf()
    place.say("medicine", **signals)
    assert place.answer("medicine")[::3] == answer
    assert place.answer("medicine")[2] == "sensor"
