"""What stands before FastAPI: the hot routes from prepared bytes, and the rules that hold for every answer.

One station, who is near, and the whole list are nearly all of the traffic of an app; through FastAPI they cost three
times as much.
"""

from collections.abc import Iterable
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth import COOKIE
from api.conditional import matches
from api.live_view import Entry, LiveView
from api.pages import HEADERS
from api.pages.preferences import choice
from api.problem import OURS, Problem, told_path
from api.quick_lists import PreparedList, QuickLists
from gateway.base.mishaps import Mishaps

LIST = "/api/v1/stations"
HOT = LIST + "/"
BODY_MAX = 64 * 1024
PHOTO_MAX = 320 * 1024
"""The most that a photo's body may hold; one that is a little too large is refused by its route."""
CORS = [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", b"etag, retry-after")]
PREFLIGHT = [
    (b"access-control-allow-methods", b"GET, HEAD"),
    (b"access-control-allow-headers", b"if-none-match, last-event-id, cache-control"),
    (b"access-control-max-age", b"86400"),
]
SECURITY = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name != "cache-control"]
STRICT_TRANSPORT = [(b"strict-transport-security", b"max-age=31536000")]
NO_STORE = (b"cache-control", b"no-store")
BEGUN = "yizhan.begun"  # set in the scope once an answer has begun
SESSION = COOKIE.encode() + b"="
ALWAYS, ALWAYS_TLS = CORS + SECURITY, CORS + SECURITY + STRICT_TRANSPORT


class Front:
    """The outermost ASGI application."""

    def __init__(self, app: ASGIApp, view: LiveView, mishaps: Mishaps, lists: QuickLists | None = None) -> None:
        self._app, self._view, self._mishaps, self._lists = app, view, mishaps, lists

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What is raised before an answer has begun becomes one; later only the line can be cut."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._answer(scope, receive, send)
        except Exception as error:
            if BEGUN in scope:
                raise
            self._mishaps.note(f"{scope['method']} {told_path(scope['path'])}", error)
            await Problem(500, OURS)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        if path.startswith(HOT) and method in ("GET", "HEAD"):
            entry = self._view.get(path[len(HOT) :])
            if entry is not None:
                await self._hot(entry, scope, send)
                return
        if path == LIST and method == "GET" and self._lists is not None:
            answer = self._lists.answer(scope["query_string"])
            if answer is not None:
                await self._listed(answer, scope, send)
                return
        if path.endswith("/") and path != "/" and not path.startswith("/api/") and method in ("GET", "HEAD"):
            await _without_slash(path, scope, send)
            return
        if b"=" in scope["query_string"] and method == "GET" and not path.startswith("/api/"):
            chosen = choice(path, scope["query_string"].decode("latin-1"), scope["scheme"] == "https")
            if chosen is not None:
                await send({"type": "http.response.start", "status": 303, "headers": [*chosen, *SECURITY]})
                await send({"type": "http.response.body", "body": b""})
                return
        await self._guarded(path, method, scope, receive, send)

    async def _hot(self, entry: Entry, scope: Scope, send: Send) -> None:
        headers = entry.headers_at(self._view.now()) + (ALWAYS if scope["scheme"] == "http" else ALWAYS_TLS)
        asked = _header(scope, b"if-none-match")
        if asked is not None and matches(asked.decode("latin-1"), entry.etag.decode()):
            headers = [header for header in headers if header[0] not in (b"content-length", b"content-type")]
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        body = entry.body if scope["method"] == "GET" else b""
        scope[BEGUN] = True
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _listed(self, answer: PreparedList, scope: Scope, send: Send) -> None:
        asked = _header(scope, b"if-none-match")
        accepted = _header(scope, b"accept-encoding") or b""
        status, headers, body = answer.sent(None if asked is None else asked.decode("latin-1"), accepted)
        headers += ALWAYS if scope["scheme"] == "http" else ALWAYS_TLS
        scope[BEGUN] = True
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _guarded(self, path: str, method: str, scope: Scope, receive: Receive, send: Send) -> None:
        public = path.startswith(("/api/v1/", "/feeds/")) and method in ("GET", "HEAD", "OPTIONS")
        extra = [*SECURITY, *(CORS if public else ()), *(STRICT_TRANSPORT if scope["scheme"] == "https" else ())]
        send = _with_headers(send, extra, scope, private=path.startswith("/api/") and _keyed(scope))
        if public and method == "OPTIONS":
            await send({"type": "http.response.start", "status": 204, "headers": PREFLIGHT})
            await send({"type": "http.response.body", "body": b""})
            return
        if method == "HEAD" and path != "/api/v1/stream":
            # The server drops the body itself; the original scope still says HEAD.
            scope = {**scope, "method": "GET"}
        most = PHOTO_MAX if method == "PUT" and path.endswith("/photo") else BODY_MAX
        await self._app(scope, _bounded(receive, most), send)


async def _without_slash(path: str, scope: Scope, send: Send) -> None:
    """`/screen/yanshan/`, as people type it, leads to the page. One slash in front: two would be another host."""
    target = (
        "/" + quote(path.strip("/")) + ("?" + scope["query_string"].decode("latin-1")) * bool(scope["query_string"])
    )
    headers = [(b"location", target.encode("latin-1")), (b"content-length", b"0"), *SECURITY]
    await send({"type": "http.response.start", "status": 308, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _header(scope: Scope, wanted: bytes) -> bytes | None:
    return next((value for name, value in scope["headers"] if name == wanted), None)


def _bounded(receive: Receive, most: int) -> Receive:
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most:
            raise HTTPException(413, f"a request body has at most {most} bytes")
        return message

    return bounded


def _keyed(scope: Scope) -> bool:
    """Whether the request shows a key or a session, good or not."""
    return any(name == b"authorization" or (name == b"cookie" and SESSION in value) for name, value in scope["headers"])


def _with_headers(send: Send, extra: Iterable[tuple[bytes, bytes]], scope: Scope, *, private: bool) -> Send:
    """Add each header that the answer has not set itself. A `private` answer is kept by nobody, unless it is public."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = list(message.get("headers", ()))
            if private and not any(name == b"cache-control" and b"public" in value for name, value in own):
                own = [header for header in own if header[0] != b"cache-control"] + [NO_STORE]
            names = {name for name, _ in own}
            message = {**message, "headers": own + [header for header in extra if header[0] not in names]}
            scope[BEGUN] = True
        await send(message)

    return sending
