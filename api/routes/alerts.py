"""`/api/v1/alerts`: what is wrong, who cares, and how telling it went; and the page behind the link in a message."""

from html import escape
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, HTTPException, Query
from starlette.responses import HTMLResponse

from api.access_book import BY_COMMAND, AccessLine
from api.alert_books import AlertBooks
from api.auth import AccessGate, Key
from api.context import ApiContext
from api.routes.staff import Staff
from api.schemas import ProblemDocument
from api.start_book import CONFIGURATION, SECRET
from gateway.alerting import Alerting
from gateway.alerting.deeds import Verb
from gateway.alerts.payload import alert_json, rfc3339
from gateway.alerts.words import Alert, Delivery
from gateway.notify.links import BadLinkError, Grant, key_in, read

State = Literal["open", "acknowledged", "closed"]
Text = Annotated[str | None, Body(embed=True, max_length=1000, description="a word for the history")]
PROBLEMS: dict[int | str, dict[str, Any]] = {code: {"model": ProblemDocument} for code in (401, 403, 404, 409, 503)}
VIEWER, OPERATOR, ADMIN = ({"x-role": role} for role in ("viewer", "operator", "admin"))

AUDIT_LOOKED_AT = 5_000  # of these, what a key with a scope reaches
ACCESS = frozenset(
    {"logged_in", "logged_out", "log_in_failed", "key_created", "key_revoked", "discovered", CONFIGURATION, SECRET}
    | BY_COMMAND
)


def router(context: ApiContext, alerting: Alerting | None) -> APIRouter:
    routes = APIRouter(tags=["staff"], responses=PROBLEMS)
    staff, gate = Staff(context, alerting), AccessGate(context.keyring, context.now)
    _looking(routes, staff, gate)
    _acting(routes, staff, gate)
    _telling(routes, staff, gate)
    _link(routes, staff)
    return routes


def _looking(routes: APIRouter, staff: Staff, gate: AccessGate) -> None:
    @routes.get("/api/v1/alerts", openapi_extra=VIEWER, summary="Alerts, the newest first")
    def alerts(
        state: State | None = None,
        station: str | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
        key: Key = Depends(gate.needs("viewer")),  # noqa: B008  FastAPI's way
    ) -> dict[str, Any]:
        with staff.reader() as reader:
            found = reader.alerts(state, staff.covered(key, station), limit)
            return {"alerts": [_shown(reader, alert) for alert in found]}

    @routes.get("/api/v1/alerts/{alert}", openapi_extra=VIEWER, summary="One alert, with how telling it went")
    def one(alert: str, key: Key = Depends(gate.needs("viewer"))) -> dict[str, Any]:  # noqa: B008
        with staff.reader() as reader:
            found = _find(staff, reader, key, alert)
            return _shown(reader, found) | {"deliveries": [_delivery(one) for one in reader.deliveries_of(alert)]}


def _acting(routes: APIRouter, staff: Staff, gate: AccessGate) -> None:
    async def act(verb: Verb, alert: str, key: Key, text: str | None) -> dict[str, Any]:
        with staff.reader() as reader:
            found = _find(staff, reader, key, alert)
        if found.state == "closed":
            raise HTTPException(409, "the alert is closed already")
        await staff.do(verb, key.name, found.station, target=alert, text=text or "")
        with staff.reader() as reader:
            return _shown(reader, _find(staff, reader, key, alert))

    needs = Depends(gate.needs("operator"))

    @routes.post("/api/v1/alerts/{alert}/acknowledge", openapi_extra=OPERATOR, summary="I take care of it")
    async def acknowledge(alert: str, text: Text = None, key: Key = needs) -> dict[str, Any]:
        return await act("acknowledge", alert, key, text)

    @routes.post("/api/v1/alerts/{alert}/close", openapi_extra=OPERATOR, summary="Close it by hand")
    async def close(alert: str, text: Text = None, key: Key = needs) -> dict[str, Any]:
        return await act("close", alert, key, text)

    @routes.post("/api/v1/alerts/{alert}/comment", openapi_extra=OPERATOR, summary="A word for the history")
    async def comment(
        alert: str,
        text: Annotated[str, Body(embed=True, min_length=1, max_length=1000)],
        key: Key = needs,
    ) -> dict[str, Any]:
        return await act("comment", alert, key, text)


def _telling(routes: APIRouter, staff: Staff, gate: AccessGate) -> None:
    @routes.get("/api/v1/deliveries", openapi_extra=VIEWER, summary="Messages that no channel took")
    def dead(key: Key = Depends(gate.needs("viewer"))) -> dict[str, Any]:  # noqa: B008
        with staff.reader() as reader:
            stations = staff.covered(key)
            found = [
                dead_letter
                for dead_letter in reader.dead_letters()
                if stations is None or dead_letter.alert.station in stations
            ]
            return {"deliveries": [_delivery(one) for one in found]}

    @routes.post("/api/v1/deliveries/{delivery}/retry", openapi_extra=OPERATOR, summary="Try one of them again")
    async def again(delivery: str, key: Key = Depends(gate.needs("operator"))) -> dict[str, Any]:  # noqa: B008
        with staff.reader() as reader:
            found = [dead_letter for dead_letter in reader.dead_letters() if dead_letter.id == delivery]
        if not found:
            raise HTTPException(404, "no message of this id is waiting for another try")
        staff.check_kept(key, found[0].alert.station)
        await staff.do("retry", key.name, found[0].alert.station, target=delivery)
        return {"delivery": delivery, "state": "waiting"}

    @routes.get("/api/v1/audit", openapi_extra=ADMIN, summary="Who changed what, the newest first")
    def trail(
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
        key: Key = Depends(gate.needs("admin")),  # noqa: B008
    ) -> dict[str, Any]:
        with staff.reader() as reader:
            return {"audit": [_line(line) for line in audit_of(staff, reader, key, limit)]}


def audit_of(staff: Staff, reader: AlertBooks, key: Key, limit: int) -> list[AccessLine]:
    """The newest changes first, of the store and of access; of those that a key with a scope reaches."""
    many = limit if key.everywhere else AUDIT_LOOKED_AT
    lines = [AccessLine(*row) for row in reader.audit(many)] + staff.context.keyring.book.lines(many)
    lines.sort(key=lambda line: -line.at)
    if not key.everywhere:
        stations = frozenset(staff.covered(key) or ())
        lines = [line for line in lines if _station_of(reader, line) in stations]
    return lines[:limit]


def _station_of(reader: AlertBooks, line: AccessLine) -> str | None:
    """Where it was done: the target is a station, an alert of one or an order of one. None for access itself."""
    if line.what in ACCESS:
        return None
    about = reader.alert(line.target) or reader.order(line.target)
    return about.station if about is not None else line.target.partition("/")[0]


def _line(line: AccessLine) -> dict[str, Any]:
    return {
        "at": rfc3339(line.at), "who": line.who, "what": line.what, "target": line.target, "detail": line.detail,
    }  # fmt: skip


def _link(routes: APIRouter, staff: Staff) -> None:
    """Chat programs open every link to preview it, so only the button on the page acknowledges."""

    @routes.get("/a/{token}", response_class=HTMLResponse, include_in_schema=False)
    def ask(token: str) -> HTMLResponse:
        try:
            grant = _grant(staff, token)
        except BadLinkError as error:
            return _page(str(error), 410)
        with staff.reader() as reader:
            if reader.link_used(grant.id):
                return _page("这个链接已经用过 / This link was used already", 410)
        return _page("确认由您处理？ / Do you take care of it?", 200, button=True)

    @routes.post("/a/{token}", response_class=HTMLResponse, include_in_schema=False)
    async def acknowledge(token: str) -> HTMLResponse:
        try:
            grant = _grant(staff, token)
        except BadLinkError as error:
            return _page(str(error), 410)
        with staff.reader() as reader:
            if reader.link_used(grant.id):
                return _page("这个链接已经用过 / This link was used already", 410)
            found = reader.alert(grant.alert)
        if found is None or found.state == "closed":
            return _page("告警已经关闭 / The alert is closed already", 200)
        await staff.do("acknowledge", "link", found.station, target=grant.alert, link=(grant.id, grant.expires_at))
        return _page("已确认，谢谢 / Acknowledged, thank you", 200)


def _grant(staff: Staff, token: str) -> Grant:
    return read(key_in(staff.context.settings.store.path), token, staff.context.now())


def _page(text: str, status: int, *, button: bool = False) -> HTMLResponse:
    form = '<form method="post"><button style="font:inherit;padding:.6em 1.6em">确认 / Acknowledge</button></form>'
    return HTMLResponse(
        '<!doctype html><html lang="zh"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        '<meta name="robots" content="noindex"><title>驿站 yizhan</title>'
        f'<body style="font:1.2rem system-ui;margin:3rem auto;max-width:30rem;padding:0 1rem"><p>{escape(text)}</p>'
        f"{form if button else ''}",
        status,
        {"cache-control": "no-store", "referrer-policy": "no-referrer"},
    )


def _find(staff: Staff, reader: AlertBooks, key: Key, alert_id: str) -> Alert:
    found = reader.alert(alert_id)
    if found is None:
        raise HTTPException(404, "there is no alert of this id")
    staff.check_kept(key, found.station)
    return found


def _shown(reader: AlertBooks, alert: Alert) -> dict[str, Any]:
    return alert_json(alert, reader.history(alert.id))


def _delivery(one: Delivery) -> dict[str, Any]:
    return {
        "id": one.id, "alert": one.alert.id, "action": one.action, "channel": one.channel, "via": one.via,
        "state": one.state, "attempts": one.attempts, "due": rfc3339(one.due),
        "done_at": rfc3339(one.done_at) if one.done_at is not None else None, "error": one.error,
    }  # fmt: skip
