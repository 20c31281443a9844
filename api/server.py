"""uvicorn as we need it: a socket that was bound before anything else started, and a stop that does not wait."""

import asyncio
import contextlib
import errno
import logging
import math
import resource
import signal
import socket
import threading
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import uvicorn

from api.connections import Connection, ConnectionBounds, ConnectionDoor, bounds_of_this_process, seldom
from api.tls import LOOK_EVERY_S, ServedCertificate
from config.schema import Settings
from config.schema.base import HostPort

if TYPE_CHECKING:
    from api.app import App

log = logging.getLogger(__name__)

GRACE_S = 2
BACKLOG = 2048
ACCEPTED_AT_ONCE = 16  # before the next look at how many there are
TICKS_A_SECOND = 10  # uvicorn's
OUT_OF_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
OUT_OF_FILES_EVERY_S = 60


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
        raise CannotListenError(f"{key}: {HostPort(host, port)} {why}") from None
    return sock


def address_of(sock: socket.socket) -> str:
    """`host:port` of a listening socket as a web address has it: `[::1]:8080`."""
    host, port = sock.getsockname()[:2]
    return str(HostPort(host, port))


def serve(
    app: "App",
    sock: socket.socket,
    stop: threading.Event,
    *,
    trusted_proxies: str,
    bounds: ConnectionBounds | None = None,
    certificate: ServedCertificate | None = None,
) -> None:
    """Serve until `stop` is set; SIGTERM and SIGINT set it. Returns within about 3 s, with streams open too.

    `bounds` of connections: by default what the limit of open files allows. `certificate`: https, not http.
    """
    _allow_many_files()
    door = ConnectionDoor(bounds or bounds_of_this_process(), trusted_proxies)
    config = uvicorn.Config(
        app,
        http=cast("type[asyncio.Protocol]", partial(Connection, door)),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=ACCEPTED_AT_ONCE,
        proxy_headers=True,
        forwarded_allow_ips=trusted_proxies,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=30,
        ssl_context_factory=None if certificate is None else lambda _config, _default: certificate.context,
    )
    with seldom(logging.getLogger("uvicorn.error")):
        _Server(config, app, stop, door, certificate).run(sockets=[sock])


def trusted(settings: Settings) -> str:
    """The proxies whose X-Forwarded-For is believed, as uvicorn wants them; this machine's when none is configured."""
    return ",".join(map(str, settings.api.trusted_proxies)) or "127.0.0.1,::1"


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        app: "App",
        stop: threading.Event,
        door: ConnectionDoor,
        certificate: ServedCertificate | None = None,
    ) -> None:
        super().__init__(config)
        self._certificate = certificate
        self._our_app, self._stop, self._door = app, stop, door
        self._out_of_files_told_at = -math.inf

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(self._unhandled)
        await super().startup(sockets)
        for sock in sockets or ():
            sock.listen(BACKLOG)  # asyncio takes one number for the queue and for how many it takes at once

    def _unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not (isinstance(error, OSError) and error.errno in OUT_OF_FILES):
            loop.default_exception_handler(context)
        elif loop.time() - self._out_of_files_told_at >= OUT_OF_FILES_EVERY_S:
            self._out_of_files_told_at = loop.time()
            log.error("no connection can be taken: %s; raise the limit of open files (LimitNOFILE)", error.strerror)

    async def on_tick(self, counter: int) -> bool:
        self._our_app.ticks += 1
        if counter % TICKS_A_SECOND == 0:
            self._door.sweep(asyncio.get_running_loop().time())
        if self._certificate is not None and counter % (TICKS_A_SECOND * LOOK_EVERY_S) == 0:
            self._certificate.look()
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
        before = {
            number: signal.signal(number, lambda *_: self._stop.set()) for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _allow_many_files() -> None:
    """Each stream is a file; the usual soft limit of 1,024 is there for programs that use select()."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
