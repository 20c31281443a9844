"""`/api/v1/orders`: work for somebody (派单 → 接单 → 验收); "done" is a claim that the sensor confirms or refutes."""

from typing import Annotated, Any, Literal

from fastapi import Body, Depends, HTTPException
from pydantic import BaseModel, Field

from api.alert_books import AlertBooks
from api.auth import AccessGate, Key
from api.context import ApiContext
from api.late_routes import Routes
from api.routes.alerts import OPERATOR, PROBLEMS, VIEWER
from api.routes.staff import Staff
from gateway.alerting import Alerting
from gateway.alerting.deeds import Verb
from gateway.alerts.orders import Order
from gateway.alerts.payload import rfc3339
from gateway.alerts.words import Alert

STEPS: dict[Verb, str] = {"accept": "I do it", "done": "I have done it", "verify": "I have seen that it is done"}


class NewOrder(BaseModel):
    """From an alert, or by hand for a station. Without an assignee it is whoever asks."""

    alert: str | None = None
    station: str | None = None
    resource: str | None = None
    title: Annotated[str | None, Field(max_length=200)] = None
    assignee: Annotated[str | None, Field(max_length=64)] = None


def router(context: ApiContext, alerting: Alerting | None) -> Routes:
    routes = Routes(prefix="/api/v1/orders", tags=["staff"], responses=PROBLEMS)
    staff, gate = Staff(context, alerting), AccessGate(context.keyring, context.now)
    operator = Depends(gate.needs("operator"))

    @routes.get("", openapi_extra=VIEWER, summary="Work orders, the newest first")
    def orders(
        state: Literal["assigned", "accepted", "done", "closed"] | None = None,
        station: str | None = None,
        key: Key = Depends(gate.needs("viewer")),  # noqa: B008  FastAPI's way
    ) -> dict[str, Any]:
        with staff.reader() as reader:
            listed = reader.orders(staff.covered(key, station), state)
            return {"orders": [_shown(reader, order) for order in listed]}

    @routes.post("", status_code=201, openapi_extra=OPERATOR, summary="Give somebody the work")
    async def create(new: Annotated[NewOrder, Body()], key: Key = operator) -> dict[str, Any]:
        alert = _alert(staff, new.alert)
        station = alert.station if alert is not None else new.station
        if station is None:
            raise HTTPException(422, "name the alert, or the station")
        if alert is not None:
            staff.check_kept(key, station)
        else:
            staff.check(key, station)
        nonce = await staff.do(
            "assign", key.name, station, target=new.alert or "",
            resource=alert.resource if alert is not None else new.resource,
            text=new.title or (alert.kind if alert is not None else "work"), assignee=new.assignee or key.name,
        )  # fmt: skip
        box = await staff.box(station, nonce)
        return _found(staff, nonce[:12]) | box

    for verb, summary in STEPS.items():
        _step(routes, staff, operator, verb, summary)
    _undo(routes, staff, operator)
    return routes


def _undo(routes: Routes, staff: Staff, operator: Any) -> None:
    @routes.post("/{order}/undo", openapi_extra=OPERATOR, summary="Take the last step back")
    async def undo(order: str, key: Key = operator) -> dict[str, Any]:
        return await _do(staff, "undo_order", order, key)


def _step(routes: Routes, staff: Staff, operator: Any, verb: Verb, summary: str) -> None:
    @routes.post("/{order}/" + verb, openapi_extra=OPERATOR, summary=summary, name=f"order_{verb}")
    async def step(order: str, key: Key = operator) -> dict[str, Any]:
        return await _do(staff, verb, order, key)


async def _do(staff: Staff, verb: Verb, order: str, key: Key) -> dict[str, Any]:
    with staff.reader() as reader:
        known = reader.order(order)
    if known is None:
        raise HTTPException(404, "there is no order of this id")
    staff.check_kept(key, known.station)
    nonce = await staff.do(verb, key.name, known.station, target=order)
    box = await staff.box(known.station, nonce)
    return _found(staff, order) | box


def _alert(staff: Staff, alert_id: str | None) -> Alert | None:
    if alert_id is None:
        return None
    with staff.reader() as reader:
        alert = reader.alert(alert_id)
    if alert is None:
        raise HTTPException(404, "there is no alert of this id")
    return alert


def _found(staff: Staff, order_id: str) -> dict[str, Any]:
    with staff.reader() as reader:
        order = reader.order(order_id)
        assert order is not None, "what was carried out is stored"
        return _shown(reader, order)


def _shown(reader: AlertBooks, order: Order) -> dict[str, Any]:
    return {
        "id": order.id, "alert": order.alert, "station": order.station, "resource": order.resource,
        "title": order.title, "assignee": order.assignee, "state": order.state, "reopened": order.reopened,
        "opened_at": rfc3339(order.opened_at), "changed_at": rfc3339(order.changed_at),
        "history": [
            {"at": rfc3339(at), "action": action, "by": by, **({"text": text} if text else {})}
            for at, action, by, text in reader.order_history(order.id)
        ],
    }  # fmt: skip
