"""All 1,440 points of the five axes, against an independent reading of the contract."""

from itertools import product

from gateway.model import ACCESSES, AXES, EVIDENCES, HEALTHS, LIFECYCLES, USES, axes_of
from tests.gateway.properties import contract


def test_every_point_of_the_five_axes_answers_as_the_contract_says():
    points = list(product(LIFECYCLES, HEALTHS, ACCESSES, USES, EVIDENCES))
    assert len(points) == 1_440
    # Once more each: suspect, as the last message could not be read (288); open, and nobody can come in (360, and 72
    # unreadable besides); blocked, as nothing is left (240, and 48, 60 and 12 with those).
    assert len(AXES) == 1_440 + 288 + 360 + 72 + 240 + 48 + 60 + 12
    for point in points:
        axes = axes_of(*point)
        row = dict(zip(("lifecycle", "health", "access", "use", "evidence"), point, strict=True))
        assert axes.usable == contract.usable(row), point
        assert list(axes.because) == contract.because(row), point


def test_yes_never_has_a_reason_against_it_and_everything_else_has_one():
    for axes in AXES:
        assert (axes.usable == "yes") == (axes.because == ())
