"""One question by T/CEC 102: sealed and signed, with a token that is renewed before it ends or when it is refused."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from firmware_bridge.operators.tcec.envelope import BAD_TOKEN, EnvelopeError, TcecKeys, stamp_of
from firmware_bridge.operators.tcec.words import TokenAnswer, number
from firmware_bridge.operators.web import UNREADABLE, AskError, Web
from gateway.model import Millis

JSON: Final = {"Content-Type": "application/json; charset=utf-8"}
USUAL_S, LONGEST_S = 3_600, 7 * 86_400
EARLY: Final = 0.9  # of a token's life, then it is renewed
REASONS: Final = {1: "it does not know operator_id", 2: "operator_secret_file is wrong"}


@dataclass(frozen=True, slots=True)
class TcecParty:
    """Who we are to an operator, and the keys that we share with him."""

    operator_id: str
    operator_secret: str = field(repr=False)
    keys: TcecKeys


class TcecLine:
    """AskError from all of it."""

    def __init__(self, base: str, us: Callable[[], TcecParty], web: Web) -> None:
        self._base, self._us, self._web = base.rstrip("/"), us, web
        self._token: str | None = None
        self._until: Millis = 0
        self._stamp, self._seq = "", 0

    def ask(self, name: str, told: Any, form: Any, now: Callable[[], Millis]) -> Any:
        """The Data of the answer, decoded to `form`."""
        fresh = self._token is None or now() >= self._until
        if fresh:
            self._renew(now)
        try:
            return self._asked(name, told, form, now())
        except AskError as error:
            if fresh or error.status not in (BAD_TOKEN, 401):
                raise
        self._renew(now)
        return self._asked(name, told, form, now())

    def _renew(self, now: Callable[[], Millis]) -> None:
        us = self._us()
        self._token = None
        asked = {"OperatorID": us.operator_id, "OperatorSecret": us.operator_secret}
        told: TokenAnswer = self._asked("query_token", asked, TokenAnswer, now())
        if number(told.state) != 0 or not told.token or len(told.token) > 4_096 or not told.token.isascii():
            why = REASONS.get(number(told.reason) or 0, "no reason that the standard has")
            raise AskError(f"{self._web.host} gives no token: {why}")
        lasts_s = number(told.lasts_s) or USUAL_S
        self._token = told.token
        self._until = now() + round(1000 * EARLY * min(lasts_s, LONGEST_S))

    def _asked(self, name: str, told: Any, form: Any, now: Millis) -> Any:
        us = self._us()
        headers = JSON if self._token is None else JSON | {"Authorization": f"Bearer {self._token}"}
        body = us.keys.question(us.operator_id, told, *self._next(now))
        answer = self._web.ask("POST", f"{self._base}/{name}", headers, body)
        try:
            return msgspec.json.decode(us.keys.answered(answer.body), type=form)
        except EnvelopeError as error:
            raise AskError(f"{self._web.host}: {name}: {error}", error.ret) from None
        except UNREADABLE:
            raise AskError(f"{self._web.host}: {name}: its Data is not what the standard has") from None

    def _next(self, now: Millis) -> tuple[str, str]:
        """TimeStamp and Seq, which counts within a second."""
        stamp = stamp_of(now)
        self._seq = self._seq % 9_999 + 1 if stamp == self._stamp else 1
        self._stamp = stamp
        return stamp, f"{self._seq:04d}"
