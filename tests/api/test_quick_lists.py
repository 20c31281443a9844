"""The list of stations made quickly is the list that the route makes."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli
import pytest

from api import quick_lists
from tests.api.conftest import MINUTE, NOON, House, serving
from tests.api.documents import document, line, resource

NEAR = "near=22.765,112.964&radius_m=2000"


@pytest.fixture
def own(folder: Path) -> Iterator[House]:
    """Where time passes."""
    yield from serving(folder)


@pytest.fixture
def slow(house: House, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Asks the route itself."""

    def ask(query: str) -> bytes:
        with monkeypatch.context() as context:
            context.setattr(quick_lists.QuickLists, "answer", lambda *_: None)
            return house.get(f"/api/v1/stations{query}").content

    return ask


def show(house: House, use: str = "free") -> None:
    seat = resource("seat-01", use=use, until=NOON + 5 * MINUTE)
    house.view.put(document("yanshan", [seat], [line("seat", 1, int(use == "free"), 1)], NOON))


@pytest.mark.parametrize(
    "query",
    [
        "", f"?{NEAR}", f"?{NEAR}&limit=1", f"?{NEAR}&limit=20&usable=seat", f"?{NEAR}&usable=charger:ebike",
        f"?{NEAR}&coord=gcj02", "?near=22.765,112.964&radius_m=1", "?near=-22.7,-179.9&radius_m=100000",
    ],
)  # fmt: skip
def test_both_ways_give_the_same(house: House, slow: Any, query: str) -> None:
    show(house)
    answer = house.get(f"/api/v1/stations{query}")
    assert answer.content == slow(query)
    assert answer.headers["access-control-allow-origin"] == "*"
    again = house.get(f"/api/v1/stations{query}", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "query",
    ["?near=91,0&radius_m=5", "?near=1,1&radius_m=0", "?near=x&radius_m=5", f"?{NEAR}&limit=0", f"?{NEAR}&usable=ufo",
     f"?{NEAR}&coord=mars", "?near=nan,1&radius_m=5", "?radius_m=5"],
)  # fmt: skip
def test_what_is_asked_wrongly_is_refused_as_by_the_route(house: House, query: str) -> None:
    assert house.get(f"/api/v1/stations{query}").status_code == 422


def test_the_whole_list_is_compressed_for_who_takes_it(house: House) -> None:
    show(house)
    with house.client.stream("GET", "/api/v1/stations", headers={"accept-encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "accept-encoding")
    plain = house.get("/api/v1/stations", headers={"accept-encoding": "identity"})
    assert gzip.decompress(raw) == plain.content


@pytest.mark.parametrize("accepted", ["gzip, br", "br;q=1.0, gzip;q=0.5", "gzip;q=0, br"])
def test_who_takes_brotli_gets_it(house: House, accepted: str) -> None:
    show(house)
    with house.client.stream("GET", "/api/v1/stations", headers={"accept-encoding": accepted}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "br"
    plain = house.get("/api/v1/stations", headers={"accept-encoding": "identity"})
    assert brotli.decompress(raw) == plain.content


def test_without_brotli_it_is_gzip(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(quick_lists.PACKERS, b"br")
    show(house)
    for accepted, encoding in (("br, gzip", "gzip"), ("br", None), ("gzip;q=0", None), ("", None)):
        with house.client.stream("GET", "/api/v1/stations", headers={"accept-encoding": accepted}) as answer:
            answer.read()
        assert answer.headers.get("content-encoding") == encoding


def test_a_prepared_list_claims_nothing_past_its_end(own: House) -> None:
    show(own)
    own.clock.now = NOON + 5 * MINUTE - 1
    assert usable(own) == (1, 1)
    own.clock.now = NOON + 5 * MINUTE
    assert usable(own) == (0, 1)


def test_a_change_is_in_the_list_a_second_later(own: House) -> None:
    show(own)
    assert usable(own) == (1, 1)
    show(own, "occupied")
    own.clock.now = NOON + quick_lists.PREPARED_MS
    assert usable(own)[0] == 0


def usable(house: House) -> tuple[int, int]:
    shown = json.loads(house.get("/api/v1/stations").content)["stations"][0]["summary"][0]
    return shown["usable_min"], shown["usable_max"]
