"""A fault of ours in any function of the API costs one answer: an error in our words, and the next one is as before."""

import asyncio
import random
from pathlib import Path

import httpx
import pytest

from gateway.base.local_time import DAY_MS
from tests.api.month import START, Client, live
from tests.gateway.faults import ERRORS, Fault

DAYS = 2
WINDOW = f"from={START}&to={START + DAYS * DAY_MS}"
PATHS = (
    "/", "/m/yanshan", "/screen/yanshan", "/stations/yanshan", "/stations/yanshan/report?month=2026-11", "/promises",
    "/api/v1/stations", "/api/v1/stations?near=22.7,112.9&usable=seat", "/api/v1/stations/yanshan",
    f"/api/v1/stations/yanshan/history?resource=seat-01&{WINDOW}", f"/api/v1/stations/yanshan/utilization?{WINDOW}",
    f"/api/v1/utilization?region=江门&{WINDOW}", f"/api/v1/stations/yanshan/sessions?resource=pile-01&{WINDOW}",
    f"/api/v1/promises?by=day&{WINDOW}", "/api/v1/alerts", "/api/v1/alerts/a1", "/api/v1/orders", "/api/v1/deliveries",
    "/api/v1/stations/yanshan/left-out", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/build",
    "/login", "/nowhere",
)  # fmt: skip
ROOMS = ("api/",)
OUTERMOST = ("App.__call__", "Front.__call__")  # nothing of ours stands around these: the server answers for them


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    path: Path = tmp_path_factory.mktemp("month")
    live(path, DAYS)
    return Client(path, START + DAYS * DAY_MS)


def ask(client: Client, path: str, headers: dict[str, str], fault: Fault | None = None) -> httpx.Response:
    async def answered() -> httpx.Response:
        transport = httpx.ASGITransport(client.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://yz.local") as asker:
            return await asker.get(path, headers=headers)

    if fault is None:
        return asyncio.run(answered())
    with fault.inside():
        return asyncio.run(answered())


def same(path: str, first: httpx.Response, other: httpx.Response) -> bool:
    """Metrics count what was asked; all else is as it was."""
    return first.status_code == other.status_code and (path == "/metrics" or first.content == other.content)


def check(client: Client, seed: int) -> str:
    """One fault in one request; where it was raised, empty for one that was never reached."""
    rng = random.Random(seed)
    path = rng.choice(PATHS)
    headers = client.key() if rng.random() < 0.8 else {}
    before = ask(client, path, headers)
    counted = Fault(ROOMS)
    ask(client, path, headers, counted)
    fault = Fault(ROOMS, rng.randint(1, max(1, counted.calls)), rng.choice(ERRORS))
    answer = ask(client, path, headers, fault)
    where = f"{path} with {fault.raised}"
    assert answer.status_code in (before.status_code, 400, 401, 403, 404, 422, 500, 503), where
    if answer.status_code == 500 and not fault.raised.endswith(OUTERMOST):
        told = answer.headers["content-type"]
        assert told == "application/problem+json", where
        assert b"Traceback" not in answer.content, where
        assert fault.raised.encode() not in answer.content, where
    assert same(path, ask(client, path, headers), before), where
    return fault.raised


def test_a_fault_in_any_function_costs_one_answer(client: Client) -> None:
    raised = {check(client, seed) for seed in range(60)}
    assert len(raised) > 20, "the faults meet many functions"


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_thousand_faults_cost_two_thousand_answers(client: Client) -> None:
    assert len({check(client, seed) for seed in range(1_000, 3_000)}) > 100
