"""One `text/event-stream` answer: writes what the hub offers until the reader goes, stalls or has had its time."""

import asyncio
import random
import socket
from typing import cast

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.push import GONE, Client, Hub

# A stalled reader shows only when every buffer is full, so ours are small: a few documents' worth, not megabytes.
SEND_BUFFER_BYTES = 16 * 1024
# A slow reader must be able to take so much within the send timeout; a snapshot of all stations is many pieces.
PIECE_BYTES = 64 * 1024
SILENT_PEER_MS = 20_000  # a peer that has vanished from the network, heartbeats unanswered
RETRY_MS = (1000, 4000)
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


class EventStream(Response):
    """The answer for a client that the hub has let in. It leaves the hub by itself."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, client: Client) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._hub, self._client = hub, client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        loop, client = asyncio.get_running_loop(), self._client
        writing = loop.create_task(self._write(send), name="stream")
        transport = cast("asyncio.Transport | None", scope.get("state", {}).get("transport"))
        if transport is not None:
            _keep_buffers_small(transport)

        def abort() -> None:
            writing.cancel()
            if transport is not None:
                transport.abort()  # close() would wait for the stalled reader

        client.abort = abort
        reading = loop.create_task(_until_gone(receive), name="stream reader")
        try:
            await asyncio.wait((writing, reading), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._hub.leave(client)
            reading.cancel()
            writing.cancel()
            await asyncio.wait((writing, reading))
        if not writing.cancelled():
            writing.result()

    async def _write(self, send: Send) -> None:
        client, hub, clock = self._client, self._hub, asyncio.get_running_loop().time
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        body = b"retry: %d\n\n" % random.randint(*RETRY_MS)  # noqa: S311  spreads load, guards nothing
        while not hub.closed and clock() < client.ends_at:
            body += client.take()
            for at in range(0, len(body), PIECE_BYTES):
                client.sending_since = clock()
                await send({"type": "http.response.body", "body": body[at : at + PIECE_BYTES], "more_body": True})
            client.sending_since = None
            body = b""
            await client.wake.wait()
        last = client.take() if client.ends_at == GONE else b""
        await send({"type": "http.response.body", "body": last, "more_body": False})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _keep_buffers_small(transport: asyncio.Transport) -> None:
    transport.set_write_buffer_limits(high=0)
    plain = transport.get_extra_info("socket")
    if plain is not None:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENT_PEER_MS)
