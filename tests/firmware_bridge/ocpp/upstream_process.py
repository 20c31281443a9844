"""The operator's central system as a process that can be killed: what it has heard and answered stands in its file.

    python -m tests.firmware_bridge.ocpp.upstream_process PORT FILE

It knows a message that is repeated under its id, as an operator should. Each line of FILE is one arrival: pile, message
id, action, payload, and whether it came for the first time. A number is that of the start's line.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

FIRST = 900


class Arrivals:
    def __init__(self, path: Path) -> None:
        self._numbers: dict[str, int] = {}
        self._seen: set[str] = set()
        if path.exists():
            for line in path.read_text().splitlines(keepends=True):
                if line.endswith("\n"):
                    self._note(json.loads(line))
            whole = path.read_bytes()
            os.truncate(path, whole.rfind(b"\n") + 1)  # a line that the kill cut
        self._file = path.open("a")

    def _note(self, arrival: dict[str, Any]) -> None:
        self._seen.add(arrival["id"])
        if arrival["action"] == "StartTransaction":
            self._numbers.setdefault(arrival["id"], FIRST + len(self._numbers))

    def take(self, pile: str, message: str, action: str, payload: Any) -> dict[str, Any]:
        """The answer, when the arrival is written."""
        arrival = {
            "pile": pile,
            "id": message,
            "action": action,
            "payload": payload,
            "fresh": message not in self._seen,
        }
        self._file.write(json.dumps(arrival) + "\n")
        self._file.flush()
        self._note(arrival)
        if action == "StartTransaction":
            return {"transactionId": self._numbers[message], "idTagInfo": {"status": "Accepted"}}
        return {"idTagInfo": {"status": "Accepted"}} if action == "Authorize" else {}


async def main(port: int, path: Path) -> None:
    arrivals = Arrivals(path)

    async def talk(line: ServerConnection) -> None:
        assert line.request is not None
        pile = line.request.path.rpartition("/")[2]
        try:
            async for raw in line:
                kind, message, *rest = json.loads(raw)
                if kind == 2:
                    await line.send(json.dumps([3, message, arrivals.take(pile, message, *rest)]))
        except ConnectionClosed:
            pass

    async with serve(talk, "127.0.0.1", port, subprotocols=["ocpp1.6"], compression=None):  # type: ignore[list-item]
        await asyncio.Future()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
