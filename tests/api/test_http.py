"""The outside of the API: names, headers, statuses."""

import json
import socket
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import Counter
from pydantic import BaseModel

from api import attempts
from api.running import Fixed
from gateway.runtime.status import Status
from tests.api.conftest import MINUTE, NOON, House
from tests.api.documents import document, line, resource

ONE = "/api/v1/stations/yanshan"


@pytest.fixture(scope="module", autouse=True)
def documents(house: House) -> None:
    far = NOON + 60 * MINUTE
    seats = [resource("seat-01", until=far), resource("seat-02", use="occupied", until=far)]
    pile = resource("pile-01", "charger", use="unknown", until=far) | {"type": "ebike"}
    counts = [line("seat", 2, 1, 1), line("charger", 1, 0, 1, "ebike")]
    locker = [resource("locker", "locker", until=far)]
    closed = {"now": "no", "until": None}
    house.view.feed_threadsafe(
        [
            document("yanshan", [*seats, pile], counts, NOON),
            document("shaping", locker, [line("locker", 20, 3, 3)], NOON, open=closed),
        ]
    )


def names(answer: httpx.Response) -> list[str]:
    return [row["station"] for row in answer.json()["stations"]]


def test_a_station_is_its_document_with_an_etag_and_open_to_every_page(house: House) -> None:
    answer = house.get(ONE)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "public, max-age=5"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json()["summary"][0] == line("seat", 2, 1, 1)


@pytest.mark.parametrize("path", [ONE, "/api/v1/stations"])
def test_an_unchanged_answer_is_304_without_a_body(house: House, path: str) -> None:
    etag = house.get(path).headers["etag"]
    for asked in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        answer = house.get(path, headers={"if-none-match": asked})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
        assert answer.headers["cache-control"] == "public, max-age=5"
    assert house.get(path, headers={"if-none-match": '"other"'}).status_code == 200


@pytest.mark.parametrize("path", [ONE, "/api/v1/stations", "/healthz"])
def test_head_is_get_without_the_body(house: House, path: str) -> None:
    answer = house.client.head(path)
    assert answer.status_code == 200
    assert answer.content == b""
    assert int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/stations/none", 404),
        ("/api/v1/nothing", 404),
        ("/api/v1/stations/", 404),
        (f"{ONE}/history?resource=none", 404),
        (f"{ONE}/history", 422),
        (f"{ONE}/history?resource=seat-01&from=yesterday", 422),
        (f"{ONE}/history?resource=seat-01&from=2026-11-21T00:00:00", 422),
        (f"{ONE}/history?resource=seat-01&from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", 422),
        (f"{ONE}/history?resource=seat-01&from=2026-11-21T10:00:00Z&to=2026-11-21T10:00:00Z", 422),
        ("/api/v1/stations?near=91,0", 422),
        ("/api/v1/stations?near=nan,0", 422),
        ("/api/v1/stations?near=1", 422),
        ("/api/v1/stations?radius_m=5", 422),
        ("/api/v1/stations?near=1,1&radius_m=-5", 422),
        ("/api/v1/stations?usable=throne", 422),
        ("/api/v1/stations?coord=bd09", 422),
        ("/api/v1/stream?station=none", 404),
        ("/api/v1/stream?screen=a%20b", 422),
        ("/api/v1/session", 401),
    ],
)
def test_every_error_is_a_problem_document(house: House, path: str, status: int) -> None:
    answer = house.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert body["type"] == "about:blank"
    if status == 422:
        assert body["errors"][0]["in"] == "query"
        assert body["errors"][0]["name"] in body["detail"]


@pytest.mark.parametrize("path", [ONE, "/api/v1/stations", "/api/v1/stream", "/healthz"])
def test_a_method_that_is_not_there_is_405_and_says_which_are(house: House, path: str) -> None:
    answer = house.client.post(path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_large_body_is_refused_whether_or_not_it_says_its_size(house: House) -> None:
    def drip():
        for _ in range(5):
            yield b"x" * 16_384

    assert house.client.post("/login", content=b"x" * 65_536).status_code != 413
    for content in (b"x" * 65_537, drip()):
        answer = house.client.post("/login", content=content)
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", [ONE, "/api/v1/stations", "/api/v1/none", "/docs", "/metrics", "/", "/api/v1/session"])
def test_every_answer_carries_the_security_headers(house: House, path: str) -> None:
    headers = house.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["referrer-policy"]


def test_other_sites_may_read_but_nothing_else(house: House) -> None:
    asked = {"origin": "https://app.example", "access-control-request-method": "GET"}
    answer = house.client.options(ONE, headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD"
    assert "authorization" not in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    assert "access-control-allow-origin" not in house.client.post("/login").headers


# ---- the list ----


def test_the_list_has_every_station_without_its_areas(house: House) -> None:
    answer = house.get("/api/v1/stations")
    assert names(answer) == ["yanshan", "shaping", "nowhere"]
    assert all("areas" not in row for row in answer.json()["stations"])
    assert "distance_m" not in answer.text


@pytest.mark.parametrize(
    ("query", "fitting"),
    [
        ("usable=seat", ["yanshan"]),
        ("usable=seat,charger", []),  # the pile is unknown, and unknown is not usable
        ("usable=charger:ebike", []),
        ("usable=locker", ["shaping"]),
        ("open=true", ["yanshan"]),
        ("open=false", ["shaping", "nowhere"]),
        ("region=广东", ["yanshan", "shaping"]),
        ("region=鹤山", ["yanshan"]),
        ("region=广东,鹤山", ["yanshan"]),
        ("region=北京", []),
        ("near=22.77,112.96", ["shaping", "yanshan", "nowhere"]),
        ("near=22.77,112.96&radius_m=100", ["shaping"]),
        ("near=22.77,112.96&radius_m=2000&usable=seat", ["yanshan"]),
    ],
)
def test_filters_keep_what_certainly_fits(house: House, query: str, fitting: list[str]) -> None:
    assert names(house.get(f"/api/v1/stations?{query}")) == fitting


def test_distances_are_metres_from_where_one_stands(house: House) -> None:
    near = house.get("/api/v1/stations?near=22.77,112.96&radius_m=2000").json()["stations"]
    assert near[0]["distance_m"] == 0
    assert near[1]["distance_m"] == pytest.approx(692, abs=5)


def test_a_chinese_phone_map_stands_where_its_user_stands(house: House) -> None:
    query = "/api/v1/stations?near=22.76729,112.96547&coord=gcj02&radius_m=1000"
    wgs = house.get("/api/v1/stations?near=22.76729,112.96547&radius_m=1000").json()["stations"]
    gcj = house.get(query).json()["stations"]
    shifts = {row["station"]: row["distance_m"] for row in gcj}
    assert shifts != {row["station"]: row["distance_m"] for row in wgs}


@pytest.mark.parametrize("query", ["", "&near=22.77,112.96", "&region=广东"])
def test_the_list_comes_in_pages_that_join(house: House, query: str) -> None:
    whole, got, cursor = names(house.get(f"/api/v1/stations?{query[1:]}")), [], ""
    while cursor is not None:
        page = house.get(f"/api/v1/stations?limit=1{query}{cursor and f'&cursor={cursor}'}")
        got += names(page)
        cursor = page.json()["next"]
    assert len(got) > 1
    assert got == whole
    assert "next" not in house.get("/api/v1/stations").json()
    assert house.get("/api/v1/stations?limit=1&cursor=none").status_code == 422


# ---- history ----


def test_history_is_the_intervals_cut_to_the_window(house: House) -> None:
    path = f"{ONE}/history?resource=seat-01&from=2026-11-21T11:50:00Z&to=2026-11-21T11:56:00Z"
    body = house.get(path).json()
    assert body["intervals"] == [
        {
            "from": "2026-11-21T11:50:00Z", "to": "2026-11-21T11:55:00Z",
            "usable": "yes", "use": "free", "evidence": "live",
        },
        {
            "from": "2026-11-21T11:55:00Z", "to": "2026-11-21T11:56:00Z",
            "usable": "no", "use": "occupied", "evidence": "live",
        },
    ]  # fmt: skip
    assert body["next"] is None


def test_history_of_the_future_is_not_told(house: House) -> None:
    body = house.get(f"{ONE}/history?resource=seat-01&to=2027-01-01T00:00:00Z&from=2026-11-21T11:59:00Z").json()
    assert body["to"] == "2026-11-21T12:00:00Z"
    assert body["intervals"][-1]["to"] == "2026-11-21T12:00:00Z"


def test_a_resource_never_heard_of_has_no_intervals(house: House) -> None:
    assert house.get(f"{ONE}/history?resource=seat-02").json()["intervals"] == []


def test_times_may_be_local_with_a_bare_plus_or_milliseconds(house: House) -> None:
    for start in ("2026-11-21T19:50:00+08:00", quote("2026-11-21T19:50:00+08:00"), str(NOON - 10 * MINUTE)):
        assert house.get(f"{ONE}/history?resource=seat-01&from={start}").json()["from"] == "2026-11-21T11:50:00Z"


def test_long_histories_come_in_pages_that_join(house: House) -> None:
    start, got = "2026-11-21T11:00:00Z", []
    whole = house.get(f"{ONE}/history?resource=seat-01&from={start}").json()["intervals"]
    while start is not None:
        page = house.get(f"{ONE}/history?resource=seat-01&from={start}&limit=1").json()
        got += page["intervals"]
        start = page["next"]
    assert len(got) > 1
    assert got == whole


# ---- service ----


def test_ready_means_that_the_main_job_runs(house: House) -> None:
    assert house.get("/readyz").json()["status"] == "ready"
    house.status[0] = Status(False, False, True, ("no connection to 127.0.0.1:1883",), NOON)
    try:
        answer = house.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"] == {
            "broker_connected": False,
            "broker_subscribed": False,
            "store_writable": True,
        }
        assert answer.json()["trouble"] == ["no connection to 127.0.0.1:1883"]
        assert house.get("/healthz").status_code == 200
    finally:
        house.status[0] = Status(True, True, True, (), NOON)


def test_the_address_of_the_broker_in_use_is_told_on_this_machine(house: House) -> None:
    house.status[0] = Status(True, True, True, (), NOON, broker="node-2:8883")
    try:
        assert house.get("/readyz").json()["broker"] == "node-2:8883"
        assert "broker" not in house.get("/readyz", headers={"x-forwarded-for": "192.0.2.7"}).json()
    finally:
        house.status[0] = Status(True, True, True, (), NOON)


def test_files_with_mistakes_degrade_and_stop_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fixed, "trouble", lambda _: "the configuration has mistakes: /etc/yizhan.yaml:3: x")
    answer = house.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["trouble"] == ["the configuration has mistakes: /etc/yizhan.yaml:3: x"]
    strangers = house.get("/readyz", headers=BEHIND_A_PROXY).json()
    assert strangers["trouble"] == ["the configuration's files are not what runs"]


def test_metrics_count_the_streams(house: House) -> None:
    answer = house.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "yizhan_sse_clients 0.0" in answer.text


BEHIND_A_PROXY = {"x-forwarded-for": "203.0.113.9"}


def test_strangers_are_told_no_address_and_no_path(house: House) -> None:
    secret = "no connection to 10.1.2.3:1883; /var/lib/yizhan/yizhan.db: token=abc"
    house.status[0] = Status(False, False, False, (secret,), NOON)
    try:
        answer = house.get("/readyz", headers=BEHIND_A_PROXY)
        assert answer.status_code == 503
        assert answer.json()["trouble"] == ["no connection to the broker", "the store takes no writes"]
        key = house.app.context.keyring.create("n", "viewer", NOON)
        with_key = house.get("/readyz", headers=BEHIND_A_PROXY | {"authorization": f"Bearer {key}"})
        assert with_key.json()["trouble"] == [secret]
        house.status[0] = Status(True, True, True, (secret,), NOON)
        assert house.get("/readyz", headers=BEHIND_A_PROXY).json()["trouble"] == [
            "something beside the main job is wrong"
        ]
    finally:
        house.status[0] = Status(True, True, True, (), NOON)


def test_strangers_see_counters_of_the_last_tick_and_this_machine_of_now(house: House) -> None:
    steps = Counter("steps", "each step through a door", registry=house.app.context.registry)
    strangers = lambda: house.get("/metrics", headers=BEHIND_A_PROXY).text  # noqa: E731
    house.clock.now += 300_000
    try:
        assert "steps_total 0.0" in strangers()
        steps.inc()
        assert "steps_total 0.0" in strangers()
        assert "steps_total 1.0" in house.get("/metrics").text
        house.clock.now += 300_000
        assert "steps_total 1.0" in strangers()
    finally:
        house.clock.now = NOON


def test_every_error_is_declared_as_the_problem_document_that_it_is(house: House) -> None:
    for item in house.get("/openapi.json").json()["paths"].values():
        for operation in item.values():
            for status, answer in operation["responses"].items():
                if status.startswith("4"):
                    assert list(answer["content"]) == ["application/problem+json"]


def test_every_answer_that_a_route_can_give_is_declared(house: House) -> None:
    """What has a `format` may be a table; what has no model says what it is."""
    for path, item in house.get("/openapi.json").json()["paths"].items():
        for operation in item.values():
            forms = [
                parameter["schema"]["enum"]
                for parameter in operation.get("parameters", ())
                if parameter["name"] == "format"
            ]
            content = operation["responses"].get("200", {"content": {"": {}}}).get("content", {})
            assert content, path
            if path.startswith("/feeds/"):  # each has its one form
                assert list(content) != [""], path
                continue
            assert ("text/csv" in content) == (forms == [["json", "csv"]]), path


@pytest.mark.parametrize("rest", ["history?resource=seat-01&", "utilization?", "sessions?", "utilization?by=hour&"])
def test_a_table_is_answered_as_a_table(house: House, rest: str) -> None:
    answer = house.get(f"{ONE}/{rest}format=csv")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize(
    ("typed", "page"),
    [
        ("/screen/yanshan/", "/screen/yanshan"),
        ("/m/yanshan/?lang=en", "/m/yanshan?lang=en"),
        ("/stations/%E9%9B%81/", "/stations/%E9%9B%81"),
        ("//evil.example/", "/evil.example"),
        ("/%5Cevil.example/%0D%0Ax:%20y//", "/%5Cevil.example/%0D%0Ax%3A%20y"),
    ],
)
def test_a_slash_at_the_end_of_a_page_leads_to_the_page(house: House, typed: str, page: str) -> None:
    answer = house.get(f"{house.url}{typed}")
    assert answer.status_code == 308
    assert answer.headers["location"] == page
    assert "content-security-policy" in answer.headers


def test_the_documentation_asks_no_other_server(house: House) -> None:
    page = house.get("/docs").text
    assert "<script" not in page
    assert "//" not in page.replace("<!doctype", "")
    assert "/api/v1/stations/{station}/history" in page
    assert house.get("/docs.css").headers["content-type"].startswith("text/css")


def test_openapi_names_every_route_with_the_shape_of_its_answer(house: House) -> None:
    paths = house.get("/openapi.json").json()["paths"]
    shape = paths["/api/v1/stations/{station}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert shape["$ref"].endswith("/AvailabilitySchema")
    assert "text/event-stream" in paths["/api/v1/stream"]["get"]["responses"]["200"]["content"]


def test_documents_fit_their_published_shape(house: House) -> None:
    from api.schemas import AvailabilitySchema, HistorySchema, Stations

    published: list[tuple[type[BaseModel], str]] = [
        (AvailabilitySchema, ONE),
        (AvailabilitySchema, "/api/v1/stations/nowhere"),
        (Stations, "/api/v1/stations?near=22,112"),
        (HistorySchema, f"{ONE}/history?resource=seat-01"),
    ]
    for shape, path in published:
        told = house.get(path)
        read = shape.model_validate_json(told.content, extra="forbid")
        assert read.model_dump(by_alias=True, exclude_unset=True).keys() == told.json().keys()


# ---- whatever comes ----

text = st.text(max_size=40)
paths = st.sampled_from(["/api/v1/stations", ONE, f"{ONE}/history", "/api/v1/session", "/readyz", "/login", "/docs"])
params = st.sampled_from(["near", "coord", "radius_m", "usable", "open", "region", "resource", "from", "to", "limit"])
likely = st.sampled_from(
    ["seat-01", "22,112", "1e400,1", "-0", "9" * 30, "253402300800000", "true", "2026-11-21T12:00:00Z"]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=paths, query=st.dictionaries(params, text | likely, max_size=4), method=st.sampled_from(["GET", "POST", "PUT"])
)
def test_no_input_makes_it_our_mistake(house: House, path: str, query: dict[str, str], method: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attempts, "LONGEST_WAIT_S", 0)  # wrong keys at /login are slowed, which is tested elsewhere
        answer = house.client.request(method, path, params=query)
    assert answer.status_code < 500
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert json.loads(answer.content)["status"] == answer.status_code


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(target=st.binary(max_size=60), header=st.binary(max_size=60))
def test_raw_bytes_get_an_answer_or_a_closed_door(house: House, target: bytes, header: bytes) -> None:
    host, port = house.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as sock:
        sock.sendall(
            b"GET /api/v1/stations/" + target + b" HTTP/1.1\r\nHost: x\r\nIf-None-Match: " + header + b"\r\n\r\n"
        )
        sock.shutdown(socket.SHUT_WR)
        answer = sock.recv(65_536)
    assert not answer.startswith(b"HTTP/1.1 5")
