"""Exported readings as Parquet: a column for each signal in its own type, and `data` as it came, to the byte.

pyarrow is an extra, so it is imported where it is needed and nowhere else.
"""

import sys
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

ROWS_IN_A_GROUP = 20_000
MEND = "Parquet needs pyarrow: pip install 'yizhan[parquet]'"

IDENTITY = ("station", "device", "kind", "boot")
MOMENTS = ("ts", "received_at")
FLAGS = ("occupied", "open", "locked", "ready", "cabinet_open", "granted")
COUNTS = ("people", "free", "total")
MEASURES = ("power_w", "energy_wh", "battery_pct", "rssi_dbm")
WORDS = ("status", "error", "fault", "firmware", "type", "card", "direction")

_AS_LINES = {**dict.fromkeys(MOMENTS, "int64"), "data": "string"}

_encode = msgspec.json.encode


def installed() -> bool:
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        return False
    return True


def write(records: Iterable[dict[str, Any]], out: BinaryIO) -> None:
    """Lines of `yizhan export`, some thousands at a time; `out` need not be seekable."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows, schema = iter(records), _schema()
    with pq.ParquetWriter(pa.PythonFile(_Sink(out), mode="w"), schema, compression="zstd") as file:
        while group := list(islice(rows, ROWS_IN_A_GROUP)):
            file.write_table(pa.table(_columns(group), schema=schema))


def lines(path: Path) -> Iterator[bytes]:
    """The lines of the export that the file was made from. ValueError when it is none of ours."""
    import pyarrow.parquet as pq

    names = [*IDENTITY, "seq", *MOMENTS, "data"]
    with pq.ParquetFile(path) as file:
        missing = set(names) - set(file.schema_arrow.names)
        if missing:
            raise ValueError(f"{path} is no export of ours: it has no column {', '.join(sorted(missing))}")
        for group in file.iter_batches(columns=names):
            columns = [group[name].cast(_AS_LINES[name]) if name in _AS_LINES else group[name] for name in names]
            for row in zip(*(column.to_pylist() for column in columns), strict=True):
                yield _encode({**dict(zip(names, row, strict=True)), "data": msgspec.Raw((row[-1] or "null").encode())})


def _schema() -> Any:
    import pyarrow as pa

    name, moment = pa.dictionary(pa.int32(), pa.string()), pa.timestamp("ms", "UTC")
    types = {
        **dict.fromkeys(IDENTITY, name), "seq": pa.int64(), **dict.fromkeys(MOMENTS, moment), "data": pa.string(),
        **dict.fromkeys(FLAGS, pa.bool_()), **dict.fromkeys(COUNTS, pa.int64()),
        **dict.fromkeys(MEASURES, pa.float64()), **dict.fromkeys(WORDS, name), "expires": pa.date32(),
    }  # fmt: skip
    return pa.schema([pa.field(column, type_, nullable=True) for column, type_ in types.items()])


def _columns(group: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """What is not of its column's type is left to `data`."""
    said = [row["data"] if isinstance(row["data"], dict) else {} for row in group]
    columns = {name: [row[name] for row in group] for name in (*IDENTITY, "seq", *MOMENTS)}
    columns["data"] = [_encode(row["data"]).decode() for row in group]
    for names, fits in ((FLAGS, _flag), (COUNTS, _count), (MEASURES, _measure), (WORDS, _word), (("expires",), _day)):
        for name in names:
            columns[name] = [fits(data.get(name)) for data in said]
    return columns


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _count(value: object) -> int | None:
    return value if type(value) is int and abs(value) < 2**63 else None


def _measure(value: object) -> float | None:
    """JSON knows whole numbers that no column holds."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > sys.float_info.max:
        return None
    return float(value)


def _word(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


class _Sink:
    """What Arrow asks of a file, for one that can only be written, such as a pipe."""

    def __init__(self, out: BinaryIO) -> None:
        self._out, self._at = out, 0
        self.closed = False

    def write(self, data: bytes) -> int:
        self._out.write(data)
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        return self._at

    def flush(self) -> None:
        self._out.flush()

    def close(self) -> None:
        self.flush()
        self.closed = True
