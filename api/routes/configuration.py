"""`/api/v1/config`: the configuration's files by click. The YAML stays the only truth; see docs/configuration.md."""

import contextlib
import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.auth import AccessGate, Key
from api.box_configuration import BoxConfiguration, BoxStation
from api.commands.check import checked
from api.configuring import Configuring, MistakesError, Now
from api.context import ApiContext
from api.errands import SaidToBox
from api.late_routes import Routes
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
    code: {"model": ProblemDocument} for code in (401, 403, 404, 409, 412, 413, 422, 428, 503)
}
LONGEST_WHY = 200
NO_STORE = {"cache-control": "no-store"}
CHANGED_MEANWHILE = "the configuration was changed meanwhile; read it again, look, and send the change anew"
Tagged = TypeVar("Tagged", Now, BoxStation)
OfBox = Annotated[
    str | None, Query(max_length=64, description="of a station that a box has, whose lines stand in the box's files")
]
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
    box: SaidToBox | None = Field(
        None, description="of a station that a box has: whether the box has saved it, or it waits"
    )
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


def router(context: ApiContext) -> Routes:
    routes = Routes(prefix="/api/v1/config", tags=["configuration"], responses=PROBLEMS)
    gate, configuring = AccessGate(context.keyring, context.now), Configuring(context, checked)
    boxes = BoxConfiguration(context)
    Admin = Annotated[Key, Depends(gate.needs("admin"))]  # noqa: N806  a type

    @routes.get("", response_model=ConfigShown, openapi_extra=ADMIN, summary="The configuration, without its secrets")
    def shown(key: Admin, response: Response, station: OfBox = None) -> dict[str, Any]:
        if station is not None:
            told = boxes.now(station, key)
            response.headers.update(NO_STORE | {"etag": f'"{told.tag}"'})
            return {"version": told.version or 0, "config": {"stations": [told.lines]}, "files": []}
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
        summary="Change it: all of the changes, or none",
    )
    def change(key: Admin, order: ChangeSet, response: Response, if_match: Tag = None) -> Any:
        if if_match is None:
            raise HTTPException(
                428, "send If-Match with the ETag of GET /api/v1/config, so that no other change is lost"
            )

        station = _one_station(order.changes)
        if station is not None and boxes.has(station):
            return _at_box(response, lambda: _sent(boxes, station, key, order, if_match))

        def made() -> dict[str, Any]:
            now = _matching(configuring.now(), if_match)
            changes = [_change(asked) for asked in order.changes]
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
    def restore(
        n: int, key: Admin, response: Response, order: RestoreOrder | None = None, if_match: Tag = None,
        station: OfBox = None,
    ) -> Any:  # fmt: skip
        why = bounded(order.why if order else "", LONGEST_WHY)
        if station is not None:
            return _at_box(response, lambda: boxes.restore(boxes.now(station, key), n, key, why))
        return _answered(lambda: configuring.restore(_matching(configuring.now(), if_match or "*"), n, key, why))

    return routes


def _one_station(changes: Sequence[ChangeOrder]) -> str | None:
    """The station that all of them are about; None where it is not one."""
    with contextlib.suppress(EditError):
        paths = [parts_of(change.path) for change in changes]
        names = {path[1] if path[0] == "stations" and len(path) > 1 else None for path in paths}
        return names.pop() if len(names) == 1 else None
    return None


def _sent(boxes: BoxConfiguration, station: str, key: Key, order: ChangeSet, if_match: str) -> dict[str, Any]:
    """Send the changes to the box that has the station."""
    if order.dry_run:
        raise HTTPException(422, "a box answers no dry run: it saves what is right, or says what is wrong")
    now = _matching(boxes.now(station, key), if_match)
    changes = [change.model_dump(exclude_unset=True, include={"op", "path", "value"}) for change in order.changes]
    return boxes.change(now, changes, key, bounded(order.why, LONGEST_WHY))


def _at_box(response: Response, made: Callable[[], dict[str, Any]]) -> dict[str, Any] | Problem:
    told = _answered(made)
    if isinstance(told, dict) and told["box"].state == "waiting":
        response.status_code = 202
    return told


def _answered(made: Callable[[], dict[str, Any]]) -> dict[str, Any] | Problem:
    """What a change is refused with is the answer."""
    try:
        return made()
    except ConflictError:
        return Problem(412, CHANGED_MEANWHILE)
    except MistakesError as error:
        return Problem(422, str(error), error.errors)


def _matching(now: Tagged, if_match: str) -> Tagged:
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
