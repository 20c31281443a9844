"""The operator's certificate is checked, and what is wrong with it stands in the log with what helps."""

import base64
import ssl
from pathlib import Path

import pytest

from tests.firmware_bridge.ocpp.rig import central, dial
from tests.firmware_bridge.ocpp.test_relay import hasty, key_file
from tests.firmware_bridge.ocpp.upstream import StubOperator, operator
from tests.patience import until

__all__ = ["hasty"]


def context(authority: Path, name: str) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(authority / f"{name}.pem", authority / f"{name}.key")
    return made


def test_the_operator_is_dialled_by_tls_and_his_certificate_checked(tmp_path: Path, authority: Path) -> None:
    stub = StubOperator()
    with (
        operator(stub, ssl=context(authority, "box")) as (upstream, _),
        central(
            tmp_path, upstream=upstream, relay_key_file=key_file(tmp_path), upstream_ca_file=authority / "ca.pem"
        ) as (bus, _, address),
        dial(address) as pile,
    ):
        boot = pile.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        assert boot["interval"] == 77
        assert bus.mishaps.count == 0


@pytest.mark.parametrize(
    ("name", "ca", "told"),
    [
        ("box", "other-ca.pem", "give its certificate as upstream_ca_file"),
        ("CP001", "ca.pem", "the operator's certificate is refused"),  # not in the name that is dialled
    ],
)
def test_who_is_not_the_operator_hears_nothing(
    tmp_path: Path, authority: Path, name: str, ca: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    stub = StubOperator()
    header = {"Authorization": "Basic " + base64.b64encode(b"CP001:the secret").decode()}
    with (
        operator(stub, ssl=context(authority, name)) as (upstream, _),
        central(tmp_path, upstream=upstream, relay_key_file=key_file(tmp_path), upstream_ca_file=authority / ca) as (
            bus,
            _,
            address,
        ),
        dial(address, additional_headers=header) as pile,
    ):
        boot = pile.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        assert boot["interval"] == 60  # ours
        until(lambda: told in caplog.text, told)
        assert bus.mishaps.count == 0
    assert (stub.headers, stub.heard) == ([], [])
    assert "the secret" not in caplog.text


def test_an_operator_who_does_not_let_a_pile_in_is_told_with_his_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stub = StubOperator()

    def refuse(line: object, _request: object) -> object:
        return line.respond(401, "who are you?\n")  # type: ignore[attr-defined]

    with (
        operator(stub, process_request=refuse) as (upstream, _),
        central(tmp_path, upstream=upstream, relay_key_file=key_file(tmp_path)) as (_, _, address),
        dial(address) as pile,
    ):
        assert pile.call("Heartbeat", {})
        until(lambda: "refuses with 401: he does not know the pile's password" in caplog.text, "it is told")


def test_an_operator_who_speaks_another_version_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stub = StubOperator()
    with (
        operator(stub, select_subprotocol=lambda _line, _offered: None) as (upstream, _),
        central(tmp_path, upstream=upstream, relay_key_file=key_file(tmp_path)) as (_, _, address),
        dial(address) as pile,
    ):
        assert pile.call("Heartbeat", {})
        until(lambda: "does not speak ocpp1.6: set the pile to a version that he speaks" in caplog.text, "it is told")


def test_of_too_much_that_waits_the_oldest_goes_but_no_transaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for module in ("firmware_bridge.spool_relay", "firmware_bridge.ocpp.relay.pile_relay"):
        monkeypatch.setattr(f"{module}.MOST_HELD", 5)
    stub = StubOperator()
    with (
        central(tmp_path, upstream="ws://127.0.0.1:9/x", relay_key_file=key_file(tmp_path)) as (bus, sink, address),
        dial(address) as pile,
    ):
        at = "2026-11-29T10:00:00Z"
        begun = pile.call("StartTransaction", {"connectorId": 1, "idTag": "A1", "meterStart": 1, "timestamp": at})
        for word in ("Preparing", "Charging", "SuspendedEV", "Finishing", "Available", "Preparing", "Charging"):
            pile.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": word})
        pile.call("StopTransaction", {"transactionId": begun["transactionId"], "meterStop": 9, "timestamp": at})
        held = [frame.action for frame in sink.spool.relay_next("CP001", 0, 99)]
        assert held == ["StartTransaction", *["StatusNotification"] * 3, "StopTransaction"]
        assert "more than 5 messages wait for its operator" in caplog.text
        assert bus.mishaps.count == 0
    assert stub.heard == []
