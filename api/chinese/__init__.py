"""Messages of `check` and `doctor` in Chinese, by phrase: what no phrase fits stays as it is, in English."""

import os
import re
from collections.abc import Iterable
from functools import cache

from api.chinese.of_check import PHRASES as OF_CHECK
from api.chinese.of_doctor import PHRASES as OF_DOCTOR
from config.mistakes import ConfigMistake

Phrases = Iterable[tuple[str, str]]


def language(asked: str | None) -> str:
    """`zh` or `en`: what was asked for, else that of LC_ALL, LC_MESSAGES or LANG."""
    if asked is not None:
        return asked
    told = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")
    return "zh" if told.startswith("zh") else "en"


def mistake_in_chinese(mistake: ConfigMistake) -> str:
    """As `str(mistake)`; file, line and key stay."""
    where = f"{mistake.key_path}：" if mistake.key_path else ""
    return f"{mistake.file}:{mistake.line}: {where}{said(mistake.what)}；{said(mistake.mend)}"


def said(text: str) -> str:
    """A message of `check` in Chinese."""
    return _translated(text, "check")


def told(text: str) -> str:
    """A message of `doctor` in Chinese; its parts, between semicolons, each for itself where the whole is unknown."""
    whole = _translated(text, "doctor")
    if whole != text or "; " not in text:
        return whole
    return "；".join(_translated(part, "doctor") for part in text.split("; "))


def _translated(text: str, of: str) -> str:
    for pattern, chinese in _patterns(of):
        match = pattern.fullmatch(text)
        if match is not None:
            return chinese.format(*match.groups())
    return text


@cache
def _patterns(of: str) -> list[tuple[re.Pattern[str], str]]:
    phrases = OF_CHECK if of == "check" else OF_DOCTOR
    gap = "(.+?)" if of == "check" else "((?:(?!; ).)+?)"  # doctor's parts are told apart by semicolons
    return [(re.compile(_regex(english, gap), re.DOTALL), chinese) for english, chinese in phrases]


def _regex(english: str, gap: str) -> str:
    """`{}` of a phrase stands for any words."""
    return gap.join(re.escape(part) for part in english.split("{}"))
