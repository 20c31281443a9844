"""HTTPS on our own socket, and a certificate that is renewed while it serves."""

import os
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from api import tls
from api.tls import ServedCertificate, UnusableCertificateError
from tests.api.conftest import NOON, House, serving
from tests.certificates import signed_by_itself
from tests.patience import until

ENDS = datetime(2050, 1, 1, tzinfo=UTC)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    cert, key = tmp_path / "box.pem", tmp_path / "box.key"
    signed_by_itself(cert, key, ends=ENDS)
    return cert, key


@pytest.fixture
def secure(folder: Path, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr("api.server.LOOK_EVERY_S", 0.1)
    yield from serving(folder, certificate=ServedCertificate(*files))


def shown(house: House) -> bytes:
    host, port = house.url.removeprefix("https://").split(":")
    return ssl.get_server_certificate((host, int(port))).encode()


def test_pages_come_by_https_and_a_session_is_for_https_alone(secure: House, files: tuple[Path, Path]) -> None:
    with httpx.Client(base_url=secure.url, verify=ssl.create_default_context(cafile=str(files[0]))) as client:
        assert client.get("/api/v1/stations").status_code == 200
        key = secure.app.context.keyring.create("Li", "viewer", NOON)
        answer = client.post("/login", data={"key": key})
        assert answer.status_code == 303
        assert "Secure" in answer.headers["set-cookie"]


def test_plain_http_and_old_tls_get_nothing(secure: House) -> None:
    host, port = secure.url.removeprefix("https://").split(":")
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://{host}:{port}/healthz")
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.set_ciphers("AES128-SHA:AES256-SHA:ECDHE-ECDSA-AES128-SHA")  # no forward secrecy, or no AEAD
    with socket.create_connection((host, int(port))) as plain, pytest.raises(ssl.SSLError):
        old.wrap_socket(plain)
    assert shown(secure), "others are served on"


def test_a_renewed_certificate_is_taken_up_and_half_a_change_is_not(secure: House, files: tuple[Path, Path]) -> None:
    cert, key = files
    first, whole = shown(secure), (cert.read_bytes(), key.read_bytes())
    signed_by_itself(cert, key, ends=ENDS + timedelta(days=1))
    new = cert.read_bytes()
    until(lambda: shown(secure) == new.strip() + b"\n", "the new certificate")
    assert first != new
    cert.write_bytes(whole[0])  # its key is yet to come
    os.utime(cert, (1, 1))
    with httpx.Client(base_url=secure.url, verify=False) as client:
        assert client.get("/healthz").status_code == 200
    key.write_bytes(whole[1])
    until(lambda: shown(secure) == first, "the first certificate again")


def test_a_certificate_without_its_key_ends_the_start_with_one_line(files: tuple[Path, Path], tmp_path: Path) -> None:
    signed_by_itself(tmp_path / "other.pem", tmp_path / "other.key", ends=ENDS)
    with pytest.raises(UnusableCertificateError, match=r"api\.cert_file .*box\.pem and api\.key_file .*other\.key"):
        ServedCertificate(files[0], tmp_path / "other.key")
    assert tls.LOOK_EVERY_S == 30
