"""CSV (RFC 4180) that a spreadsheet opens right: UTF-8 with the mark by which a Chinese Excel knows it, and no formula.

Without a language it is for programs: columns are called as in JSON, times are RFC 3339 with the offset of the house.
With one it is for people: headings and words of that language, things by name, local times and shares in per cent as
spreadsheets read them.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Query, Response

from api.csv_cells import MARK, cell
from api.csv_words import HEADINGS, NOTHING, VALUES, YES_NO
from api.pages.language import CONFIGURED, LANGUAGES, choose
from config.called import located, of_language
from config.kinds import SPECS
from config.schema import Settings
from gateway.base.local_time import local_of
from gateway.base.times import from_rfc3339
from gateway.model import Millis

MEDIA_TYPE = "text/csv; charset=utf-8"
TIMES = ("from", "to", "at", "received_at", "no_sign_since", "as_of", "valid_until", "changed_at", "open_until", "ts")
SHARES = ("utilization", "coverage", "filled", "kept", "working_coverage")
WEEKDAYS = (
    ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    ("週一", "週二", "週三", "週四", "週五", "週六", "週日"),
    ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
)
Lang = Annotated[
    str | None, Query(max_length=35, description="of a csv: zh, zh-hant or en; headings, names and times for people")
]
TableRow = dict[str, Any]


class _Echo:
    """A file for `csv.writer` whose `writerow` gives the line back."""

    def write(self, line: str) -> Any:
        return line


@dataclass(frozen=True, slots=True)
class Spreadsheet:
    """How a table is written. `lang`: one of `LANGUAGES`, None for programs. `station`: of rows that name none.

    `settings`: whose stations have names and zones; None where each row has its `timezone`, and no ids.
    """

    settings: Settings | None
    lang: str | None = None
    station: str | None = None

    @classmethod
    def of(cls, settings: Settings | None, lang: str | None, station: str | None = None) -> "Spreadsheet":
        """`lang` as it was asked for: what we do not speak is Chinese."""
        return cls(settings, None if lang is None else choose(lang, None, None), station)

    def lines(self, rows: Iterable[TableRow], columns: Sequence[str] = ()) -> Iterator[str]:
        """The columns are those of the first row, unless given; what is not known is an empty field."""
        writer, named = csv.writer(_Echo(), lineterminator="\r\n"), tuple(columns)
        if named:
            yield writer.writerow([cell(self.heading(name)) for name in named])
        for row in rows:
            if not named:
                named = tuple(row)
                yield writer.writerow([cell(self.heading(name)) for name in named])
            yield writer.writerow([cell(self.value(name, row)) for name in named])
        if not named and self.lang is not None:  # people should not wonder about an empty file
            yield writer.writerow([NOTHING[self._at]])

    def written(self, rows: Iterable[TableRow], columns: Sequence[str] = ()) -> bytes:
        return "".join((MARK, *self.lines(rows, columns))).encode()

    def answer(self, rows: Iterable[TableRow], headers: dict[str, str], columns: Sequence[str] = ()) -> Response:
        return Response(self.written(rows, columns), media_type=MEDIA_TYPE, headers=headers)

    def heading(self, column: str) -> str:
        if self.lang is None:
            return column
        kind = column.removeprefix("working_")
        if kind != column and kind in SPECS:
            return HEADINGS["working"][self._at].format(kind=SPECS[kind].words[self._at])
        return HEADINGS[column][self._at] if column in HEADINGS else column

    def value(self, column: str, row: TableRow) -> object:
        """A cell before it is guarded."""
        value = row[column]
        if value is None:
            return None
        if column in TIMES:
            return self._time(value, row)
        if self.lang is None:
            return value
        if column == "hour_of_week":
            day, hour = divmod(int(value), 24)
            return f"{WEEKDAYS[self._at][day]} {hour:02}:00"
        if column in SHARES or column.startswith("working_"):
            return f"{value * 100:.1f}%"
        if column in ("station", "resource"):
            return self._name(column, str(value), row)
        words = YES_NO if isinstance(value, bool) else VALUES.get(column, {})
        known = words.get(str(value).lower())
        return value if known is None else known[self._at]

    def _time(self, value: str | Millis, row: TableRow) -> str:
        """RFC 3339 or milliseconds, as the house of this row has it."""
        zone = self._zone(row)
        at = value if isinstance(value, int) else from_rfc3339(value)
        local = local_of(at, zone)
        if self.lang is not None:
            return f"{local:%Y-%m-%d %H:%M:%S}"
        return local.isoformat(timespec="milliseconds" if at % 1000 else "seconds")

    def _zone(self, row: TableRow) -> ZoneInfo:
        if self.settings is None:
            return ZoneInfo(row["timezone"])
        return self.settings.zone_of(self.settings.station(str(row.get("station") or self.station or "")))

    def _name(self, column: str, value: str, row: TableRow) -> str:
        if self.settings is None:
            return value
        lang = CONFIGURED[self.lang or "zh-Hans"]
        station = self.settings.station(value if column == "station" else str(row.get("station") or self.station or ""))
        if station is None:
            return value
        return (
            of_language(station.name, lang) or value if column == "station" else located(station, value, lang) or value
        )

    @property
    def _at(self) -> int:
        return LANGUAGES.index(self.lang or "zh-Hans")
