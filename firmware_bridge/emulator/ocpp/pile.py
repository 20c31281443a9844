"""A virtual pile: what it says of what happens at its connectors, and how it answers its central system. No I/O."""

from collections import deque
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, Literal

from firmware_bridge.emulator.ocpp.plugs import Happening, VirtualPlug

METER_S = 10.0  # of the clock, not of the world
VENDOR, MODEL, FIRMWARE = "Yizhan Virtual", "Two Plugs", "2.4.0"

Payload = dict[str, Any]
PileVersion = Literal["1.6", "2.0.1"]


class VirtualPile:
    """`say` is the next thing to say, `heard` takes its answer, `asked` answers the central system.

    `utc` gives the present time as text; `speed` is how much faster the world runs than the clock.
    """

    def __init__(
        self, name: str, connectors: int, utc: Callable[[], str], *, version: PileVersion = "1.6", seed: int = 0,
        speed: float = 1.0,
    ) -> None:  # fmt: skip
        self.name, self.version, self._utc, self._speed = name, version, utc, speed
        rng = Random(f"{seed}/{name}")  # noqa: S311
        self.plugs = [
            VirtualPlug(number, rng, float(rng.randrange(10**6)), next_at=rng.uniform(0, 1_800))
            for number in range(1, connectors + 1)
        ]
        self._queue: deque[tuple[str, Payload, VirtualPlug | None]] = deque()
        self._began: float | None = None
        self._beat_s, self._beat_at, self._meter_at, self._number = 60.0, 0.0, 0.0, 0
        self._seq: dict[int, int] = {}

    # ---- what it says ----

    def dialled(self, now: float) -> None:
        """A connection is there: who it is, and how its connectors are."""
        if self.version == "1.6":
            boot: Payload = {"chargePointVendor": VENDOR, "chargePointModel": MODEL, "firmwareVersion": FIRMWARE}
        else:
            station = {"vendorName": VENDOR, "model": MODEL, "firmwareVersion": FIRMWARE}
            boot = {"reason": "PowerUp", "chargingStation": station}
        self._queue.appendleft(("BootNotification", boot, None))
        self._queue.extend(self._status(plug) for plug in self.plugs)
        self._beat_at, self._meter_at = now + self._beat_s, now + METER_S

    def _world(self, now: float) -> float:
        """The world's time; it began with the first question for it."""
        if self._began is None:
            self._began = now
        return (now - self._began) * self._speed

    def tick(self, now: float) -> None:
        """What has happened by now, of the clock."""
        world = self._world(now)
        for plug in self.plugs:
            self._tell(plug, plug.advance(world))
        if now >= self._meter_at:
            self._meter_at = now + METER_S
            self._queue.extend(self._meter(plug) for plug in self.plugs if plug.charging)
        if now >= self._beat_at:
            self._beat_at = now + self._beat_s
            self._queue.append(("Heartbeat", {}, None))

    def say(self) -> tuple[str, Payload, VirtualPlug | None] | None:
        return self._queue.popleft() if self._queue else None

    def again(self, said: tuple[str, Payload, VirtualPlug | None]) -> None:
        """It was not answered, and is not lost."""
        if said[0] in ("StartTransaction", "StopTransaction", "TransactionEvent"):
            self._queue.appendleft(said)

    def heard(self, action: str, plug: VirtualPlug | None, answer: Payload) -> None:
        if action == "BootNotification":
            self._beat_s = float(answer.get("interval") or self._beat_s)
        if action == "StartTransaction" and plug is not None:
            plug.transaction = answer["transactionId"]
            for said, payload, where in self._queue:  # it may have ended meanwhile
                if said in ("StopTransaction", "MeterValues") and where is plug:
                    payload["transactionId"] = plug.transaction

    # ---- what it is asked ----

    def asked(self, action: str, payload: Payload, now: float) -> Payload | None:
        """The answer; None for an action that it does not know."""
        plug = self._plug_in(payload)
        match action:
            case "Reset" | "ClearCache" | "ChangeConfiguration" | "RemoteStopTransaction" | "RequestStopTransaction":
                return self._obeyed(action, payload, now)
            case "UnlockConnector":
                return {"status": "Unlocked"}
            case "ChangeAvailability":
                return {"status": self._availability(payload, plug, now)}
            case "TriggerMessage":
                self._queue.extend(self._status(other) for other in self.plugs if plug in (None, other))
                return {"status": "Accepted"}
            case "RemoteStartTransaction" | "RequestStartTransaction":
                free = next((other for other in self.plugs if other.status in ("Available", "Preparing")), None)
                chosen = plug if plug is not None and plug.status in ("Available", "Preparing") else free
                if chosen is None:
                    return {"status": "Rejected"}
                self._tell(chosen, chosen.start(self._world(now)))
                return {"status": "Accepted"}
            case "SetVariables":
                return {
                    "setVariableResult": [
                        {
                            "attributeStatus": "Accepted",
                            "component": setting["component"],
                            "variable": setting["variable"],
                        }
                        for setting in payload["setVariableData"]
                    ]
                }
            case _:
                return None

    def _obeyed(self, action: str, payload: Payload, now: float) -> Payload:
        if "Stop" in action:
            wanted = str(payload["transactionId"])
            plug = next((other for other in self.plugs if other.charging and str(other.transaction) == wanted), None)
            if plug is None:
                return {"status": "Rejected"}
            self._tell(plug, plug.stop(self._world(now), "Remote"))
        return {"status": "Accepted"}

    def _availability(self, payload: Payload, plug: VirtualPlug | None, now: float) -> str:
        operative = "Operative" in (payload.get("type"), payload.get("operationalStatus"))
        at_once = [other.serve(self._world(now), operative=operative) for other in self.plugs if plug in (None, other)]
        self._queue.extend(self._status(other) for other in self.plugs if plug in (None, other))
        return "Accepted" if all(at_once) else "Scheduled"

    def _plug_in(self, payload: Payload) -> VirtualPlug | None:
        number = payload.get("connectorId") or payload.get("evseId") or (payload.get("evse") or {}).get("id")
        return next((plug for plug in self.plugs if plug.connector == number), None)

    # ---- its words ----

    def _tell(self, plug: VirtualPlug, happenings: Iterable[Happening]) -> None:
        for happening in happenings:
            if happening.what == "status":
                self._queue.append(self._status(plug))
            else:
                self._queue.append(self._transaction(plug, happening))

    def _status(self, plug: VirtualPlug) -> tuple[str, Payload, VirtualPlug]:
        if self.version == "1.6":
            words = {"connectorId": plug.connector, "errorCode": "NoError", "status": plug.status}
            return "StatusNotification", words | {"timestamp": self._utc()}, plug
        taken = plug.status not in ("Available", "Unavailable", "Faulted")
        words = {"evseId": plug.connector, "connectorId": 1, "connectorStatus": "Occupied" if taken else plug.status}
        return "StatusNotification", words | {"timestamp": self._utc()}, plug

    def _meter(self, plug: VirtualPlug) -> tuple[str, Payload, VirtualPlug]:
        if self.version == "1.6":
            words: Payload = {"connectorId": plug.connector, "meterValue": [self._sampled(plug, "Sample.Periodic")]}
            if plug.transaction is not None:
                words["transactionId"] = plug.transaction
            return "MeterValues", words, plug
        return "TransactionEvent", self._event(plug, "Updated", "MeterValuePeriodic", "Sample.Periodic"), plug

    def _transaction(self, plug: VirtualPlug, happening: Happening) -> tuple[str, Payload, VirtualPlug]:
        started = happening.what == "started"
        if started:
            self._number += 1
            plug.transaction = None if self.version == "1.6" else f"{self.name}-{self._number}-{self._utc()}"[:36]
        if self.version != "1.6":
            kind = "Started" if started else "Ended"
            context = "Transaction.Begin" if started else "Transaction.End"
            words = self._event(plug, kind, "CablePluggedIn" if started else "EVDeparted", context)
            if not started:
                words["transactionInfo"] |= {"stoppedReason": happening.reason}
            return "TransactionEvent", words, plug
        if started:
            words = {"connectorId": plug.connector, "idTag": "VIRTUAL01", "meterStart": round(plug.energy_wh)}
            return "StartTransaction", words | {"timestamp": self._utc()}, plug
        words = {"meterStop": round(plug.energy_wh), "reason": happening.reason, "timestamp": self._utc()}
        return "StopTransaction", words | {"transactionId": plug.transaction or 0}, plug

    def _event(self, plug: VirtualPlug, kind: str, reason: str, context: str) -> Payload:
        number = self._seq[plug.connector] = self._seq.get(plug.connector, -1) + 1
        state = {"Charging": "Charging", "SuspendedEV": "SuspendedEV"}.get(plug.status, "EVConnected")
        return {
            "eventType": kind, "timestamp": self._utc(), "triggerReason": reason, "seqNo": number,
            "transactionInfo": {"transactionId": str(plug.transaction), "chargingState": state},
            "evse": {"id": plug.connector, "connectorId": 1}, "meterValue": [self._sampled(plug, context)],
        }  # fmt: skip

    def _sampled(self, plug: VirtualPlug, context: str) -> Payload:
        told: list[tuple[str, float, str]] = [
            ("Energy.Active.Import.Register", round(plug.energy_wh), "Wh"),
            ("Power.Active.Import", round(plug.power_w), "W"),
        ]
        if self.version == "1.6":
            values: list[Payload] = [
                {"value": str(value), "measurand": name, "unit": unit, "context": context} for name, value, unit in told
            ]
        else:
            values = [
                {"value": float(value), "measurand": name, "unitOfMeasure": {"unit": unit}, "context": context}
                for name, value, unit in told
            ]
        return {"timestamp": self._utc(), "sampledValue": values}
