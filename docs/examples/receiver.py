"""A server that takes webhooks of yizhan: python receiver.py PORT SECRET. It needs nothing but Python.

It verifies the signature, refuses old messages, does nothing twice, answers at once, and prints what is free.
"""

import base64
import hashlib
import hmac
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MINUTES_OLD = 5
SEEN_MOST = 10_000
seen: dict[str, None] = {}


def verified(secret: str, headers: dict[str, str], body: bytes, now_s: float) -> bool:
    """Whether yizhan sent this body a few minutes ago at most. `headers` by lower-case name."""
    message, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not stamp.isdecimal() or abs(now_s - int(stamp)) > MINUTES_OLD * 60:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    right = hmac.digest(key, f"{message}.{stamp}.".encode() + body, hashlib.sha256)
    offered = [text[3:] for text in headers.get("webhook-signature", "").split() if text.startswith("v1,")]
    return any(hmac.compare_digest(base64.b64encode(right).decode(), each) for each in offered)


def told(event: dict) -> str:
    """One line for people."""
    if event["type"] == "alert":
        return f"{event['data']['station']}: {event['data']['kind']} {event['data']['action']}"
    counts = (
        f"{row['kind']} {row['usable_min']}-{row['usable_max']}/{row['total']}" for row in event["data"]["summary"]
    )
    return f"{event['data']['station']}: {', '.join(counts)} until {event['data']['valid_until']}"


class Receiver(BaseHTTPRequestHandler):
    secret = ""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        good = verified(self.secret, headers, body, time.time())
        self.send_response(204 if good else 401)
        self.end_headers()
        if not good or headers["webhook-id"] in seen:
            return
        seen[headers["webhook-id"]] = None
        if len(seen) > SEEN_MOST:
            del seen[next(iter(seen))]
        print(told(json.loads(body)), flush=True)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    Receiver.secret = sys.argv[2]
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
