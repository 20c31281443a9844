"""Profiles 2 and 3 on the wire: TLS fails closed, and the log says what a technician can do."""

import base64
import logging
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import WebSocketException

from tests.firmware_bridge.ocpp.rig import central, dial
from tests.patience import until


def context(authority: Path, name: str | None = None) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(authority / "ca.pem"))
    if name is not None:
        made.load_cert_chain(authority / f"{name}.pem", authority / f"{name}.key")
    return made


def secure(authority: Path, **more: Any) -> dict[str, Any]:
    return {
        "port": "wss://127.0.0.1:0/ocpp",
        "cert_file": authority / "box.pem",
        "key_file": authority / "box.key",
        **more,
    }


def said(caplog: pytest.LogCaptureFixture, text: str) -> Callable[[], bool]:
    return lambda: any(text in record.message for record in list(caplog.records))


def test_profile_2_is_a_password_over_tls(tmp_path: Path, authority: Path) -> None:
    (tmp_path / "password").write_text("a password of the pile")
    devices = [{"device": "pile-1", "charge_point": "CP001", "password_file": tmp_path / "password"}]
    header = {"Authorization": "Basic " + base64.b64encode(b"CP001:a password of the pile").decode()}
    with (
        central(tmp_path, devices, **secure(authority)) as (_, sink, address),
        dial(address, ssl=context(authority), additional_headers=header) as pile,
    ):
        pile.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"})
        assert sink.signals("pile-1")["status"] == "Available"


def test_profile_3_is_a_certificate_in_the_piles_own_name(
    tmp_path: Path, authority: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    devices = [{"device": f"pile-{number}", "charge_point": f"CP00{number}"} for number in (1, 2)]
    with central(tmp_path, devices, **secure(authority, client_ca_file=authority / "ca.pem")) as (_, sink, address):
        with dial(address, ssl=context(authority, "CP001")) as pile:
            assert pile.call("Heartbeat", {})
            assert said(caplog, "CP001 is there (ocpp1.6, profile 3)")()
        until(lambda: not sink.online, "it has gone")
        with pytest.raises(Exception, match="401"), dial(address, "CP002", ssl=context(authority, "CP001")):
            pass
        assert said(caplog, "its certificate is that of CP001: its common name must be CP002")()
        for name, reason in ((None, "the pile shows no certificate"), ("stranger", "not signed by client_ca_file")):
            with (
                pytest.raises((OSError, EOFError, WebSocketException)),
                dial(address, ssl=context(authority, name)) as pile,
            ):
                pile.call("Heartbeat", {})
            until(said(caplog, reason), reason)
            caplog.clear()
            bus_forgets(_)
        assert not sink.online


def bus_forgets(bus: Any) -> None:
    """What was told once a minute may be told again."""
    bus.entrance._told.clear()


def test_what_is_no_tls_is_refused_with_what_helps(
    tmp_path: Path, authority: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with central(tmp_path, **secure(authority)) as (_, sink, address):
        port = int(address.rpartition(":")[2].partition("/")[0])
        with socket.create_connection(("127.0.0.1", port)) as plain:
            plain.sendall(b"GET /ocpp/CP001 HTTP/1.1\r\nHost: x\r\n\r\n")
            plain.settimeout(60)
            while plain.recv(4096):
                pass
        until(said(caplog, "set it to wss://"), "the reason is told")
        with dial(address, ssl=context(authority)) as pile:
            assert pile.call("Heartbeat", {})
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        with pytest.warns(DeprecationWarning, match="TLSv1"):
            old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1
        with pytest.raises((OSError, EOFError, WebSocketException)), dial(address, ssl=old):
            pass
        assert not sink.online or until(lambda: not sink.online)


@pytest.mark.parametrize("files", [{"cert_file": "ca.key"}, {"key_file": "CP001.key"}, {"client_ca_file": "ca.key"}])
def test_files_that_do_not_fit_stop_the_start(tmp_path: Path, authority: Path, files: dict[str, str]) -> None:
    wrong = secure(authority) | {key: authority / name for key, name in files.items()}
    with pytest.raises(ValueError, match="can't be used"), central(tmp_path, **wrong):
        pass
