"""Every public report that we know has a test, and docs/cases.md names it."""

import re

import pytest

from tests.docs.reading import ROOT, rows, ticked

DEVICES = ROOT / "tests" / "vectors" / "cases" / "devices"
SERVICE = ROOT / "tests" / "vectors" / "cases" / "service"
REPORTS = {row[0]: ticked(row[3]) for row in rows("cases.md", "no.")}
NUMBERS = "01 03 04 05 07 08 09 10 11 12 13 14 15 17 18 19 20 21 23 25 26 27 28 29 30 32 33 34 35 36 37 38 39 40 41 42"


def test_every_device_that_was_reported_stands_in_the_table_under_its_class() -> None:
    named = [name for row in rows("cases.md", "class") for name in ticked(row[1])]
    assert sorted(named) == sorted(path.stem for path in DEVICES.glob("*.json"))


def test_every_report_about_the_service_stands_in_the_table_once() -> None:
    assert list(REPORTS) == NUMBERS.split()
    assert len(rows("cases.md", "no.")) == len(REPORTS)


def test_every_input_belongs_to_a_report() -> None:
    assert {path.name[:2] for path in SERVICE.glob("*.ics")} <= set(REPORTS)


@pytest.mark.parametrize("report", REPORTS)
def test_the_tests_of_a_report_are_there(report: str) -> None:
    assert REPORTS[report]
    for name in REPORTS[report]:
        path, _, function = name.partition("::")
        text = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"^(?:async )?def {function or 'test_'}", text, re.MULTILINE), name
