"""The files in tests/vectors/dialects: input beside expected."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from gateway.dialects import DIALECTS, Decoder, Source, bind
from gateway.model import Resource

FOLDER = Path(__file__).parents[2] / "vectors" / "dialects"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster, where it was built
NOW = 1_795_226_400_000  # 2026-11-21T02:00:00Z


def resource(kind: str, type_: str | None = None) -> Resource:
    return Resource("yanshan", "lounge", "thing", kind, "thing", type_)


@cache
def cases(dialect: str) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = yaml.load((FOLDER / f"{dialect}.yaml").read_text(encoding="utf-8"), LOADER)
    return read


def decoder(dialect: str, case: dict[str, Any]) -> Decoder:
    given = case["source"]
    if "values" in given:
        given = given | {"values": {str(word): value for word, value in given["values"].items()}}
    return bind(Source(dialect, **given), resource(case["resource"]["kind"], case["resource"].get("type")))


def every_case() -> Iterator[tuple[str, dict[str, Any]]]:
    for dialect in DIALECTS:
        for case in cases(dialect):
            yield dialect, case
