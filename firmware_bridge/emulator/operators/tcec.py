"""A made-up operator who speaks T/CEC 102: strict about signatures and tokens, with pages, and push."""

import json
import secrets
import threading
from collections.abc import Callable
from ssl import SSLContext
from typing import Any

import msgspec

from firmware_bridge.emulator.operators.web import WebQuestion, WebReply, WebServer, called
from firmware_bridge.emulator.operators.world import OperatedPlugs
from firmware_bridge.operators.tcec.envelope import BAD_DATA, BAD_TOKEN, WELL, EnvelopeError, stamp_of
from firmware_bridge.operators.tcec.line import TcecParty
from gateway.model import Millis

CODES = {
    "Available": 1, "Preparing": 2, "Charging": 3, "SuspendedEV": 2, "Finishing": 2, "Unavailable": 255, "Reserved": 4,
    "Faulted": 255, "Offline": 0,
}  # fmt: skip
STATIONS = 3


class VirtualTcecOperator:
    """`party` is who asks, with the keys that both have. `plugs` are its connectors, over three stations.

    `trusts`: how it verifies a partner's TLS; None for plain HTTP partners.
    """

    def __init__(
        self, plugs: OperatedPlugs, now: Callable[[], Millis], party: TcecParty, *, page: int = 1, port: int = 0,
        tls: SSLContext | None = None, trusts: SSLContext | None = None, operator_id: str = "MA5OPERAT",
    ) -> None:  # fmt: skip
        self.plugs, self._now, self.party, self.page, self.trusts = plugs, now, party, page, trusts
        self.operator_id = operator_id
        self.web = WebServer(self._answer, port, tls)
        self.token: str | None = None
        self.lasts_s = 7_200
        self.given = 0
        """Tokens so far."""
        self.asked: list[str] = []
        self.parks: dict[str, int] = {}
        self.removed: set[str] = set()
        self._theirs: str | None = None
        self._lock = threading.Lock()

    @property
    def base(self) -> str:
        return f"{self.web.url}/evcs/v1"

    def start(self) -> None:
        self.web.start()

    def end(self) -> None:
        self.web.end()

    # ---- what he is asked ----

    def _answer(self, asked: WebQuestion) -> WebReply:
        with self._lock:
            name = asked.target.removeprefix("/evcs/v1/")
            self.asked.append(name)
            try:
                body = self._told(name, asked)
            except EnvelopeError as error:
                body = self.party.keys.answer(error.ret, str(error))
            return WebReply(200, body, {"Content-Type": "application/json; charset=utf-8"})

    def _told(self, name: str, asked: WebQuestion) -> bytes:
        keys = self.party.keys
        envelope, data = keys.asked(asked.body)
        told = json.loads(data)
        if name == "query_token":
            return keys.answer(WELL, "请求成功", self._token_for(told))
        if self.token is None or asked.headers.get("authorization") != f"Bearer {self.token}":
            raise EnvelopeError(BAD_TOKEN, "Token错误")
        if envelope.operator_id != self.party.operator_id:
            raise EnvelopeError(BAD_DATA, "OperatorID")
        if name == "query_stations_info":
            return keys.answer(WELL, "", self._stations(told["PageNo"]))
        if name == "query_station_status":
            stations = [{"StationID": name, "ConnectorStatusInfos": self._of(name)} for name in told["StationIDs"]]
            return keys.answer(WELL, "", {"Total": len(stations), "StationStatusInfos": stations})
        raise EnvelopeError(BAD_DATA, "no such interface")

    def _token_for(self, told: dict[str, str]) -> dict[str, Any]:
        right = told == {"OperatorID": self.party.operator_id, "OperatorSecret": self.party.operator_secret}
        self.token = secrets.token_hex(16) if right else None
        self.given += right
        return {
            "OperatorID": self.party.operator_id, "SuccStat": 0 if right else 1, "AccessToken": self.token or "",
            "TokenAvailableTime": self.lasts_s, "FailReason": 0 if right else 2,
        }  # fmt: skip

    def _names(self, station: str) -> list[str]:
        number = int(station.removeprefix("S"))
        here = [name for at, name in enumerate(self.plugs.names) if at % STATIONS == number]
        return [name for name in here if name not in self.removed]

    def _stations(self, page: int) -> dict[str, Any]:
        stations = [
            {
                "StationID": f"S{number}", "OperatorID": self.operator_id, "StationName": f"充电站 {number}",
                "StationLng": 113.94, "StationLat": 22.541,
                "EquipmentInfos": [
                    {"EquipmentID": f"P{name}", "ConnectorInfos": [{"ConnectorID": name, "ConnectorType": 3}]}
                    for name in self._names(f"S{number}")
                ],
            }
            for number in range(STATIONS)
        ]  # fmt: skip
        pages = -(-STATIONS // self.page)
        shown = stations[(page - 1) * self.page : page * self.page]
        return {"PageNo": page, "PageCount": pages, "ItemSize": STATIONS, "StationInfos": shown}

    def _of(self, station: str) -> list[dict[str, Any]]:
        return [self.connector(name) for name in self._names(station)]

    def connector(self, name: str) -> dict[str, Any]:
        status = self.plugs.status(name)
        code = int(status) if status.isdigit() else CODES[status]
        return {"ConnectorID": name, "Status": code, "ParkStatus": self.parks.get(name, 0), "LockStatus": 0}

    # ---- what he tells by himself ----

    def push(self, to: str, told: Any, *, at: Millis | None = None, name: str = "notification_stationStatus") -> Any:
        """(Ret, Data) of the partner's answer; a token is asked for first."""
        if self._theirs is None and name != "query_token":
            asked = {"OperatorID": self.operator_id, "OperatorSecret": self.party.operator_secret}
            self._theirs = self.push(to, asked, name="query_token")[1]["AccessToken"]
        stamp = stamp_of(self._now() if at is None else at)
        body = self.party.keys.question(self.operator_id, told, stamp, "0001")
        answer = msgspec.json.decode(self.call(f"{to}/{name}", body)[1])
        data = self.party.keys.opened(answer["Data"]) if answer.get("Data") else b"null"
        return answer["Ret"], json.loads(data)

    def call(self, url: str, body: bytes, token: str | None = None) -> tuple[int, bytes]:
        """HTTP status and body of what the partner says."""
        headers = {"Authorization": f"Bearer {token if token is not None else self._theirs}"}
        return called("POST", url, headers, body, self.trusts)
