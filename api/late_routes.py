"""Routes that FastAPI analyses when they are first asked for.

The analysis of a route (its signature, a validator for each parameter and answer) costs a millisecond and more, on a
small box ten, and FastAPI does it when the route is declared and again for each router that includes it. Of our 137
routes a process serves a few. Declared late and included nowhere, they cost a start a tenth, and a request half.
"""

import threading
from collections.abc import Iterable
from typing import Any, Final

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, compile_path

PROBLEM: Final[dict[int | str, dict[str, Any]]] = {
    "default": {"description": "a problem document (RFC 9457)", "content": {"application/problem+json": {}}}
}
_analysis = threading.RLock()


class LateRoute(APIRoute):
    """What matching needs (path, methods, endpoint) is there at once; the first look at anything else analyses it.

    A declaration that FastAPI refuses is told only then: `tests/api/test_late_routes.py` analyses every route.
    """

    def __init__(self, path: str, endpoint: Any, *, methods: Iterable[str] | None = None, **declared: Any) -> None:
        self.path, self.endpoint = path, endpoint
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self.methods = {method.upper() for method in methods or ("GET",)}
        self._declared: dict[str, Any] | None = declared

    def __getattr__(self, name: str) -> Any:
        """Only called for what isn't there yet. Any thread; a second one waits for the first one's analysis."""
        with _analysis:
            declared, self._declared = self.__dict__.get("_declared"), None
            if declared is not None:
                super().__init__(self.path, self.endpoint, methods=self.methods, **declared)
        try:
            return self.__dict__[name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no {name!r}") from None


class Routes(APIRouter):
    """A group of routes, as every file of routes makes one; each of them may answer with a problem document."""

    def __init__(self, *, responses: dict[int | str, dict[str, Any]] | None = None, **options: Any) -> None:
        super().__init__(responses=PROBLEM | (responses or {}), route_class=LateRoute, **options)

    def take(self, *groups: APIRouter) -> None:
        """The routes of other groups, as they are: `include_router` would analyse each of them again."""
        self.routes.extend(routes_of(groups))


def routes_of(groups: Iterable[APIRouter]) -> list[BaseRoute]:
    """The routes of all groups, in their order."""
    return [route for group in groups for route in group.routes]
