"""`/api/v1/config`: the configuration's files by click. The YAML stays the only truth; see docs/configuration.md."""

import json
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.auth import AccessGate, Key
from api.commands.check import checked
from api.configuring import Configuring, MistakesError, Now
from api.context import ApiContext
from api.problem import Problem
from api.routes.alerts import ADMIN
from api.schemas import ProblemDocument
from api.times import rfc3339
from config.edit.saving import ConflictError
from config.edit.versions import Version
from config.edit.words import ConfigChange, EditError, Op, parts_of
from config.schema_json import schema_text
from gateway.policy.text import bounded

PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {"model": ProblemDocument} for code in (401, 403, 404, 412, 422, 428, 503)
}
LONGEST_WHY = 200
NO_STORE = {"cache-control": "no-store"}
CHANGED_MEANWHILE = "the configuration was changed meanwhile; read it again, look, and send the change anew"
Tag = Annotated[str | None, Header(alias="if-match", description="the ETag of the configuration that was read")]


class ChangeOrder(BaseModel):
    """One change. Items of lists go by their `id` (devices of a bus by `device`), others by their position."""

    model_config = ConfigDict(extra="forbid")

    op: Op
    path: Annotated[str, Field(max_length=1000, description="JSON Pointer: /stations/yanshan/areas/lounge")]
    value: Annotated[Any, Field(description="as JSON; null for a secret keeps the one there is")] = None
    file: Annotated[str | None, Field(max_length=100, description="where a new station stands")] = None


class ChangeSet(BaseModel):
    model_config = ConfigDict(extra="forbid")

    why: Annotated[str, Field(max_length=1000, description="for whoever asks later")] = ""
    dry_run: bool = False
    changes: Annotated[list[ChangeOrder], Field(min_length=1, max_length=500)]


class RestoreOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    why: Annotated[str, Field(max_length=1000)] = ""


class ConfigShown(BaseModel):
    version: int = Field(description="the newest that is kept; 0 before the first")
    config: dict[str, Any] = Field(description="all files as one, with null for secrets and tokens")
    files: list[str]


class Saved(BaseModel):
    """`diff` for a dry run, else the rest."""

    version: int | None = None
    needs_restart: list[str] | None = Field(None, description="keys whose new values wait for a restart")
    trouble: str | None = Field(None, description="why what is saved does not run yet")
    diff: str | None = None


class VersionLine(BaseModel):
    version: int
    at: str
    who: str
    why: str
    files: list[str]
    back_to: int | None = Field(description="an undo went back to this one")


class VersionLines(BaseModel):
    versions: list[VersionLine]


def router(context: ApiContext) -> APIRouter:
    routes = APIRouter(prefix="/api/v1/config", tags=["configuration"], responses=PROBLEMS)
    gate, configuring = AccessGate(context.keyring, context.now), Configuring(context, checked)
    Admin = Annotated[Key, Depends(gate.needs("admin"))]  # noqa: N806  a type

    @routes.get("", response_model=ConfigShown, openapi_extra=ADMIN, summary="The configuration, without its secrets")
    def shown(key: Admin, response: Response) -> dict[str, Any]:
        now = configuring.now()
        response.headers.update(NO_STORE | {"etag": f'"{now.tag}"'})
        return configuring.shown(now, key)

    @routes.get("/schema", openapi_extra=ADMIN, summary="Its JSON Schema", response_model=dict[str, Any])
    def schema(_key: Admin) -> Response:
        return Response(_schema(), media_type="application/json")

    @routes.post(
        "/changes",
        response_model=Saved,
        response_model_exclude_unset=True,
        openapi_extra=ADMIN,
        summary="ConfigChange it: all of the changes, or none",
    )
    def change(key: Admin, order: ChangeSet, if_match: Tag = None) -> Any:
        if if_match is None:
            raise HTTPException(
                428, "send If-Match with the ETag of GET /api/v1/config, so that no other change is lost"
            )

        def made() -> dict[str, Any]:
            now = _matching(configuring.now(), if_match)
            changes = [_change(one) for one in order.changes]
            if order.dry_run:
                return {"diff": configuring.difference(now, changes, key)}
            return configuring.change(now, changes, key, bounded(order.why, LONGEST_WHY))

        return _answered(made)

    @routes.get(
        "/versions",
        response_model=VersionLines,
        openapi_extra=ADMIN,
        summary="Who changed it when and why, newest first",
    )
    def versions(_key: Admin, response: Response, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> dict[str, Any]:
        response.headers.update(NO_STORE)
        return {"versions": [_line(version) for version in configuring.versions(limit)]}

    @routes.post(
        "/versions/{n}/restore",
        response_model=Saved,
        response_model_exclude_unset=True,
        openapi_extra=ADMIN,
        summary="Its files are the files again, to the byte",
    )
    def restore(n: int, key: Admin, order: RestoreOrder | None = None, if_match: Tag = None) -> Any:
        why = bounded(order.why if order else "", LONGEST_WHY)
        return _answered(lambda: configuring.restore(_matching(configuring.now(), if_match or "*"), n, key, why))

    return routes


def _answered(made: Callable[[], dict[str, Any]]) -> dict[str, Any] | Problem:
    """What a change is refused with is the answer."""
    try:
        return made()
    except ConflictError:
        return Problem(412, CHANGED_MEANWHILE)
    except MistakesError as error:
        return Problem(422, str(error), error.errors)


def _matching(now: Now, if_match: str) -> Now:
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in if_match.split(",")]
    if "*" not in tags and now.tag not in tags:
        raise ConflictError
    return now


def _change(order: ChangeOrder) -> ConfigChange:
    try:
        path = parts_of(order.path)
    except EditError as error:
        raise MistakesError([_bad(order, error.what, error.mend)]) from None
    if (order.op != "remove") != ("value" in order.model_fields_set):
        what = "has a value" if order.op == "remove" else "has no value"
        raise MistakesError([_bad(order, what, "add and replace need one, remove none")])
    return ConfigChange(order.op, path, order.value, order.file)


def _bad(order: ChangeOrder, what: str, mend: str) -> dict[str, Any]:
    place = order.path[:200]
    detail = f"{place}: {what}; {mend}"
    return {"in": "configuration", "name": place, "detail": detail, "what": what, "mend": mend}


@cache
def _schema() -> bytes:
    return json.dumps(json.loads(schema_text()), ensure_ascii=False).encode()


def _line(version: Version) -> dict[str, Any]:
    return {
        "version": version.number,
        "at": rfc3339(version.at),
        "who": version.who,
        "why": version.why,
        "files": sorted(version.files),
        "back_to": version.back_to,
    }
