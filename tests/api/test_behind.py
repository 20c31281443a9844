"""An API whose mirrors are behind says so in every answer about the past, and in no other."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from starlette.types import Message, Receive, Scope, Send

from api.auth import Keyring
from api.behind import OF_NOW, Lag, MirrorCollector, TellsLag, lag_of
from gateway.store.days import CORE
from gateway.store.replica.mirror_state import MirrorState, mirrors_in, tell_mirrors
from gateway.store.sqlite import SqliteStore
from tests.api.conftest import CONFIG, NOON, House, serving
from tests.api.past_routes import NOT_OF_THE_PAST, PAST
from tests.api.test_matrix import ROWS

BEHIND = {"gateway": MirrorState(NOON - 60_000, "the replica is away", "no route to 10.0.0.7")}
TOKEN = "round-7f3a9b21c0d4e5f6"
ONE = {"station": "yanshan", "alert": "x", "check": "x", "month": "2026-11"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    tmp_path = tmp_path_factory.mktemp("office")
    SqliteStore(tmp_path / "elsewhere" / "mirror-of-gateway", NOON, ballast_mib=0).close()
    (tmp_path / "token").write_text(TOKEN)
    text = CONFIG | {
        "stations": [station | {"checks_token_file": "token"} for station in CONFIG["stations"][:1]],
        "store": {"path": str(tmp_path / "elsewhere")},
        "api": {"keys_file": str(tmp_path / "keys.json"), "listen": "127.0.0.1:0"},
    }
    (tmp_path / "yizhan.yaml").write_text(yaml.safe_dump(text, allow_unicode=True))
    yield from serving(tmp_path, files=tmp_path / "yizhan.yaml")


def told(house: House, mirrors: dict[str, MirrorState]) -> None:
    root = house.app.context.settings.store.path
    tell_mirrors(root, mirrors, house.clock.now)
    house.app.lagging.look()


@pytest.fixture(scope="module")
def key(house: House) -> dict[str, str]:
    keys = house.app.context.settings.keys_file
    return {"authorization": f"Bearer {Keyring(keys).create('li', 'admin', NOON)}"}


def path_of(route: str) -> str:
    return re.sub(r"\{day\}|\{now\}", "2026-11-21T00:00:00Z", PAST[route]).format(**ONE)


def test_every_route_either_reads_the_past_or_is_named_with_what_it_reads() -> None:
    routes = {path for method, path in ROWS if method == "GET"}
    assert routes == PAST.keys() | NOT_OF_THE_PAST.keys()
    assert not PAST.keys() & NOT_OF_THE_PAST.keys()
    assert [path for path in PAST if OF_NOW.fullmatch(path_of(path).partition("?")[0])] == []
    live = [re.sub(r"\{.*?\}", "x", path) for path in NOT_OF_THE_PAST if path != "/build"]
    assert [path for path in live if not OF_NOW.fullmatch(path)] == []


@pytest.mark.parametrize("route", PAST)
def test_an_answer_about_the_past_says_up_to_when_it_is_whole(house: House, key: dict[str, str], route: str) -> None:
    path = path_of(route)
    told(house, {"gateway": MirrorState(NOON)})
    before = house.get(path, headers=key)
    told(house, BEHIND)
    answer = house.get(path, headers=key)
    assert answer.status_code == before.status_code
    assert answer.headers["yizhan-whole-until"] == "2026-11-21T11:59:00Z"
    assert "yizhan-whole-until" not in before.headers
    assert answer.headers["cache-control"] == "no-store", "nobody shows it for an hour"
    kind = answer.headers["content-type"].partition(";")[0]
    if kind == "application/json":
        lacks = "the past, alerts and orders are whole up to 2026-11-21T11:59:00Z: the replica is away"
        assert answer.json() == before.json() | {"lacks": lacks}
    elif kind == "text/html":
        assert "2026-11-21 19:59:00" in answer.text, "in the house's own time"
    assert "10.0.0.7" not in answer.text, "details are for the machine's people"


def test_what_is_true_now_is_told_as_ever(house: House) -> None:
    paths = ("/api/v1/stations", "/api/v1/stations/yanshan", "/screen/yanshan", "/m/yanshan", "/feeds/stations.geojson")
    told(house, {"gateway": MirrorState(NOON)})
    before = {path: house.get(path).content for path in paths}
    told(house, BEHIND)
    assert {path: house.get(path).content for path in paths} == before


def test_who_has_the_answer_of_before_hears_that_it_is_old_now(house: House) -> None:
    """No route about the past has a tag today; one may get one."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        known = any(name == b"if-none-match" for name, _ in scope["headers"])
        headers = [(b"content-type", b"application/json"), (b"etag", b'"x"')]
        await send({"type": "http.response.start", "status": 304 if known else 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})

    async def nothing() -> Message:
        return {"type": "http.request"}

    sent: list[Message] = []

    async def keep(message: Message) -> None:
        sent.append(message)

    told(house, BEHIND)
    scope = {"type": "http", "path": "/api/v1/new", "query_string": b"", "headers": [(b"if-none-match", b'"x"')]}
    asyncio.run(TellsLag(app, house.app.lagging)(scope, nothing, keep))
    start, body = sent
    assert start["status"] == 200
    names = {b"content-type", b"content-length", b"cache-control", b"yizhan-whole-until"}
    assert {name for name, _ in start["headers"]} == names
    assert json.loads(body["body"]).keys() == {"lacks"}


def test_an_open_page_learns_of_it_by_the_build_and_a_wall_stays(house: House) -> None:
    told(house, {"gateway": MirrorState(NOON)})
    build = house.get("/build").json()
    told(house, BEHIND)
    behind = house.get("/build").json()
    assert (behind["build"], behind["filling"]) == (f"behind-{build['build']}", True)
    assert f'data-build="{behind["build"]}"' in house.get("/").text
    assert house.get("/build?station=yanshan").json()["build"] == build["build"]


@pytest.mark.parametrize(("lang", "text"), [("en", "are told up to"), ("zh-Hans", "只到"), ("zh-Hant", "過往紀錄")])
def test_the_line_of_a_page_is_in_its_language(house: House, lang: str, text: str) -> None:
    told(house, BEHIND)
    assert text in house.get("/", headers={"accept-language": lang, "cookie": f"yizhan_lang={lang}"}).text


def test_who_goes_round_is_told_that_the_last_checks_may_be_others(house: House) -> None:
    told(house, BEHIND)
    answer = house.get(f"/c/{TOKEN}")
    assert answer.status_code == 200
    assert "只到 2026-11-21 19:59:00" in answer.text


def test_before_anything_was_fetched_nothing_is_told_as_nothing(house: House) -> None:
    told(house, {"gateway": MirrorState(None, "it is being fetched")})
    answer = house.get("/api/v1/utilization?from=2026-11-21T00:00:00Z")
    assert answer.headers["yizhan-whole-until"] == "none"
    assert "not all of the past" in answer.json()["lacks"]


def test_of_several_mirrors_the_one_that_is_furthest_behind_counts_and_former_ones_do_not() -> None:
    states = {
        "gateway-1of2": MirrorState(5_000),
        "gateway-2of2": MirrorState(2_000, "gateway-2of2 has said nothing to the replica since"),
        "gateway": MirrorState(1_000, "gateway has said nothing to the replica since", former=True),
    }
    lag = lag_of(states)
    assert isinstance(lag, Lag)
    assert (lag.whole_until, "gateway-2of2" in lag.why) == (2_000, True)
    assert lag_of({name: states[name] for name in ("gateway-1of2", "gateway")}) is None


def test_metrics_tell_each_mirror() -> None:
    registry = CollectorRegistry()
    registry.register(MirrorCollector(lambda: BEHIND))
    text = generate_latest(registry).decode()
    assert 'yizhan_mirror_current{gateway="gateway"} 0.0' in text
    assert 'yizhan_mirror_whole_until_seconds{gateway="gateway"} 1.79526234e+09' in text


def test_a_file_that_is_no_state_tells_nothing(tmp_path: Path) -> None:
    tell_mirrors(tmp_path, BEHIND, NOON)
    assert mirrors_in(tmp_path, NOON) == BEHIND
    (tmp_path / ".mirrors/state.json").write_text("{")
    assert mirrors_in(tmp_path, NOON) == {}
    tell_mirrors(tmp_path, BEHIND, NOON)
    (tmp_path / CORE).touch()
    assert mirrors_in(tmp_path, NOON) == {}, "a gateway writes here"
    assert json.loads((tmp_path / ".mirrors/state.json").read_text())["at"] == NOON
