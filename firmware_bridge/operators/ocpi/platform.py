"""One operator by OCPI: asked for his locations, heard when he tells them."""

from collections.abc import Callable

from firmware_bridge.operators.bus import OperatorTold, Pushed
from firmware_bridge.operators.listener import PushRequest
from firmware_bridge.operators.ocpi.handshake import Endpoints, OcpiHandshake, OcpiParty, endpoints_of
from firmware_bridge.operators.ocpi.line import REFUSED, OcpiLine
from firmware_bridge.operators.ocpi.pull import Pull
from firmware_bridge.operators.ocpi.receiver import OcpiReceiver
from firmware_bridge.operators.ocpi.registration import RegistrationFile
from firmware_bridge.operators.web import AskError, Web
from gateway.model import Millis


class OcpiPlatform:
    """A `Platform`; `uids` are the EVSEs that concern us."""

    def __init__(
        self, versions_url: str, us: OcpiParty, web: Web, file: RegistrationFile, uids: frozenset[str]
    ) -> None:
        self._versions_url, self._line = versions_url, OcpiLine(web)
        self._handshake = OcpiHandshake(versions_url, us, self._line, file)
        self._receiver = OcpiReceiver(us, file, uids)
        self._pull = Pull(self._line, uids)
        self._known: tuple[str, Endpoints] | None = None  # the token that they were asked with

    def ask(self, now: Callable[[], Millis]) -> OperatorTold:
        try:
            return self._read(self._handshake.token(now), now)
        except AskError as error:
            self._known = None
            if error.status not in REFUSED:
                raise
            refusal = error
        return self._read(self._handshake.anew(refusal, now), now)

    def answer(self, request: PushRequest, now: Millis) -> Pushed:
        return self._receiver.answer(request, now)

    def _read(self, token: str, now: Callable[[], Millis]) -> OperatorTold:
        if self._known is None or self._known[0] != token:
            self._known = token, endpoints_of(self._line, self._versions_url, token)
        return self._pull.read(self._known[1].locations, token, now)
