"""uvicorn as we need it: a socket that was bound before anything else started, and a stop that does not wait."""

import asyncio
import contextlib
import errno
import resource
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from config.schema import Settings

if TYPE_CHECKING:
    from api.app import App

GRACE_S = 2
BACKLOG = 2048


class CannotListenError(OSError):
    """The address is not to be had; the text is one line for the operator."""


def bind(host: str, port: int, key: str = "api.listen") -> socket.socket:
    """A listening socket; port 0 takes a free one, as `getsockname()` tells. CannotListenError names the mend."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # with proto 0, asyncio leaves Nagle on
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        why = {
            errno.EADDRINUSE: "is in use; stop what listens there, or set another port",
            errno.EACCES: "is not allowed; take a port above 1023",
            errno.EADDRNOTAVAIL: "is not an address of this machine; take 127.0.0.1 or 0.0.0.0",
        }.get(error.errno or 0, f"cannot be used ({error.strerror or error})")
        raise CannotListenError(f"{key}: {host}:{port} {why}") from None
    return sock


def serve(app: "App", sock: socket.socket, stop: threading.Event, *, trusted_proxies: str) -> None:
    """Serve until `stop` is set; SIGTERM and SIGINT set it. Returns within about 3 s, with streams open too."""
    _allow_many_files()
    config = uvicorn.Config(
        app,
        http=_Connection,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        proxy_headers=True,
        forwarded_allow_ips=trusted_proxies,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=30,
    )
    _Server(config, app, stop).run(sockets=[sock])


def trusted(settings: Settings) -> str:
    """The proxies whose X-Forwarded-For is believed, as uvicorn wants them; this machine's when none is configured."""
    return ",".join(map(str, settings.api.trusted_proxies)) or "127.0.0.1,::1"


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, app: "App", stop: threading.Event) -> None:
        super().__init__(config)
        self._our_app, self._stop = app, stop

    async def on_tick(self, counter: int) -> bool:
        return self._stop.is_set() or await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._our_app.close()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn would raise the signal again after a clean stop, and the process would end as killed."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {one: signal.signal(one, lambda *_: self._stop.set()) for one in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)


class _Connection(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """Puts the transport into the request's state: only it can drop a reader that takes nothing."""

    app_state: Mapping[str, Any]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


def _allow_many_files() -> None:
    """Each stream is a file; the usual soft limit of 1,024 is there for programs that use select()."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
