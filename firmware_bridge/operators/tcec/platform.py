"""One operator by T/CEC 102: in which stations our connectors are, and how they are."""

from collections.abc import Callable
from typing import Final

import msgspec

from firmware_bridge.operators.book import OperatorWord
from firmware_bridge.operators.bus import OperatorTold, Pushed
from firmware_bridge.operators.listener import PushRequest
from firmware_bridge.operators.tcec.line import TcecLine, TcecParty
from firmware_bridge.operators.tcec.receiver import TcecReceiver
from firmware_bridge.operators.tcec.words import StationInfo, StationsPage, StatusAnswer, number, words_in
from firmware_bridge.operators.web import UNREADABLE, AskError, Web
from gateway.model import Millis

STATIONS_MS: Final = 3_600_000  # so often the stations are looked up, sooner while a connector is missing
MISSING_MS: Final = 600_000
PAGE, PAGES_MOST, AT_ONCE = 100, 2_000, 50
PULL_MS: Final = 300_000


class TcecPlatform:
    """A `Platform`; `connectors` are the ConnectorIDs that concern us."""

    def __init__(self, base: str, us: Callable[[], TcecParty], web: Web, connectors: frozenset[str]) -> None:
        self._line, self._connectors = TcecLine(base, us, web), connectors
        self._receiver = TcecReceiver(us, connectors)
        self._stations: dict[str, frozenset[str]] = {}  # each with those of ours
        self._looked_at: Millis | None = None

    def ask(self, now: Callable[[], Millis]) -> OperatorTold:
        began = now()
        if self._is_due(began):
            self._stations = self._look(now)
            self._looked_at = began
        words: dict[str, OperatorWord] = {}
        as_of, names = now(), list(self._stations)
        for at in range(0, len(names), AT_ONCE):
            told = self._line.ask("query_station_status", {"StationIDs": names[at : at + AT_ONCE]}, StatusAnswer, now)
            words |= self._words(told)
        return OperatorTold(tuple(words.values()), whole=True, as_of=as_of)

    def answer(self, request: PushRequest, now: Millis) -> Pushed:
        return self._receiver.answer(request, now)

    def _is_due(self, now: Millis) -> bool:
        connectors = frozenset[str]().union(*self._stations.values())
        pause = STATIONS_MS if connectors == self._connectors else MISSING_MS
        return self._looked_at is None or not 0 <= now - self._looked_at < pause

    def _words(self, told: StatusAnswer) -> dict[str, OperatorWord]:
        words: dict[str, OperatorWord] = {}
        for raw in told.stations:
            try:
                words |= {word.key: word for word in words_in(raw) if word.key in self._connectors}
            except UNREADABLE:
                continue  # one station that can't be read costs itself
        return words

    def _look(self, now: Callable[[], Millis]) -> dict[str, frozenset[str]]:
        stations: dict[str, frozenset[str]] = {}
        page, pages, began = 1, 1, now()
        while page <= pages:
            if page > PAGES_MOST or now() - began > PULL_MS:
                raise AskError("the operator's list of stations has no end")
            asked = {"LastQueryTime": "", "PageNo": page, "PageSize": PAGE}
            told: StationsPage = self._line.ask("query_stations_info", asked, StationsPage, now)
            for raw in told.stations:
                station, ours = self._ours(raw)
                if ours:
                    stations[station] = ours
            page, pages = page + 1, number(told.pages) or 1
        return stations

    def _ours(self, raw: msgspec.Raw) -> tuple[str, frozenset[str]]:
        try:
            told = msgspec.json.decode(raw, type=StationInfo)
        except UNREADABLE:
            return "", frozenset()
        return str(told.station), self._connectors.intersection(told.connectors())
