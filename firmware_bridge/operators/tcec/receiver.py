"""What an operator says to us by T/CEC 102: he gets a token, and tells the status of a connector."""

import hmac
import secrets
from collections.abc import Callable
from typing import Any, Final

import msgspec

from firmware_bridge.operators.bus import OperatorTold, Pushed
from firmware_bridge.operators.listener import PushAnswer, PushRequest
from firmware_bridge.operators.tcec.envelope import (
    BAD_DATA,
    BAD_ENVELOPE,
    BAD_TOKEN,
    FAILED,
    WELL,
    EnvelopeError,
    time_in,
)
from firmware_bridge.operators.tcec.line import TcecParty
from firmware_bridge.operators.tcec.words import TokenAsked, pushed_in
from firmware_bridge.operators.web import UNREADABLE, AskError
from gateway.model import Millis

TOKEN_MS: Final = 7_200_000
TOKENS_MOST: Final = 16
LATE_MS: Final = 120_000  # what he told longer ago says nothing of now: he is asked instead
TAKEN, NOT_TAKEN = {"Status": 0}, {"Status": 1}


class TcecReceiver:
    """`answer` is called on one thread. What is not signed with our common secret is refused before it is read."""

    def __init__(self, us: Callable[[], TcecParty], connectors: frozenset[str]) -> None:
        self._us, self._connectors = us, connectors
        self._tokens: dict[str, Millis] = {}

    def answer(self, request: PushRequest, now: Millis) -> Pushed:
        if request.method != "POST" or len(request.path) != 1:
            nothing = PushAnswer(404, b"{}")
            return Pushed(nothing, nothing)
        try:
            us = self._us()
        except AskError:
            unable = PushAnswer(500, b"{}")
            return Pushed(unable, unable)
        try:
            return self._judged(us, request, now)
        except EnvelopeError as error:
            refused = PushAnswer(200, us.keys.answer(error.ret, str(error)))
            return Pushed(refused, refused)

    def _judged(self, us: TcecParty, request: PushRequest, now: Millis) -> Pushed:
        (name,) = request.path
        envelope, data = us.keys.asked(request.body)
        if name == "query_token":
            return _said(us, self._token_for(us, data, now))
        if not self._knows(request.authorization, now):
            raise EnvelopeError(BAD_TOKEN, "the token is unknown or has ended: query_token")
        if name == "notification_stationInfo":
            return _said(us, TAKEN)
        if name != "notification_stationStatus":
            raise EnvelopeError(BAD_DATA, "no such interface here")
        try:
            words = pushed_in(data)
        except UNREADABLE:
            raise EnvelopeError(BAD_DATA, "ConnectorStatusInfo with ConnectorID and Status is needed") from None
        at = time_in(envelope.time_stamp)
        if at is None:
            raise EnvelopeError(BAD_ENVELOPE, "TimeStamp is no yyyyMMddHHmmss")
        ours = tuple(word for word in words if word.key in self._connectors)
        late = abs(now - at) > LATE_MS
        told = OperatorTold(() if late else ours, as_of=now, hurry=bool(late and ours))
        return Pushed(_said(us, TAKEN).answer, PushAnswer(200, us.keys.answer(FAILED, "not kept", NOT_TAKEN)), told)

    def _token_for(self, us: TcecParty, data: bytes, now: Millis) -> dict[str, Any]:
        try:
            asked = msgspec.json.decode(data, type=TokenAsked)
        except UNREADABLE:
            raise EnvelopeError(BAD_DATA, "OperatorID and OperatorSecret are needed") from None
        if not hmac.compare_digest(asked.secret.encode("utf-8", "replace"), us.operator_secret.encode()):
            return {
                "OperatorID": us.operator_id, "SuccStat": 1, "AccessToken": "", "TokenAvailableTime": 0,
                "FailReason": 2,
            }  # fmt: skip
        self._tokens = {token: until for token, until in self._tokens.items() if now < until}
        for oldest in sorted(self._tokens, key=self._tokens.__getitem__)[: len(self._tokens) - TOKENS_MOST + 1]:
            del self._tokens[oldest]
        token = secrets.token_urlsafe(32)
        self._tokens[token] = now + TOKEN_MS
        return {
            "OperatorID": us.operator_id, "SuccStat": 0, "AccessToken": token,
            "TokenAvailableTime": TOKEN_MS // 1000, "FailReason": 0,
        }  # fmt: skip

    def _knows(self, header: str | None, now: Millis) -> bool:
        scheme, _, token = (header or "").partition(" ")
        return scheme.lower() == "bearer" and now < self._tokens.get(token.strip(), 0)


def _said(us: TcecParty, told: dict[str, Any]) -> Pushed:
    answer = PushAnswer(200, us.keys.answer(WELL, "", told))
    return Pushed(answer, answer)
