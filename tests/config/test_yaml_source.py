"""Hostile and awkward YAML."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.checks import check
from config.load import ConfigErrors, load
from config.yaml_source import read_yaml

MAX_BYTES = 32 * 1024 * 1024


def _write(folder: Path, content: str | bytes) -> Path:
    path = folder / "site.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _read(folder: Path, text: str) -> dict[str, Any]:
    source = read_yaml([_write(folder, text)])
    assert source.mistakes == []
    return source.data


def test_words_and_times_stay_the_text_that_was_written(tmp_path: Path) -> None:
    data = _read(tmp_path, "a: [on, off, yes, no, 08:00, 2026-01-01, 1_000, 0x10]")
    assert data == {"a": ["on", "off", "yes", "no", "08:00", "2026-01-01", "1_000", "0x10"]}


def test_numbers_booleans_and_nothing_are_read_as_such(tmp_path: Path) -> None:
    assert _read(tmp_path, "a: [1, -2, 1.5, 1e3, true, False, null, ~, ]\nb: null") == {
        "a": [1, -2, 1.5, 1000.0, True, False, None, None],
        "b": None,
    }


def test_keys_are_always_text(tmp_path: Path) -> None:
    assert _read(tmp_path, "{1: a, true: b, 2026-01-01: c}") == {"1": "a", "true": "b", "2026-01-01": "c"}


def test_a_key_with_nothing_after_it_counts_as_not_given(tmp_path: Path) -> None:
    assert _read(tmp_path, "mqtt:\nstations:\napi: {public_url: , lang: ''}") == {"api": {"lang": ""}}


@pytest.mark.parametrize("content", ["", "# nothing\n", "\ufeff# nothing\n"])
def test_an_empty_file_holds_the_defaults(tmp_path: Path, content: str) -> None:
    assert load(_write(tmp_path, content), {}).stations == ()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[" * 100_000, "nested too deeply"),
        (b"a: \xff\xfe", "is not UTF-8 at byte 3"),
        (b"a: \x00", "is not readable YAML"),
        ("a: " + "9" * 5000, "is a number beyond reading"),
        ("? [a]\n: b", "a key is no plain text"),
        (b"#" * (MAX_BYTES + 1), "is larger than"),
    ],
)
def test_hostile_content_is_told_and_refused(tmp_path: Path, content: str | bytes, told: str) -> None:
    with pytest.raises(ConfigErrors, match=told):
        load(_write(tmp_path, content), {})


def test_a_file_that_breaks_off_is_blamed_for_nothing_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("\n\napi: {}\n]\n")
    (tmp_path / "b.yaml").write_text("api: {lang: zh}\n")
    source = read_yaml(sorted(tmp_path.iterdir()))
    assert [(mistake.file, mistake.line) for mistake in source.mistakes] == [(str(tmp_path / "a.yaml"), 4)]
    assert source.place(("api",)) == (str(tmp_path / "b.yaml"), 1)


def test_an_alias_bomb_is_refused_before_it_unfolds(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30))
    source = read_yaml([_write(tmp_path, bomb)])
    assert len(source.places) < 1000
    assert "is an alias" in source.mistakes[0].what


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
_SECTIONS = ("mqtt", "store", "api", "gateway", "stations", "alerts", "bridge", "kinds")


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = _write(tmp_path_factory.getbasetemp(), text.encode("utf-8", "surrogatepass"))
    try:
        load(path, {})
    except ConfigErrors as errors:
        assert errors.mistakes  # noqa: PT017 (both ends are good)


@given(st.dictionaries(st.sampled_from(_SECTIONS), _VALUES))
def test_no_shape_of_data_upsets_the_rules(data: dict[str, Any]) -> None:
    source = read_yaml([])
    source.data = data
    check(source)
