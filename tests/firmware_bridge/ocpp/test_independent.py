"""Charge points that others wrote (the package `ocpp`, with its validation) against our central system."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from ocpp import v16, v201
from ocpp.routing import on
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v201 import call as call201
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from firmware_bridge.calls import CallAnswer, Ordered
from tests.firmware_bridge.ocpp.rig import SpoolSink, central
from tests.patience import until

AT = "2026-11-21T00:00:02Z"


class Pile16(v16.ChargePoint):  # type: ignore[misc]  # the package has no types
    @on("Reset")
    def reset(self, type: str) -> Any:  # noqa: A002  as the package calls it
        return result16.Reset(status="Accepted" if type == "Soft" else "Rejected")


async def ended(running: "asyncio.Task[Any]") -> None:
    with pytest.raises(ConnectionClosed):
        await running


async def life_of_16(address: str, sink: SpoolSink) -> list[CallAnswer]:
    answers: list[CallAnswer] = []
    async with connect(f"{address}/CP001", subprotocols=["ocpp1.6"]) as line:  # type: ignore[list-item]
        pile = Pile16("CP001", line)
        running = asyncio.create_task(pile.start())
        boot = await pile.call(call16.BootNotification(charge_point_model="M", charge_point_vendor="V"))
        assert boot.status == "Accepted"
        await pile.call(call16.StatusNotification(connector_id=1, error_code="NoError", status="Preparing"))
        assert (await pile.call(call16.Authorize(id_tag="04A1B2C3"))).id_tag_info["status"] == "Accepted"
        begun = await pile.call(
            call16.StartTransaction(connector_id=1, id_tag="04A1B2C3", meter_start=100, timestamp=AT)
        )
        values = [{"timestamp": AT, "sampled_value": [{"value": "0.4", "unit": "kWh"}]}]
        await pile.call(call16.MeterValues(connector_id=1, meter_value=values, transaction_id=begun.transaction_id))
        await pile.call(call16.StopTransaction(meter_stop=900, timestamp=AT, transaction_id=begun.transaction_id))
        await pile.call(call16.SecurityEventNotification(type="StartupOfTheDevice", timestamp=AT, tech_info=""))
        await pile.call(call16.FirmwareStatusNotification(status="Installed"))
        (caller,) = sink.desk._callers
        caller.carry_out(Ordered(do="reset", device="pile-1"), answers.append)
        await asyncio.to_thread(until, lambda: answers, "the answer")
        await line.close()
        await ended(running)
    return answers


async def life_of_201(address: str) -> None:
    async with connect(f"{address}/CP001", subprotocols=["ocpp2.0.1"]) as line:  # type: ignore[list-item]
        pile = v201.ChargePoint("CP001", line)
        running = asyncio.create_task(pile.start())
        boot = await pile.call(
            call201.BootNotification(charging_station={"model": "M", "vendor_name": "V"}, reason="PowerUp")
        )
        assert boot.status == "Accepted"

        def event(kind: str, number: int, state: str, wh: float) -> Any:
            return call201.TransactionEvent(
                event_type=kind, timestamp=AT, trigger_reason="ChargingStateChanged", seq_no=number,
                transaction_info={"transaction_id": "tx-1", "charging_state": state},
                evse={"id": 1, "connector_id": 1} if number == 0 else None,
                id_token={"id_token": "04A1B2C3", "type": "ISO14443"} if number == 0 else None,
                meter_value=[{"timestamp": AT, "sampled_value": [{"value": wh}]}],
            )  # fmt: skip

        await pile.call(
            call201.StatusNotification(timestamp=AT, connector_status="Occupied", evse_id=1, connector_id=1)
        )
        assert (await pile.call(event("Started", 0, "Charging", 100.0))).id_token_info["status"] == "Accepted"
        await pile.call(event("Updated", 1, "SuspendedEV", 850.0))
        for _ in range(2):  # the second is a repeat
            await pile.call(event("Ended", 2, "Idle", 900.0))
        await line.close()
        await ended(running)


def test_a_charge_point_of_1_6_lives_a_whole_charge(tmp_path: Path) -> None:
    with central(tmp_path) as (bus, sink, address):
        answers = asyncio.run(life_of_16(address, sink))
        assert answers == [{"result": {"status": "Accepted"}}]
        assert [told["energy_wh"] for told in sink.transactions("pile-1")] == [800]
        assert bus.mishaps.count == 0


def test_a_station_of_2_0_1_lives_a_whole_charge(tmp_path: Path) -> None:
    with central(tmp_path) as (bus, sink, address):
        asyncio.run(life_of_201(address))
        (told,) = sink.transactions("pile-1")
        assert (told["energy_wh"], told["meter_start"], len(str(told["card"]))) == (800, 100, 32)
        assert {reading.signals["status"] for reading in sink.held("pile-1") if "status" in reading.signals} >= {
            "Occupied", "Charging", "SuspendedEV",
        }  # fmt: skip
        assert bus.mishaps.count == 0
