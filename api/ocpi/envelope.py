"""What every answer of OCPI is wrapped in: status 1000 is well, 2xxx the asker's mistake, 3xxx ours or his server's."""

from typing import Any, Final

import msgspec
from starlette.responses import Response

from gateway.base.times import rfc3339
from gateway.model import Millis

WELL: Final = 1000
UNUSABLE_BODY: Final = 2001
NOT_THERE: Final = 2003
FAILED: Final = 3000
CLIENT_UNREACHABLE: Final = 3001
VERSION_UNSUPPORTED: Final = 3002
NO_ENDPOINTS: Final = 3003


def wrapped(
    data: object, now: Millis, headers: dict[str, str] | None = None, *, http: int = 200, status: int = WELL,
    message: str = "Success",
) -> Response:  # fmt: skip
    """`data` as an answer; None where there is nothing to say beside `status` and `message`."""
    told: dict[str, Any] = {"status_code": status, "status_message": message, "timestamp": rfc3339(now)}
    if data is not None:
        told["data"] = data
    return Response(
        msgspec.json.encode(told), http, media_type="application/json",
        headers={"cache-control": "no-store"} | (headers or {}),
    )  # fmt: skip
