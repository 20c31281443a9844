"""`/api/v1/alerts`: what is wrong, who cares, and how telling it went."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Body, Depends, HTTPException, Query

from api.access_book import BY_COMMAND, AccessLine
from api.alert_books import AlertBooks
from api.auth import AccessGate, Key
from api.context import ApiContext
from api.late_routes import Routes
from api.routes.staff import Staff
from api.schemas import ProblemDocument
from api.start_book import CONFIGURATION, SECRET
from gateway.alerting import Alerting
from gateway.alerting.deeds import Verb
from gateway.alerts.payload import alert_json, rfc3339
from gateway.alerts.shelf import MUTED_MOST_MS
from gateway.alerts.words import Alert, Delivery
from gateway.model import Millis

State = Literal["open", "acknowledged", "closed"]
Text = Annotated[str | None, Body(embed=True, max_length=1000, description="a word for the history")]
MutedUntil = Annotated[
    datetime | None, Body(embed=True, description="RFC 3339 with offset, at most 7 days ahead; null: tell again")
]
PROBLEMS: dict[int | str, dict[str, Any]] = {code: {"model": ProblemDocument} for code in (401, 403, 404, 409, 503)}
VIEWER, OPERATOR, ADMIN = ({"x-role": role} for role in ("viewer", "operator", "admin"))

AUDIT_LOOKED_AT = 5_000  # of these, what a key with a scope reaches
ACCESS = frozenset(
    {
        "logged_in",
        "logged_out",
        "log_in_failed",
        "session_ended",
        "passkey_added",
        "passkey_renamed",
        "passkey_removed",
        "key_created",
        "key_revoked",
        "discovered",
        CONFIGURATION,
        SECRET,
    }
    | {"partner_registered", "partner_changed", "partner_left"}
    | BY_COMMAND
)


def router(context: ApiContext, alerting: Alerting | None) -> Routes:
    routes = Routes(tags=["staff"], responses=PROBLEMS)
    staff, gate = Staff(context, alerting), AccessGate(context.keyring, context.now)
    _looking(routes, staff, gate)
    _acting(routes, staff, gate)
    _telling(routes, staff, gate)
    return routes


def _looking(routes: Routes, staff: Staff, gate: AccessGate) -> None:
    @routes.get("/api/v1/alerts", openapi_extra=VIEWER, summary="Alerts, the newest first")
    def alerts(
        state: State | None = None,
        station: str | None = None,
        kind: Annotated[str | None, Query(max_length=64, description="`reported`: what visitors said")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
        key: Key = Depends(gate.needs("viewer")),  # noqa: B008  FastAPI's way
    ) -> dict[str, Any]:
        with staff.reader() as reader:
            listed = reader.alerts(state, staff.covered(key, station), limit, kind)
            return {"alerts": [_shown(reader, alert) for alert in listed]}

    @routes.get("/api/v1/alerts/{alert}", openapi_extra=VIEWER, summary="One alert, with how telling it went")
    def alert_told(alert: str, key: Key = Depends(gate.needs("viewer"))) -> dict[str, Any]:  # noqa: B008
        with staff.reader() as reader:
            known = _find(staff, reader, key, alert)
            return _shown(reader, known) | {
                "deliveries": [_delivery(delivery) for delivery in reader.deliveries_of(alert)]
            }


def _acting(routes: Routes, staff: Staff, gate: AccessGate) -> None:
    async def act(verb: Verb, alert: str, key: Key, text: str | None = None, **more: Any) -> dict[str, Any]:
        with staff.reader() as reader:
            known = _find(staff, reader, key, alert)
        if known.state == "closed" and verb != "undo":
            raise HTTPException(409, "the alert is closed already")
        nonce = await staff.do(verb, key.name, known.station, target=alert, text=text or "", **more)
        box = await staff.box(known.station, nonce)
        with staff.reader() as reader:
            return _shown(reader, _find(staff, reader, key, alert)) | box

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

    @routes.post("/api/v1/alerts/{alert}/mute", openapi_extra=OPERATOR, summary="Tell nobody of it for a while")
    async def mute(alert: str, until: MutedUntil = None, text: Text = None, key: Key = needs) -> dict[str, Any]:
        return await act("mute", alert, key, text, until=_mute_end(until, staff.context.now()))

    @routes.post("/api/v1/alerts/{alert}/undo", openapi_extra=OPERATOR, summary="Take the last step back")
    async def undo(alert: str, key: Key = needs) -> dict[str, Any]:
        return await act("undo", alert, key)


def _mute_end(until: datetime | None, now: Millis) -> Millis | None:
    """422 for an end that lies behind or further ahead than a week."""
    if until is None:
        return None
    if until.tzinfo is None:
        raise HTTPException(422, "until has no offset; write it like 2026-05-01T18:00:00+08:00")
    end = round(until.timestamp() * 1000)
    if not now < end <= now + MUTED_MOST_MS:
        raise HTTPException(422, "until must lie ahead, by at most 7 days")
    return end


def _telling(routes: Routes, staff: Staff, gate: AccessGate) -> None:
    @routes.get("/api/v1/deliveries", openapi_extra=VIEWER, summary="Messages that no channel took")
    def dead(key: Key = Depends(gate.needs("viewer"))) -> dict[str, Any]:  # noqa: B008
        with staff.reader() as reader:
            stations = staff.covered(key)
            letters = [
                dead_letter
                for dead_letter in reader.dead_letters()
                if stations is None or dead_letter.alert.station in stations
            ]
            return {"deliveries": [_delivery(letter) for letter in letters]}

    @routes.post("/api/v1/deliveries/{delivery}/retry", openapi_extra=OPERATOR, summary="Try one of them again")
    async def again(delivery: str, key: Key = Depends(gate.needs("operator"))) -> dict[str, Any]:  # noqa: B008
        with staff.reader() as reader:
            letters = [dead_letter for dead_letter in reader.dead_letters() if dead_letter.id == delivery]
        if not letters:
            raise HTTPException(404, "no message of this id is waiting for another try")
        staff.check_kept(key, letters[0].alert.station)
        await staff.do("retry", key.name, letters[0].alert.station, target=delivery)
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


def _find(staff: Staff, reader: AlertBooks, key: Key, alert_id: str) -> Alert:
    alert = reader.alert(alert_id)
    if alert is None:
        raise HTTPException(404, "there is no alert of this id")
    staff.check_kept(key, alert.station)
    return alert


def _shown(reader: AlertBooks, alert: Alert) -> dict[str, Any]:
    return alert_json(alert, reader.history(alert.id))


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id, "alert": delivery.alert.id, "action": delivery.action, "channel": delivery.channel,
        "via": delivery.via, "state": delivery.state, "attempts": delivery.attempts, "due": rfc3339(delivery.due),
        "done_at": rfc3339(delivery.done_at) if delivery.done_at is not None else None, "error": delivery.error,
    }  # fmt: skip
