"""Every action that a pile may start is answered as its schema says; what can't be is refused as the standard says."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.devices.base import Heard
from firmware_bridge.ocpp import schemas, v16, v201
from firmware_bridge.ocpp.frames import FrameError, PileCall, PileError, PileResult, read
from firmware_bridge.ocpp.pile import ChargePoint, Plug
from firmware_bridge.ocpp.reply import Handler, Scene
from firmware_bridge.ocpp.schemas import OcppVersion
from firmware_bridge.ocpp.tokens import TokenDesk
from firmware_bridge.spool import Spool
from tests.firmware_bridge.ocpp.rig import central, dial

NOW = 1_795_000_000_000
TABLES: dict[OcppVersion, dict[str, Handler]] = {"1.6": v16.HANDLERS, "2.0.1": v201.HANDLERS, "2.1": v201.HANDLERS_2_1}
UNANSWERED = "NotifyPeriodicEventStream"  # a SEND of 2.1
EVERY = [(version, action) for version, table in TABLES.items() for action in table if action != UNANSWERED]


def sample(schema: dict[str, Any], root: dict[str, Any], *, whole: bool = False) -> Any:
    """The smallest value that a schema takes, or one with all that it may have."""
    if "$ref" in schema:
        return sample(root["definitions"][schema["$ref"].rpartition("/")[2]], root, whole=whole)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        inner = schema.get("properties", {})
        return {key: sample(inner[key], root, whole=whole) for key in (inner if whole else schema.get("required", ()))}
    if kind == "array":
        return [sample(schema["items"], root, whole=whole)] * schema.get("minItems", 1)
    if kind == "string":
        return "2026-11-21T00:00:02Z" if schema.get("format") == "date-time" else "1"
    if kind == "boolean":
        return True
    return min(max(1, schema.get("minimum", 1)), schema.get("maximum", 1))


def schema_of(version: OcppVersion, action: str) -> dict[str, Any]:
    name = action if version == "1.6" else f"{action}Request"
    path = files("ocpp").joinpath(f"v{version.replace('.', '')}/schemas/{name}.json")
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8-sig"))
    return schema


@pytest.mark.parametrize(("version", "action"), EVERY)
def test_the_answer_to_each_action_is_as_its_schema_says(version: OcppVersion, action: str, tmp_path: Path) -> None:
    schema = schema_of(version, action)
    payload = sample(schema, schema)
    assert schemas.request_fault(action, version, payload) is None
    pile = ChargePoint("CP001", (Plug("pile-1", None, 1),), version)
    reply = TABLES[version][action](Scene(pile, TokenDesk(None, None, lambda: None), NOW), payload)
    spool = Spool(tmp_path, 1 << 20)
    spool.put([Heard(tuple(reply.readings), step=reply.step)], NOW)
    spool.close()
    assert schemas.answer_fault(action, version, reply.payload()) is None


@pytest.mark.parametrize("whole", [False, True], ids=["with the least", "with all that it may have"])
@pytest.mark.parametrize("version", TABLES)
def test_each_action_of_a_version_is_answered_on_the_line(tmp_path: Path, version: OcppVersion, whole: bool) -> None:
    """What a pile may start gets an answer of its schema, what only we start is refused as such."""
    with central(tmp_path) as (bus, _, address), dial(address, version=f"ocpp{version}") as pile:
        for action in sorted(schemas.actions(version) - {UNANSWERED}):
            schema = schema_of(version, action)
            answer = pile.asked(action, sample(schema, schema, whole=whole))
            if action in TABLES[version]:
                assert answer[0] == 3, (action, answer)
                assert schemas.answer_fault(action, version, answer[2]) is None, action
            else:
                assert answer[0::2][:2] == [4, "NotSupported"], action
        assert pile.asked("VendorThing", {})[2] == "NotImplemented"
        assert bus.mishaps.count == 0


STARTED_BY_US = {
    "1.6": 25, "2.0.1": 39, "2.1": 53,
}  # fmt: skip


@pytest.mark.parametrize("version", TABLES)
def test_no_action_is_in_neither_list(version: OcppVersion) -> None:
    """What we don't answer is what a central system starts."""
    ours = schemas.actions(version) - set(TABLES[version])
    assert len(ours) == STARTED_BY_US[version]
    assert {"Reset", "TriggerMessage", "UnlockConnector", "ChangeAvailability", "SendLocalList"} <= ours
    assert not any(
        name.startswith(("Notify", "Status", "Report", "Meter", "Boot"))
        for name in ours - {"NotifyAllowedEnergyTransfer"}
    )


REFUSED = json.loads((Path(__file__).parents[2] / "vectors/ocpp/refused.json").read_text("utf-8"))
"""For each subprotocol: what a pile says, and the code of the CALLERROR.
OCPP-J 1.6 table 7, OCPP 2.0.1 part 4 table 8."""


@pytest.mark.parametrize("version", REFUSED)
def test_what_is_malformed_gets_the_error_of_the_standard_and_the_line_stays(tmp_path: Path, version: str) -> None:
    with central(tmp_path) as (_, _, address), dial(address, version=version) as pile:
        for raw, code in REFUSED[version]:
            pile.say(raw)
            answer = pile.next()
            name = json.loads(raw)[1] if raw[0] == "[" else "-1"
            assert answer[:3] == [4, name, code], raw
        assert "currentTime" in pile.call("Heartbeat", {})


def test_an_error_repeats_nothing_of_what_a_pile_said(tmp_path: Path) -> None:
    with central(tmp_path) as (_, _, address), dial(address) as pile:
        answer = pile.asked("Authorize", {"idTag": "SECRETSECRETSECRETSECRET"})
        assert answer[2] == "PropertyConstraintViolation"
        assert "SECRET" not in json.dumps(answer)
        answer = pile.asked("Authorize", {"idTag": "A", "SECRET": 1})
        assert "SECRET" not in json.dumps(answer)


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"nonsense", b"[2]", b'[2,"a"]', b'[2,1,"Heartbeat",{}]', b'[2,"","Heartbeat",{}]', b'"text"',
     b"\xff\xfe",
     b'[true,"a","Heartbeat",{}]', b"[" * 40_000, b'[2,"' + b"a" * 37 + b'","Heartbeat",{}]', b'[3,"a",null]',
     b'[2,"a","Heartbeat",{"x":NaN}]', b'[2,"a","Heartbeat",{"x":' + b"9" * 5_000 + b"}]"],
)  # fmt: skip
def test_what_is_no_message_is_refused(raw: bytes) -> None:
    with pytest.raises(FrameError):
        read(raw)


def test_the_three_kinds_of_a_message_are_read() -> None:
    assert read(b'[2,"1","Heartbeat",{}]') == PileCall("1", "Heartbeat", {})
    assert read(b'[3,"1",{"status":"Accepted"}]') == PileResult("1", {"status": "Accepted"})
    assert read(b'[4,"1","InternalError","no",{}]') == PileError("1", "InternalError", "no")
    assert read(b'[6,"1","NotifyPeriodicEventStream",{}]') == PileCall("1", "NotifyPeriodicEventStream", {}, False)
