"""Errors as RFC 9457 `application/problem+json`, every one of them."""

import logging
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from api.auth import KeyFileError
from api.passkeys.book import NAME, PasskeyFileError
from gateway.base.mishaps import Mishaps
from gateway.store.base import StoreError

_LINKS = re.compile(r"^(/[acp]/).*")  # who holds such an address may act: it stands in no log
log = logging.getLogger(__name__)


OURS = "the mistake is ours and is in the log"


class Problem(JSONResponse):
    """`errors` names each bad parameter with what is wrong with it."""

    media_type = "application/problem+json"

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        errors: Sequence[Mapping[str, Any]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        content: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
        if detail:
            content["detail"] = detail
        if errors:
            content["errors"] = list(errors)
        super().__init__(content, status, {"cache-control": "no-store"} | (headers or {}))


def told_path(path: str) -> str:
    """As a log may have it: short, and without the secret of a link."""
    return _LINKS.sub(r"\1…", path[:200])


def not_found(station: str) -> HTTPException:
    """For a station that is not in the configuration."""
    return HTTPException(404, f"there is no station {station[:64]!r}; GET /api/v1/stations lists them")


def bad_parameter(name: str, what: str) -> RequestValidationError:
    """For a parameter whose form is right and whose sense is not."""
    return RequestValidationError([{"loc": ("query", name), "msg": what, "type": "value_error"}])


def bad_field(name: str, what: str) -> RequestValidationError:
    """For a field of a body whose form is right and whose sense is not."""
    return RequestValidationError([{"loc": ("body", name), "msg": what, "type": "value_error"}])


def install(app: FastAPI, mishaps: Mishaps) -> None:
    """From now on every error of the app is a problem document; a fault of ours is noted."""

    @app.exception_handler(StarletteHTTPException)
    async def http(_request: Request, error: StarletteHTTPException) -> Problem:
        detail = error.detail if error.detail != HTTPStatus(error.status_code).phrase else None
        return Problem(error.status_code, detail, headers=dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def validation(_request: Request, error: RequestValidationError) -> Problem:
        errors = [
            {
                "in": str(mistake["loc"][0]),
                "name": ".".join(map(str, mistake["loc"][1:])),
                "detail": str(mistake["msg"]),
            }
            for mistake in error.errors()
        ]
        return Problem(422, "; ".join(f"{error['name']}: {error['detail']}" for error in errors), errors)

    @app.exception_handler(KeyFileError)
    async def keys(_request: Request, error: KeyFileError) -> Problem:
        log.error("%s", error)
        return Problem(503, "the file of keys cannot be read; the log says why")

    @app.exception_handler(PasskeyFileError)
    async def passkeys(_request: Request, error: PasskeyFileError) -> Problem:
        log.error("%s", error)
        return Problem(503, f"{NAME} cannot be read; the log says why")

    @app.exception_handler(StoreError)
    async def store(_request: Request, error: StoreError) -> Problem:
        log.error("%s", error)
        return Problem(503, "the store cannot be read at the moment; the log says why")

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Problem:
        mishaps.note(f"{request.method} {told_path(request.url.path)}", error, request.path_params.get("station"))
        return Problem(500, OURS)
