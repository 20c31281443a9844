"""Opening hours as people write them: expressions of public bug reports, each with what its writer meant."""

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.policy.hours import Expression, Opening
from gateway.policy.hours.expression import problem

CASES = json.loads(
    (Path(__file__).parents[1] / "vectors" / "cases" / "service" / "hours.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case["at"]], ids=lambda case: f"{case['hours']} {case['at']}"
)
def test_hours_mean_what_their_writer_meant(case: dict[str, str]) -> None:
    assert problem(case["hours"]) is None
    opening = Opening(Expression(case["hours"]), ZoneInfo("Asia/Shanghai"), "CN", "rest_day")
    at = datetime.fromisoformat(case["at"])
    assert opening.at(int(at.timestamp() * 1000)).now == case["expect"]


@pytest.mark.parametrize("case", [case for case in CASES if not case["at"]], ids=lambda case: case["hours"])
def test_hours_that_mean_something_else_than_they_say_are_refused_with_a_mend(case: dict[str, str]) -> None:
    assert case["expect"] in str(problem(case["hours"]))
