"""`/a/{token}`: the page behind the link in a message. Chat programs open every link to preview it, so only the button
on the page acknowledges."""

from fastapi import Request
from starlette.responses import Response

from api.auth import AccessGate
from api.context import ApiContext
from api.derived import Derived
from api.form import form_fields
from api.late_routes import Routes
from api.pages.acknowledge import Both, LinkPage
from api.routes.staff import Staff
from gateway.alerting import Alerting
from gateway.alerts.places import Places
from gateway.alerts.words import Alert
from gateway.notify.links import BadLinkError, Grant, key_in, read
from gateway.policy.text import bounded

LONGEST_NAME = 30
BY_LINK = "link"
USED: Both = ("这个链接已经用过。", "This link was used already.")
OVER: Both = ("告警已经关闭，不用处理了。", "The alert is closed already; there is nothing to do.")
THANKS: Both = ("已确认，谢谢。", "Acknowledged, thank you.")


class _NothingToDoError(Exception):
    """The link leads nowhere (any more), or to what is over."""

    def __init__(self, said: Both, alert: Alert | None = None, status: int = 410) -> None:
        super().__init__(said[1])
        self.said, self.alert, self.status = said, alert, status


def router(context: ApiContext, alerting: Alerting | None) -> Routes:
    routes = Routes(include_in_schema=False)
    staff, gate = Staff(context, alerting), AccessGate(context.keyring, context.now)
    page = Derived(context.running.settings, lambda settings: LinkPage(Places.of(settings)))

    def open_(token: str) -> tuple[Grant, Alert]:
        try:
            grant = read(key_in(context.settings.store.path), token, context.now())
        except BadLinkError as error:
            raise _NothingToDoError((error.chinese, str(error))) from None
        with staff.reader() as reader:
            alert = reader.alert(grant.alert)
            if reader.link_used(grant.id):
                raise _NothingToDoError(USED, alert)
        if alert is None or alert.state == "closed":
            raise _NothingToDoError(OVER, alert, 200)
        return grant, alert

    def told(request: Request, error: _NothingToDoError) -> Response:
        return page().says(request, error.said, error.status, error.alert, context.now())

    @routes.get("/a/{token}")
    def ask(request: Request, token: str) -> Response:
        try:
            _, alert = open_(token)
        except _NothingToDoError as error:
            return told(request, error)
        key = gate.who(request)
        return page().asks(request, alert, context.now(), key.name if key is not None else None)

    @routes.post("/a/{token}")
    async def acknowledge(request: Request, token: str) -> Response:
        try:
            grant, alert = open_(token)
        except _NothingToDoError as error:
            return told(request, error)
        key = gate.who(request)
        by = key.name if key is not None else _left(await request.body())
        link = (grant.id, grant.expires_at)
        await staff.do("acknowledge", by, alert.station, target=grant.alert, link=link)
        return page().says(request, THANKS, 200, alert, context.now())

    return routes


def _left(body: bytes) -> str:
    """The name that somebody without a log-in left, marked as such: nobody has proved it."""
    name = bounded(form_fields(body).get("name", ""), LONGEST_NAME)
    return f"{name} ({BY_LINK})" if name else BY_LINK
