"""config/example.yaml holds every option at its default, and the JSON Schema is current."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from config.example import example_text
from config.kinds import SPECS
from config.load import fields_of, load, section_in
from config.schema import KindSettings, Settings
from config.schema_json import TARGET, schema_text
from config.yaml_source import read_yaml

EXAMPLE = TARGET.with_name("example.yaml")
FILES = re.compile(r"(?:secrets|plans|calendars|maps)/[\w.]+")


@pytest.fixture
def everything(tmp_path: Path) -> Path:
    """The example with each option taken out of its comment, and the files it names."""
    text = EXAMPLE.read_text("utf-8")
    path = tmp_path / "all.yaml"
    path.write_text(re.sub(r"^( *)#([a-z0-9_]+:|- )", r"\1\2", text, flags=re.MULTILINE), "utf-8")
    for name in FILES.findall(text):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    return path


def _missing(section: type, given: list[dict[str, Any]], path: str) -> Iterator[str]:
    """Options of the section that stand in none of the given mappings, or never at their default."""
    for name, field in fields_of(section).items():
        values = [mapping[name] for mapping in given if name in mapping]
        inner = section_in(field.annotation)
        if not values:
            yield f"{path}{name} is missing"
        elif inner is KindSettings:
            continue
        elif inner:
            nested = [item for value in values for item in (value if isinstance(value, list) else [value])]
            nested = [item for item in nested if isinstance(item, dict)]  # a list may also hold plain texts
            yield from _missing(inner, nested, f"{path}{name}.")
        elif (wanted := _default(field)) not in (None, [], {}, *values) and not _severity(name, values):
            yield f"{path}{name} never stands at its default {wanted!r}"


def _default(field: FieldInfo) -> Any:
    """As it would be written; None where there is none."""
    if field.is_required():
        return None
    shape: Any = Annotated[field.annotation, *field.metadata, "as written"]
    return TypeAdapter(shape).dump_python(field.get_default(call_default_factory=True), mode="json")


def _severity(name: str, values: list[Any]) -> bool:
    return name == "severity" and values == ["info"]


def test_the_example_runs_as_it_is() -> None:
    settings = load(EXAMPLE, {})
    assert [station.id for station in settings.stations] == ["yanshan"]
    assert settings.mqtt.endpoint.embedded


def test_every_option_out_of_its_comment_still_loads(everything: Path) -> None:
    settings = load(everything, {})
    assert settings.bridge is not None
    assert len(settings.alerts.channels) == 6


def test_every_option_of_the_schema_stands_in_the_example_at_its_default(everything: Path) -> None:
    missing = list(_missing(Settings, [read_yaml([everything]).data], ""))
    assert missing == [], "write it into config/example.yaml, behind a #, at its default, with what it means"


def test_the_kinds_in_the_example_are_the_shipped_defaults(everything: Path) -> None:
    told = load(everything, {}).kinds
    assert {kind: settings.model_dump() for kind, settings in told.items()} == {
        kind: {"ttl_s": spec.ttl_s, "reporting": spec.reporting, "away_s": 0} for kind, spec in SPECS.items()
    }


def test_the_example_names_every_kind_as_it_is_declared() -> None:
    text = EXAMPLE.read_text("utf-8")
    assert text == example_text(text), "run python -m config.schema_json"
    assert text == example_text(text.replace("  #door: {ttl_s: 300, reporting: periodic, away_s: 0}\n", ""))


def test_an_example_without_its_list_of_kinds_is_told() -> None:
    with pytest.raises(ValueError, match="one block of lines like"):
        example_text("kinds:\n")


def test_the_active_lines_of_the_example_change_no_default() -> None:
    settings, plain = load(EXAMPLE, {}), Settings()
    for section in ("mqtt", "api", "gateway", "timezone", "alerts", "calendar", "privacy"):
        assert getattr(settings, section) == getattr(plain, section)


def test_the_json_schema_is_current_and_the_example_names_it() -> None:
    assert TARGET.read_text("utf-8") == schema_text(), "run python -m config.schema_json"
    assert EXAMPLE.read_text("utf-8").startswith(f"# yaml-language-server: $schema={TARGET.name}\n")


def test_every_option_is_described() -> None:
    def undescribed(section: type) -> Iterator[str]:
        for name, field in fields_of(section).items():
            if not field.description or not field.description.endswith("."):
                yield f"{section.__name__}.{name}"
            if inner := section_in(field.annotation):
                yield from undescribed(inner)

    assert list(undescribed(Settings)) == []
