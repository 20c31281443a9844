"""Changes in the text of configuration files: only what is changed becomes another."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.edit.changing import changed
from config.edit.words import ConfigChange, EditError, Op, Parts, parts_of
from config.load import ConfigErrors, load
from config.yaml_file import read_file
from tests.config.edit.editing import VECTORS, Files, hold, merged, some_change, vectors

REFUSED = ("stands in several files", "an item of this list is a mapping", "has no id", "names no place in this list")
STEPS = 6


def edit(text: str, op: str, path: str, value: object = None) -> str:
    change = ConfigChange(op, parts_of(path), value)  # type: ignore[arg-type]
    return changed({"a.yaml": text.encode()}, [change])["a.yaml"].decode()


def walk(name: str, seed: int) -> int:
    """Some changes of a vector, one after the other; how many were made. None is refused for its place in the text."""
    random, files, made = Random(seed), vectors()[name], 0
    for _ in range(STEPS):
        change = some_change(random, merged(files))
        try:
            files = hold(files, change)
            made += 1
        except EditError as error:
            if not error.what.startswith(REFUSED):
                raise
    return made


@pytest.mark.parametrize("name", sorted(vectors()))
def test_each_vector_is_a_configuration(name: str) -> None:
    path = VECTORS / name
    settings = load(path if path.is_dir() else path.with_suffix(".yaml"))
    written = [station["id"] for station in merged(vectors()[name])["stations"]]
    assert [station.id for station in settings.stations] == written


@given(st.sampled_from(sorted(vectors())), st.integers(0, 2**32))
def test_any_change_means_what_it_shall_and_every_comment_elsewhere_is_kept(name: str, seed: int) -> None:
    assert walk(name, seed) > 0, "not every change is refused"


@pytest.mark.slow
def test_ten_thousand_changes_are_made_in_place() -> None:
    """Of the changes that fit the tree three in a hundred may be refused."""
    made = sum(walk(name, seed) for seed in range(344) for name in vectors())
    assert made >= 10_000


@given(st.sampled_from(sorted(vectors())), st.integers(0, 2**32))
def test_nothing_that_a_change_does_not_name_becomes_another_line(name: str, seed: int) -> None:
    """What is added and removed again leaves the file as it was, to the byte."""
    random, files = Random(seed), vectors()[name]
    change = some_change(random, merged(files))
    if change.op != "add" or change.path[-1].isdecimal() or change.path[-1] == "-":
        return
    try:
        added = changed(files, [change])
    except EditError:
        return
    for file, content in changed(added, [ConfigChange("remove", change.path)]).items():
        before = files[file]
        lines = [line for line in before.splitlines() if line.strip()]
        kept = [line for line in content.splitlines() if line.strip()]
        assert kept == lines or b"[]" in before or b"{}" in before or b"}" in before or b"]" in before


# One row for each form: text, op, path, value, text afterwards.
ROWS = [
    ("a: 1\nb: 2\n", "remove", "/b", None, "a: 1\n"),
    ("a: 1\nb: 2", "remove", "/b", None, "a: 1"),
    ("a: 1", "add", "/b", 2, "a: 1\nb: 2"),
    ("a: 1 # c\n# d\n", "replace", "/a", "x: y", "a: 'x: y' # c\n# d\n"),
    ('a: "1" # c\n', "replace", "/a", "2", 'a: "2" # c\n'),
    ("a: '1'\n", "replace", "/a", 2, "a: 2\n"),
    ("a: |\n  long\n  text\n\n# d\nb: 1\n", "replace", "/a", "short", "a: short\n\n# d\nb: 1\n"),
    ("a: >+\n  long\n\n\nb: 1\n", "add", "/c", 2, "a: >+\n  long\n\n\nb: 1\nc: 2\n"),
    ("a:   # nothing yet\nb: 1\n", "add", "/a", 5, "a: 5   # nothing yet\nb: 1\n"),
    ("s: {x: 1}   # c\n", "remove", "/s/x", None, "s: {}   # c\n"),
    ("s:   # c\n  x: 1   # d\nt: 1\n", "remove", "/s/x", None, "s: {}   # c\nt: 1\n"),
    ("l:\n- 1   # one\n- 2   # two\n", "remove", "/l/0", None, "l:\n- 2   # two\n"),
    ("l:\n  # head\n  - 1\n", "add", "/l/-", 2, "l:\n  # head\n  - 1\n  - 2\n"),
    ("l:\n  # head\n  - 1\n", "add", "/l/0", 0, "l:\n  # head\n  - 0\n  - 1\n"),
    ("l: [1, 2, 3]\n", "remove", "/l/2", None, "l: [1, 2]\n"),
    ("l: [1, 2, 3]\n", "remove", "/l/0", None, "l: [2, 3]\n"),
    ("l: [1, 2, 3]\n", "add", "/l/1", "a, b", "l: [1, 'a, b', 2, 3]\n"),
    ("l: [\n  1,   # one\n  2    # two\n]\n", "add", "/l/-", 3, "l: [\n  1,   # one\n  2,    # two\n  3\n]\n"),
    ("l: [\n  1,   # one\n  2,   # two\n]\n", "remove", "/l/1", None, "l: [\n  1,   # one\n]\n"),
    ("l: []\n", "add", "/l/-", {"a": {"b": [1]}}, "l:\n  - a:\n      b: [1]\n"),
    ("a: &x 1   # c\nb: 2\n", "replace", "/a", 3, "a: &x 3   # c\nb: 2\n"),
    ("a: &x\n  k: 1\n", "replace", "/a", 3, "a: &x 3\n"),
    ("s:\n- id: a\n  k: 1 # c\n", "remove", "/s/a/k", None, "s:\n- id: a\n"),
    ("s:\n- k: 1\n  id: a\n", "remove", "/s/a/k", None, "s:\n- id: a\n"),
    ("s:\n- k: 1\n  # c\n  id: a\n", "remove", "/s/a/k", None, "s:\n-\n  # c\n  id: a\n"),
    ("s:\n- id: a # c\n  k: {v: 1}\n", "replace", "/s/a", {"k": {"v": 2}}, "s:\n- id: a # c\n  k: {v: 2}\n"),
    ("a: 1\n...\n# end\n", "add", "/b", "\u96c1\u5c71", "a: 1\nb: \u96c1\u5c71\n...\n# end\n"),
    ("# nothing\n", "add", "/b", "on", "# nothing\nb: 'on'\n"),
    ("", "add", "/b", {"c": "1e5"}, "b: {c: '1e5'}\n"),
    ("a/b:\n  c~d: 1\n", "replace", "/a~1b/c~0d", 2, "a/b:\n  c~d: 2\n"),
    ("s:\n- {id: a}\n# b\n- {id: c}\n", "add", "/s/d", {}, "s:\n- {id: a}\n# b\n- {id: c}\n- {id: d}\n"),
    ("d:\n- {device: a, unit: 1}\n", "replace", "/d/a/unit", 2, "d:\n- {device: a, unit: 2}\n"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "op", "path", "value", "after"), ROWS, ids=range(len(ROWS)))
def test_each_form_of_yaml_is_edited_in_place(text: str, op: str, path: str, value: object, after: str) -> None:
    assert edit(text, op, path, value) == after


@pytest.mark.parametrize(
    ("text", "op", "path"),
    [
        ("a: &x {k: 1}\nb: *x\n", "replace", "/a/k"),
        ("a: &x {k: 1}\nb: *x\n", "remove", "/a"),
        ("a:\n  c: &x {k: 1}\nb: *x\n", "remove", "/a"),
        ("a: &x\n  k: {}\nb:\n- *x\n", "add", "/a/k/new"),
        ("a: &x [{k: 1}]\nb: [*x]\n", "replace", "/a/0/k"),
    ],
)
def test_what_an_alias_repeats_is_not_changed_behind_its_back(text: str, op: str, path: str) -> None:
    with pytest.raises(EditError, match=r"is repeated in line \d by the alias \*x"):
        edit(text, op, path, None if op == "remove" else 2)


def test_an_alias_is_written_out_where_its_place_is_replaced() -> None:
    assert edit("a: &x {k: 1}\nb: *x\n", "replace", "/b", {"k": 2}) == "a: &x {k: 1}\nb: {k: 2}\n"


@pytest.mark.parametrize(
    ("text", "path", "told"),
    [
        ("? a\n: 1\nb: 2\n", "/a", None),
        ("a: !!str 5\n", "/a", None),
        ("{a: 1, b: [}\n", "/a", "can't be read"),
        ("- 1\n", "/a", "is no mapping"),
        ("a: 1\na: 2\n", "/a", None),
        ("a: 1\n---\nb: 2\n", "/a", "can't be read"),
    ],
)
def test_a_form_that_is_not_understood_is_refused_and_never_spoilt(text: str, path: str, told: str | None) -> None:
    try:
        after = edit(text, "replace", path, 7)
    except EditError as error:
        if told is None or told not in error.what:
            raise
    else:
        assert told is None
        assert read_file(Path("a.yaml"), after.encode()).data["a"] == 7


@given(st.binary(max_size=60), st.integers(0, 2**32))
def test_a_file_of_anything_is_edited_or_refused(content: bytes, seed: int) -> None:
    files: Files = {"a.yaml": content}
    change = some_change(Random(seed), merged(files))
    try:
        after = hold(files, change)
    except EditError:
        after = files
    assert after.keys() == files.keys()


def sensible(random: Random, data: dict[str, Any]) -> ConfigChange:
    """What staff would do, and now and then a slip."""
    station = random.choice(data.get("stations") or [{"id": "none"}])
    areas = station.get("areas") or [{"id": "none"}]
    area = random.choice(areas)
    resources = area.get("resources") or [{"id": "none"}]
    here = ("stations", station["id"])
    there = (*here, "areas", area["id"])
    new = f"new-{random.randrange(10**9)}"
    resource = random.choice(resources)["id"]
    source = {"dialect": "tasmota", "topic": new}
    webhook = {"id": new, "kind": "webhook", "url": "http://127.0.0.1/", "allow_private": True}
    rows: list[tuple[Op, Parts, Any]] = [
        ("add", (*there, "resources", new), {"id": new, "kind": random.choice(["seat", "door", "computer"])}),
        ("add", (*there, "resources", new), {"id": new, "kind": "seat", "source": source}),
        ("remove", (*there, "resources", resource), None),
        ("replace", (*there, "resources", resource), {"kind": "seat", "ttl": random.choice([60, -1])}),
        ("add", (*here, "areas", new), {"id": new, "name": {"zh": "院子"}}),
        ("remove", there, None),
        ("add", ("stations", new), {"id": new, "name": "新站", "hours": "24/7", "areas": []}),
        ("remove", here, None),
        ("replace", (*here, "hours"), random.choice(["Mo-Fr 08:00-20:00", "always"])),
        ("add", (*here, "hours"), "24/7"),
        ("add", ("alerts", "channels", new), webhook),
        ("add", ("alerts", "routes", "-"), {"channels": ["duty"]}),
        ("add", ("privacy", "tick_s"), 30),
        ("replace", ("alerts", "raise_delay_s"), random.choice([5, "soon"])),
    ]
    return ConfigChange(*random.choice(rows))


def live(name: str, seed: int, steps: int) -> tuple[int, int]:
    """What staff do with a vector, each change taken if it is a configuration: how many were, and how many were not."""
    random, files, taken, refused = Random(seed), vectors()[name], 0, 0
    folder = VECTORS / name if (VECTORS / name).is_dir() else VECTORS
    for _ in range(steps):
        change = sensible(random, merged(files))
        try:
            after = hold(files, change)
            load(folder, contents={folder / file: content for file, content in after.items()})
        except (EditError, ConfigErrors):
            refused += 1
        else:
            files, taken = after, taken + 1
    return taken, refused


@pytest.mark.parametrize("name", sorted(vectors()))
def test_every_state_that_staff_lead_to_is_valid_or_refused_whole(name: str) -> None:
    taken, refused = live(name, 7, 40)
    assert taken > 10
    assert refused > 2


def test_the_configuration_is_valid_after_a_change_or_the_change_is_refused(tmp_path: Path) -> None:
    """What the room makes is looked at by the loader before it is saved: a change that is no configuration is told."""
    files = vectors()["village"]
    good = changed(files, [ConfigChange("remove", parts_of("/stations/yanshan/areas/lounge/resources/seat-01"))])
    path = tmp_path / "village.yaml"
    assert len(list(load(path, contents={path: good["village.yaml"]}).resources())) == 4
    bad = changed(files, [ConfigChange("remove", parts_of("/alerts/channels/office"))])
    with pytest.raises(ConfigErrors, match="there is no channel 'office'"):
        load(path, contents={path: bad["village.yaml"]})
