"""Stations, connectors and their status codes as T/CEC 102.2 and 102.3 have them; what else they say is passed over."""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Raw, Struct

from firmware_bridge.operators.book import UNKNOWN, OperatorWord
from firmware_bridge.operators.web import UNREADABLE

FREE, FAULT, BAY_TAKEN = 1, 255, 50
STATUSES: Final = {
    0: UNKNOWN,  # 离网: off the operator's network
    FREE: "Available",  # 空闲
    2: "Occupied",  # 占用（未充电）
    3: "Charging",  # 占用（充电中）
    4: "Reserved",  # 占用（预约锁定）
    5: "Finishing",  # 充电完成, an addition that some operators make
    FAULT: "Faulted",  # 故障
}


class ConnectorStatus(Struct):
    connector: int | str = msgspec.field(name="ConnectorID")
    status: int | str = msgspec.field(name="Status")
    park: int | str | None = msgspec.field(name="ParkStatus", default=None)


class StationStatus(Struct):
    connectors: list[Raw] = msgspec.field(name="ConnectorStatusInfos")


class StatusAnswer(Struct):
    stations: list[Raw] = msgspec.field(name="StationStatusInfos")


class StatusPush(Struct):
    """The standard has one connector; some send a list."""

    told: Raw = msgspec.field(name="ConnectorStatusInfo")


class _Connector(Struct):
    connector: int | str = msgspec.field(name="ConnectorID")


class _Equipment(Struct):
    connectors: list[_Connector] = msgspec.field(name="ConnectorInfos")


class StationInfo(Struct):
    station: int | str = msgspec.field(name="StationID")
    equipment: list[_Equipment] = msgspec.field(name="EquipmentInfos")

    def connectors(self) -> Iterator[str]:
        for pile in self.equipment:
            for connector in pile.connectors:
                yield str(connector.connector)


class StationsPage(Struct):
    """`PageCount` is how many pages there are."""

    stations: list[Raw] = msgspec.field(name="StationInfos")
    pages: int | str = msgspec.field(name="PageCount", default=1)


class TokenAnswer(Struct):
    state: int | str = msgspec.field(name="SuccStat", default=0)
    token: str | None = msgspec.field(name="AccessToken", default=None)
    lasts_s: int | float | str | None = msgspec.field(name="TokenAvailableTime", default=None)
    reason: int | str | None = msgspec.field(name="FailReason", default=0)


class TokenAsked(Struct):
    operator_id: str = msgspec.field(name="OperatorID")
    secret: str = msgspec.field(name="OperatorSecret")


def number(told: object) -> int | None:
    """None for what is none."""
    if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) <= 9:
        return int(told)
    return int(told) if isinstance(told, int | float) and not isinstance(told, bool) and 0 <= told < 10**12 else None


def word_of(told: ConnectorStatus) -> OperatorWord:
    """A code that the standard does not have is not known here either. A free pile whose bay is taken serves nobody."""
    code = number(told.status)
    status = STATUSES.get(code, UNKNOWN) if code is not None else UNKNOWN
    if code == FREE and number(told.park) == BAY_TAKEN:
        status = "Unavailable"
    return OperatorWord(str(told.connector), status, str(code) if code == FAULT else "")


def words_in(raw: Raw | bytes) -> Iterator[OperatorWord]:
    """The words for one station's connectors; one that can't be read is left out."""
    for connector in msgspec.json.decode(raw, type=StationStatus).connectors:
        try:
            yield word_of(msgspec.json.decode(connector, type=ConnectorStatus))
        except UNREADABLE:
            continue


def pushed_in(data: bytes) -> list[OperatorWord]:
    """Raises one of UNREADABLE."""
    told = msgspec.json.decode(data, type=StatusPush).told
    try:
        return [word_of(msgspec.json.decode(told, type=ConnectorStatus))]
    except msgspec.ValidationError:
        return [word_of(status) for status in msgspec.json.decode(told, type=list[ConnectorStatus])]
