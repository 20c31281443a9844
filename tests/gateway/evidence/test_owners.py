"""Each part of a resource's facts is written by its owner alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import gateway
from gateway.evidence.doubt import Doubt
from gateway.evidence.facts import KEPT, MOMENTS, Facts, kept, put_back
from gateway.evidence.freshness import Freshness
from gateway.kinds import KINDS
from gateway.kinds.known import slots_of
from gateway.model import AXES, Resource

ROOT = Path(gateway.__file__).parent
OWNERS = {
    "known": ("kinds/",),
    "fresh": ("evidence/freshness.py",),
    "doubt": ("evidence/doubt.py", "evidence/contradiction.py"),
    "facts": ("live/", "evidence/facts.py"),
}
"""Under which names the parts go everywhere, and who may write them."""
ANY = Resource("s", "a", "x", "seat", "x")
SLOTS = {
    "known": {slot for kind in KINDS.values() for slot in slots_of(type(kind.Value(ANY)))},
    "fresh": set(Freshness.__slots__),
    "doubt": set(Doubt.__slots__),
    "facts": set(Facts.__slots__),
}


def writes(text: str) -> Iterator[tuple[str, str]]:
    """(part, attribute) of every assignment to an attribute of something that goes by the name of a part."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            owner = node.value
            name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
            if name in OWNERS:
                yield name, node.attr


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("facts.axes = a", [("facts", "axes")]),
        ("facts.doubt.since = facts.known.use = 1", [("doubt", "since"), ("known", "use")]),
        ("one.fresh.ttl_ms += 1", [("fresh", "ttl_ms")]),
        ("a, known.use = 1, 2", [("known", "use")]),
        ("x = facts.known.use", []),
    ],
)
def test_every_way_to_write_is_seen(text: str, written: list[tuple[str, str]]) -> None:
    assert sorted(writes(text)) == sorted(written)


def test_no_room_writes_into_a_part_that_is_not_its_own() -> None:
    seen, strange = set(), []
    for path in sorted(ROOT.rglob("*.py")):
        here = str(path.relative_to(ROOT))
        for part, attribute in writes(path.read_text(encoding="utf-8")):
            if attribute in SLOTS[part]:
                seen.add(part)
                if not here.startswith(OWNERS[part]):
                    strange.append(f"{here}: {part}.{attribute}")
    assert strange == []
    assert seen == {"known", "doubt", "facts"}  # freshness writes to itself


def test_what_a_kind_does_not_know_is_nothing_and_can_not_be_written() -> None:
    seat = Facts(Resource("s", "a", "seat", "seat", "seat"), KINDS["seat"]).known
    assert (seat.people, seat.free, seat.energy_wh, seat.ins) == (None, None, None, 0)
    with pytest.raises(AttributeError):
        setattr(seat, "people", 3)  # noqa: B010  a type checker sees it too


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_is_kept_of_any_kind_comes_back_in_its_part(kind: str) -> None:
    facts, again = (Facts(Resource("s", "a", "x", kind, "x"), KINDS[kind]) for _ in range(2))
    values = [f"value of {name}" for name in KEPT]
    put_back(facts, AXES[7], values)
    told = dict(zip(KEPT, kept(facts), strict=True))
    mine = {f"known.{slot}" for slot in slots_of(type(facts.known))}
    expected = {name for name in KEPT if not name.startswith("known.") or name in mine}
    assert {name for name, value in told.items() if value == f"value of {name}"} == expected
    assert {"known.use", "known.fault", "known.status", "known.power_w"} <= expected
    put_back(again, AXES[7], kept(facts))
    assert kept(again) == kept(facts)
    assert again.axes is facts.axes


def test_every_name_that_is_kept_is_of_a_part() -> None:
    for name in (*KEPT, *MOMENTS):
        part, _, slot = name.rpartition(".")
        assert slot in SLOTS[part or "facts"], name
