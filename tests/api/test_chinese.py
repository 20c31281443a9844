"""`check` and `doctor` speak Chinese where that is asked for, or by LANG."""

import re
from pathlib import Path

import pytest

from api.chinese import language, mistake_in_chinese, said, told
from api.chinese.of_check import PHRASES as OF_CHECK
from api.chinese.of_doctor import PHRASES as OF_DOCTOR
from api.cli import main
from config.mistakes import ConfigMistake

MISTAKES = Path(__file__).parents[1] / "config/mistakes"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
LINE = re.compile(r"[^ ]+?:\d+: (?:(?P<key>[\w.-]+): )?(?P<text>.*)")


def examples() -> list[tuple[str, str]]:
    """(what, mend) of every example of a mistake: they are split where `check` joins them."""
    lines = []
    for path in sorted(MISTAKES.glob("*.expected")):
        for row in path.read_text("utf-8").splitlines():
            match = LINE.match(row)
            if match is not None:
                parts = match["text"].split("; ")
                lines += [("; ".join(parts[:cut]), "; ".join(parts[cut:])) for cut in range(1, len(parts))][:1]
    return lines


@pytest.mark.parametrize(("what", "mend"), examples())
def test_every_example_of_a_mistake_is_told_in_chinese(what: str, mend: str) -> None:
    assert CHINESE.search(said(what)), what
    assert CHINESE.search(said(mend)), mend


def test_words_of_the_configuration_stay_as_they_are() -> None:
    mistake = ConfigMistake("site.yaml", 7, "stations.0.kind", "unknown word 'seet'", "did you mean seat?")
    assert mistake_in_chinese(mistake) == "site.yaml:7: stations.0.kind：没有 'seet' 这个词；是不是 seat？"


@pytest.mark.parametrize(("english", "chinese"), [*OF_CHECK, *OF_DOCTOR])
def test_a_phrase_has_the_same_gaps_in_both_languages(english: str, chinese: str) -> None:
    gaps = english.count("{}")
    chinese.format(*"x" * gaps)
    assert len(re.findall(r"(?<!\{)\{\d?\}(?!\})", chinese)) == gaps
    assert CHINESE.search(chinese) or "{}" in chinese or chinese.isascii()


@pytest.mark.parametrize(("of", "phrases"), [("check", OF_CHECK), ("doctor", OF_DOCTOR)])
def test_no_phrase_stands_behind_one_that_takes_its_place(of: str, phrases: tuple[tuple[str, str], ...]) -> None:
    said_by = {"check": said, "doctor": told}[of]
    for english, chinese in phrases:
        gaps = ["x"] * english.count("{}")
        assert said_by(english.replace("{}", "x")) == chinese.format(*gaps)


@pytest.mark.parametrize(
    ("asked", "told_by", "spoken"),
    [
        (None, "zh_CN.UTF-8", "zh"),
        (None, "C.UTF-8", "en"),
        (None, "", "en"),
        ("zh", "en_US", "zh"),
        ("en", "zh_CN", "en"),
    ],
)
def test_the_language_is_asked_for_or_that_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, asked: str | None, told_by: str, spoken: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", told_by)
    assert language(asked) == spoken


def test_check_says_in_chinese_what_is_wrong_and_when_nothing_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "site.yaml"
    path.write_text("stations: [{id: yanshan, hurs: x}]\n")
    assert main(["check", "--config", str(path), "--lang", "zh"]) == 2
    assert "没有这个选项；是不是 hours？" in capsys.readouterr().out
    path.write_text("store: {path: data}\nstations: [{id: yanshan}]\n")
    assert main(["check", "--config", str(path), "--lang", "zh"]) == 0
    assert "没有错误，1 个站点，0 个点位" in capsys.readouterr().out


def test_doctor_says_in_chinese_how_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "site.yaml"
    path.write_text("store: {path: data, ballast_mib: 0}\nstations: [{id: yanshan}]\n")
    main(["doctor", "--config", str(path), "--lang", "zh"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 8
    assert [line for line in lines if not CHINESE.search(line.partition("：")[0])] == []
    assert [line for line in lines if not CHINESE.search(line.partition("：")[2]) and "Python" not in line] == []


def test_what_no_phrase_fits_stays_as_it_is() -> None:
    assert said("something quite new") == "something quite new"
    assert told("something quite new; 12 MiB free") == "something quite new；剩余 12 MiB"
