"""docs/design.md draws the house that stands."""

import re
import tomllib

from tests.docs.reading import ROOT, text_of

DESIGN = text_of("design.md")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]


def drawn() -> dict[str, list[str]]:
    """The rooms that the drawing names under each top-level folder: `{"gateway": ["model", "dialects", …]}`."""
    (block,) = re.findall(r"```\n(config/.*?)```", DESIGN, re.DOTALL)
    rooms: dict[str, list[str]] = {}
    top = ""
    for line in block.splitlines():
        if match := re.match(r"(\w+)/", line):
            top = match[1]
            rooms[top] = []
        elif match := re.match(r"  ((?:[a-z_]+/?)(?:, (?:[a-z_]+/?))*)(?:\s|$)", line):
            rooms[top] += [name.rstrip("/") for name in match[1].split(", ")]
    return rooms


def standing(top: str, *, files: bool) -> list[str]:
    """The rooms directly under a folder; with `files`, its loose files too."""
    inside = [path for path in (ROOT / top).iterdir() if not path.name.startswith(("_", "."))]
    rooms = [path.name for path in inside if path.is_dir() and path.name != "data"]
    return sorted(rooms + [path.stem for path in inside if files and path.suffix == ".py"])


def test_the_drawing_names_every_room_and_file_of_the_gateway_and_the_bridge() -> None:
    assert sorted(drawn()["gateway"]) == standing("gateway", files=True)
    assert sorted(drawn()["firmware_bridge"]) == standing("firmware_bridge", files=True)


def test_a_reader_meets_at_most_twenty_one_rooms_in_the_gateway() -> None:
    assert len(standing("gateway", files=True)) <= 21


def test_the_drawing_names_every_room_of_the_api_and_no_file_that_is_gone() -> None:
    named = drawn()["api"]
    assert set(standing("api", files=False)) <= set(named)
    assert set(named) <= set(standing("api", files=True))


def test_the_layers_of_the_gateway_stand_in_the_text_as_the_linter_has_them() -> None:
    (layers,) = [contract["layers"] for contract in CONTRACTS if contract["name"] == "inside the gateway"]
    (told,) = re.findall(r"every room stands in a layer: `([^`]*)`", DESIGN)
    assert [sorted(layer.split(" | ")) for layer in told.split(" → ")] == [
        sorted(layer.split(" | ")) for layer in layers
    ]


def test_the_rooms_that_the_bridge_may_see_are_those_that_the_text_names() -> None:
    """So the linter's list of the forbidden is a list of the allowed: a new room joins one of the two by hand."""
    (forbidden,) = [
        contract["forbidden_modules"] for contract in CONTRACTS if contract.get("source_modules") == ["firmware_bridge"]
    ]
    (told,) = re.findall(r"the bridge sees of the gateway (.*?) and nothing else", DESIGN)
    shut = {name.removeprefix("gateway.") for name in forbidden if name.startswith("gateway.")}
    assert sorted(re.findall(r"`(\w+)`", told)) == sorted(set(standing("gateway", files=True)) - shut)
