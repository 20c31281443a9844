"""A route is analysed when it is first asked for: no earlier, once, and every one of ours can be."""

import asyncio
from threading import Barrier, Thread

import httpx
import pytest
from fastapi import FastAPI
from fastapi.exceptions import FastAPIError
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from api.late_routes import LateRoute, Routes, routes_of
from tests.api.conftest import House


def analysed(route: BaseRoute) -> bool:
    return "dependant" in vars(route)


def group_of_two() -> Routes:
    routes = Routes(prefix="/api")

    @routes.get("/stations/{station}")
    def station(station: str, limit: int = 3) -> dict[str, object]:
        return {"station": station, "limit": limit}

    @routes.post("/stations/{station}")
    def change(station: str) -> dict[str, object]:
        return {"changed": station}

    return routes


def ask(app: FastAPI, method: str, path: str) -> httpx.Response:
    async def answer() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://yz.local") as client:
            return await client.request(method, path)

    return asyncio.run(answer())


def test_only_the_route_that_is_asked_for_is_analysed() -> None:
    app, group = FastAPI(redirect_slashes=False), group_of_two()
    app.routes.extend(routes_of([group]))
    assert ask(app, "GET", "/api/elsewhere").status_code == 404
    assert ask(app, "DELETE", "/api/stations/yanshan").status_code == 405
    assert not any(map(analysed, group.routes)), "neither is one of these"
    assert ask(app, "GET", "/api/stations/yanshan?limit=7").json() == {"station": "yanshan", "limit": 7}
    assert ask(app, "GET", "/api/stations/yanshan?limit=many").status_code == 422
    assert [analysed(route) for route in group.routes] == [True, False]
    assert ask(app, "POST", "/api/stations/yanshan").json() == {"changed": "yanshan"}


def test_a_group_takes_the_routes_of_others_as_they_are_and_in_their_order() -> None:
    house, stations = Routes(), group_of_two()
    house.take(stations, Routes())
    assert house.routes == stations.routes
    assert not any(map(analysed, house.routes))


def test_threads_that_ask_at_once_share_one_analysis(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    analyse = APIRoute.__init__

    def counted(self: APIRoute, path: str, *more: object, **declared: object) -> None:
        begun.append(path)
        analyse(self, path, *more, **declared)  # type: ignore[arg-type]

    monkeypatch.setattr(APIRoute, "__init__", counted)
    (route, _), gate, told = group_of_two().routes, Barrier(8), list[object]()

    def look() -> None:
        gate.wait()
        told.append(route.dependant)  # type: ignore[attr-defined]

    threads = [Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert begun == ["/api/stations/{station}"]
    assert len(told) == 8
    assert all(answer is told[0] for answer in told)


def test_what_a_route_does_not_have_is_no_recursion() -> None:
    (route, _) = group_of_two().routes
    assert not hasattr(route, "colour")
    assert analysed(route)


def test_a_declaration_that_fastapi_refuses_is_told_at_the_first_look() -> None:
    routes = Routes()

    @routes.get("/", response_model=FastAPI)
    def root() -> None: ...

    with pytest.raises(FastAPIError, match="valid Pydantic field type"):
        routes.routes[0].dependant  # type: ignore[attr-defined]  # noqa: B018


def test_every_route_of_the_product_is_declared_late_and_can_be_analysed(house: House) -> None:
    openapi, *routes = house.app._front._app.routes  # type: ignore[attr-defined]
    assert openapi.path == "/openapi.json", "FastAPI's own"
    assert len(routes) > 100
    for route in routes:
        assert isinstance(route, LateRoute), f"{route.path}: its group is to be made by `Routes`"
        assert route.dependant.call is not None, route.path
        assert "default" in route.responses, route.path
