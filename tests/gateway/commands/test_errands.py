"""What waits for boxes: each has places of its own, and nobody looks at what can't be due."""

import pytest

from gateway.commands.errands import AGAIN_MS, BOX_MOST, KEEP_MS, TO_CENTRE, WAITING_MOST, Errand, Errands
from gateway.commands.gate import CommandError

NOW = 1_780_000_000_000


def errand(number, box="a", what="override", at=NOW):
    return Errand(f"n{number}", box, "yanshan", what, "li", "{}", at, at + KEEP_MS)


def full(box="a"):
    errands = Errands()
    for number in range(BOX_MOST):
        errands.put(errand(f"{box}{number}", box))
    return errands


@pytest.mark.parametrize(("box", "told"), [("a", "the box a"), (TO_CENTRE, "our centre")])
def test_a_box_whose_line_is_down_takes_no_places_of_the_others(box, told):
    errands = full(box)
    with pytest.raises(CommandError, match=f"{BOX_MOST} commands wait for {told} already"):
        errands.put(errand("more", box))
    errands.put(errand("other", "b"))
    assert errands.find("nother") is not None


def test_all_together_have_a_bound_as_well():
    errands = Errands(errand(f"{box}-{number}", f"box{box}") for box in range(20) for number in range(BOX_MOST))
    assert BOX_MOST * 20 == WAITING_MOST
    with pytest.raises(CommandError, match=f"{WAITING_MOST} commands wait for boxes already"):
        errands.put(errand("more", "another"))


def test_what_waits_for_a_box_is_looked_at_when_some_of_it_is_due(monkeypatch):
    errands = full()
    looked = []
    real = Errands._due_of
    monkeypatch.setattr(Errands, "_due_of", staticmethod(lambda those, now: looked.append(now) or real(those, now)))
    up = {"a": True}
    assert len(errands.due(NOW, up.__getitem__)) == BOX_MOST
    for later in range(1, AGAIN_MS):
        assert errands.due(NOW + later, up.__getitem__) == []
    assert looked == [NOW]
    assert len(errands.due(NOW + AGAIN_MS, up.__getitem__)) == BOX_MOST
    up["a"] = False
    for later in range(10):
        assert errands.due(NOW + AGAIN_MS + later, up.__getitem__) == []
    assert len(looked) == 2
    up["a"] = True
    assert len(errands.due(NOW + AGAIN_MS + 10, up.__getitem__)) == BOX_MOST  # at once


def test_one_that_is_put_or_settled_is_followed_by_the_next_at_once():
    errands = Errands()
    for number in range(3):
        errands.put(errand(number, what="staff"))
    up = lambda _box: True  # noqa: E731
    assert [errand.nonce for errand in errands.due(NOW, up)] == ["n0"]
    assert errands.due(NOW + 1, up) == []
    errands.settle("n0", "done", "", NOW + 1)
    assert [errand.nonce for errand in errands.due(NOW + 1, up)] == ["n1"]
    errands.put(errand("now"))
    assert [errand.nonce for errand in errands.due(NOW + 2, up)] == ["nnow"]


def test_those_that_waited_too_long_end_and_a_state_that_is_put_back_goes_on():
    errands = Errands([errand(1), errand(2, at=NOW + 10)])
    assert errands.expire(NOW + KEEP_MS - 1) == []
    kept = errands.state()
    assert [errand.nonce for errand in errands.expire(NOW + KEEP_MS)] == ["n1"]
    assert [errand.nonce for errand in errands.expire(NOW + KEEP_MS + 10)] == ["n2"]
    errands.put_back(kept)
    assert [errand.nonce for errand in errands.expire(NOW + KEEP_MS + 10)] == ["n1", "n2"]
    assert not errands
