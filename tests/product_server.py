"""A process that has imported the product already and forks it for tests: a start for a twentieth of the work.

    python -m tests.product_server SOCKET

Whoever connects sends one request, JSON with descriptors for stdin, stdout and stderr; he reads the process's number,
and its exit status once it has ended. The server ends with the process that began it, and what it forked with it.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from typing import Any

REQUEST_BYTES = 1 << 17
LOADED = (
    "anyio._backends._asyncio", "api.app", "api.cli", "api.commands.api", "api.commands.bridge", "api.commands.check",
    "api.commands.export", "api.commands.gateway", "api.commands.keys", "api.commands.reload", "api.commands.up",
    "api.processes", "api.product", "api.reload_door", "api.reloading", "api.running", "api.server",
    "api.setup.empty_house", "api.signals", "api.start_book", "api.tls", "config.load", "firmware_bridge.configured",
    "firmware_bridge.runtime", "firmware_bridge.spool_file", "gateway.dialects.esphome", "gateway.dialects.shelly",
    "gateway.dialects.tasmota", "gateway.runtime.gateway", "pydantic.v1", "tests.e2e.pages.stand_in",
    "uvicorn.lifespan.on", "uvicorn.loops.auto", "uvicorn.protocols.http.httptools_impl",
)  # fmt: skip
"""What most processes of the product import. What is not here is imported by whoever needs it, as always."""


def next_request(listener: socket.socket) -> dict[str, Any] | None:
    """In a child, what it shall run. In the server, None when it is needed no more."""
    children: dict[int, tuple[int, socket.socket]] = {}  # by the descriptor that tells of its end
    asked, no_more = listener.fileno(), sys.stdin.fileno()
    while True:
        ready, _, _ = select.select([asked, no_more, *children], [], [])
        if no_more in ready:
            for number, _ in children.values():  # a run that was broken off left them
                os.kill(number, signal.SIGKILL)
            return None
        for ended in children.keys() & ready:
            _tell_end(*children.pop(ended))
            os.close(ended)
        if asked in ready:
            asker, _ = listener.accept()
            text, standard, _, _ = socket.recv_fds(asker, REQUEST_BYTES, 3)
            number = os.fork()
            if number == 0:
                return {**json.loads(text), "standard": standard}
            for descriptor in standard:
                os.close(descriptor)
            children[os.pidfd_open(number)] = (number, asker)
            asker.send(b"%d" % number)


def _tell_end(number: int, asker: socket.socket) -> None:
    _, status = os.waitpid(number, 0)
    with asker, contextlib.suppress(OSError):  # who asked may have gone
        asker.send(b"%d" % os.waitstatus_to_exitcode(status))


def become(request: dict[str, Any]) -> None:
    """Leave nothing in this process that a fresh one wouldn't have."""
    if request["session"]:
        os.setsid()
    for number, descriptor in enumerate(request["standard"]):
        os.dup2(descriptor, number)
    os.closerange(3, 1 << 20)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    sys.argv[:] = ["yizhan", *request["words"]]


def main() -> None:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(sys.argv[1])
    listener.listen(64)
    for name in LOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # what a child never changes is never copied for it
    request = next_request(listener)
    if request is not None:
        listener.detach()
        become(request)
        module = importlib.import_module(request["module"])
        sys.exit(module.program() if hasattr(module, "program") else module.main())


if __name__ == "__main__":
    main()
