"""Which boxes may speak, and of how many anything is remembered."""

from gateway.evidence.boxes import NAMES, Boxes


def test_names_that_a_flood_makes_up_are_bounded_and_cost_no_box_its_place() -> None:
    boxes = Boxes()
    boxes.configure(["named"], {})
    boxes.link("a", "known")
    for number in range(10 * NAMES):
        if boxes.may_tell("a", f"made-up-{number}"):
            boxes.link("a", f"made-up-{number}")
    assert len(boxes.links_of("a")) == NAMES
    assert boxes.may_tell("a", "known")
    assert boxes.may_tell("a", "named"), "who stands in the configuration is never too many"
    assert boxes.may_tell("b", "made-up-1"), "each station has places of its own"
