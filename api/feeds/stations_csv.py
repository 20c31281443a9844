"""CSV (RFC 4180): every station as a row, for the data teams of map makers and for spreadsheets.

UTF-8 with a byte order mark, without which a Chinese Excel reads it as GBK. `counts` is `facility=least..most/total`,
parted by `;`: so many are usable for certain, so many at most. `lang` gives headings, words and local times for people.
"""

import csv
import io
from collections.abc import Sequence

from api.csv_cells import MARK, cell
from api.csv_tables import Spreadsheet
from api.feeds.base import Feed, FeedRequest, FeedStation
from api.feeds.shared.map_row import SYSTEMS, Row, point_of, rows_of

COLUMNS = (
    "code", "name_zh", "name_en", "region", "address", "lat", "lon", "crs", "lifecycle", "hours", "hours_zh",
    "hours_en", "timezone", "open", "open_until", "open_proof", "facilities", "counts", "aed", "as_of", "valid_until",
    "changed_at", "url",
)  # fmt: skip


def render(stations: Sequence[FeedStation], asked: FeedRequest) -> bytes:
    rows = [row | _place(station, row, asked) for station, row in rows_of(stations, asked)]
    lang = asked.query.get("lang")
    if lang is not None:
        return Spreadsheet.of(None, lang).written(rows, COLUMNS)
    out = io.StringIO(MARK)
    out.seek(0, io.SEEK_END)
    table = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    table.writeheader()
    table.writerows({column: cell(value) for column, value in row.items()} for row in rows)
    return out.getvalue().encode()


def _place(station: FeedStation, row: Row, asked: FeedRequest) -> Row:
    lat, lon = point_of(station, asked) or ("", "")
    return {"lat": lat, "lon": lon, "crs": asked.word("crs", SYSTEMS), "counts": _counts(row)}


def _counts(row: Row) -> str:
    counts = row["counts"]
    assert isinstance(counts, list)
    return ";".join("{facility}={usable_min}..{usable_max}/{total}".format(**line) for line in counts)


FEED = Feed("stations.csv", "text/csv", "Every station as a row of a table", render)
