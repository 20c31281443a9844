"""The words of the pages for what the server writes itself: the tables of the scripts, read from them once."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from api.pages import kinds
from api.pages.language import name_in
from config.kinds import KindWords

SCRIPTS = Path(__file__).parent / "static" / "js"
TABLES = ("words.js", "phone-words.js", "find-words.js")
_ROW = re.compile(r'^  (?:"([^"]+)"|(\w+)): \[([^\]]*)\]', re.MULTILINE)
_COLUMN = {"zh-Hans": 0, "zh-Hant": 1, "en": 2}
LanguageNames = Mapping[str, str]
"""By language: `zh`, `zh-hant`, `en`."""


def rows_of(text: str) -> dict[str, list[str]]:
    """The tables in a script: a key and its words, simplified, traditional, English."""
    return {quoted or bare: re.findall(r'"([^"]*)"', row) for quoted, bare, row in _ROW.findall(text)}


@cache
def table() -> Mapping[str, KindWords]:
    """Every word of a public page and of every kind."""
    said: dict[str, KindWords] = {}
    for name in TABLES:
        for key, row in rows_of((SCRIPTS / name).read_text("utf-8")).items():
            said[key] = row[0], row[1], row[2]
    return said | kinds.words()


class Speaker:
    """One language: `say("had", at="14:17", n="7")`. A missing word shows its key, as in the scripts."""

    def __init__(self, lang: str) -> None:
        self.lang, self._column, self._table = lang, _COLUMN.get(lang, 0), table()

    def __call__(self, key: str, **values: object) -> str:
        row = self._table.get(key)
        text = key if row is None else row[self._column]
        return re.sub(r"\{(\w+)\}", lambda match: str(values.get(match[1], "")), text)

    def has(self, key: str) -> bool:
        return key in self._table

    def of(self, names: LanguageNames) -> str:
        """The configured name in this language, or what comes nearest."""
        return name_in(self.lang, names)

    def kind(self, key: str, form: str = "") -> str:
        """`charger:ebike`, `.unit`: the word of the type, else of its kind."""
        kind = key.partition(":")[0]
        return next((self(name) for name in (key + form, kind + form, key, kind) if self.has(name)), key)
