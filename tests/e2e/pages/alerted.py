"""What the stand-in tells staff: alerts, orders, colleagues, and what is done about them."""

from typing import Any, Protocol

from fastapi import Body, FastAPI, HTTPException, Request

from tests.e2e.pages.scenes import stamp

ME = "王姐"


class Told(Protocol):
    """The stand-in, as far as this needs it."""

    alerts: list[dict[str, Any]]
    orders: list[dict[str, Any]]

    def now(self) -> int: ...


def made_up(listed: list[str], now: int) -> list[dict[str, Any]]:
    """What staff find in the morning: where, kind, resource, severity, minutes ago, cause."""
    script = (
        (3, "station_offline", None, "critical", 24, "all_silent"),
        (22, "safety_not_ready", "aed", "critical", 190, "message"),
        (21, "charger_fault", "pile-02", "warning", 61, "GroundFailure"),
        (30, "stuck_sensor", "seat-03", "warning", 135, "suspect"),
        (39, "power_without_session", "pile-01", "warning", 12, "power_w=214"),
        (48, "battery_low", "seat-05", "info", 520, "battery_pct=14"),
    )
    made = []
    for i, (at, kind, resource, severity, minutes, cause) in enumerate(script):
        if at >= len(listed):
            continue
        opened = stamp(now - minutes * 60_000)
        held = [{"at": opened, "action": "acknowledged", "state": "acknowledged", "by": "李工"}] if i == 3 else []
        made.append({
            "id": f"al-{i}", "station": listed[at], "resource": resource, "kind": kind, "severity": severity,
            "state": "acknowledged" if held else "open", "opened_at": opened, "changed_at": opened, "cause": cause,
            "detail": {}, "history": [{"at": opened, "action": "opened", "state": "open", "by": "sensor"}, *held],
        })  # fmt: skip
    return made


def allowed(request: Request) -> None:
    if request.cookies.get("yizhan_session") != "staff":
        raise HTTPException(401)


def staff(web: FastAPI, server: Told) -> None:
    @web.get("/api/v1/session")
    def session(request: Request) -> dict[str, Any]:
        allowed(request)
        return {"name": ME, "role": "operator", "stations": [], "regions": []}

    @web.get("/api/v1/staff")
    def colleagues(request: Request) -> dict[str, Any]:
        allowed(request)
        row = {"role": "operator", "everywhere": True, "stations": []}
        return {"staff": [row | {"name": name} for name in ("李工", ME)]}

    @web.get("/api/v1/alerts")
    def alerts(
        request: Request, station: str | None = None, state: str | None = None, kind: str | None = None
    ) -> dict[str, Any]:
        allowed(request)
        rows = [
            row
            for row in server.alerts
            if (station or row["station"]) == row["station"]
            and (state or row["state"]) == row["state"]
            and (kind or row["kind"]) == row["kind"]
        ]
        return {"alerts": rows}

    @web.post("/api/v1/alerts/{alert}/{step}")
    def act(request: Request, alert: str, step: str, said: dict[str, Any] = Body(...)) -> dict[str, Any]:  # noqa: B008
        allowed(request)
        row = next(row for row in server.alerts if row["id"] == alert)
        action, state = {
            "acknowledge": ("acknowledged", "acknowledged"), "undo": ("released", "open"),
            "close": ("closed", "closed"),
            "comment": ("commented", row["state"]), "mute": ("muted", "acknowledged"),
        }[step]  # fmt: skip
        row.update(state=state, changed_at=stamp(server.now()))
        text = said.get("until") if step == "mute" else said.get("text")
        row["history"].append({"at": stamp(server.now()), "state": state, "action": action, "by": ME, "text": text})
        return row

    @web.get("/api/v1/stations/{station}/override")
    def words(request: Request, station: str) -> dict[str, Any]:
        allowed(request)
        return {"words": []}

    @web.get("/api/v1/orders")
    def orders(request: Request) -> dict[str, Any]:
        allowed(request)
        return {"orders": server.orders if server.alerts else []}
