"""Questions to an operator: TLS is verified, his other hosts are judged."""

import ssl
import threading
from pathlib import Path

import pytest

from firmware_bridge.emulator.operators.web import WebQuestion, WebReply, WebServer
from firmware_bridge.operators.web import AskError, Web
from tests.firmware_bridge.ocpp.certificates import openssl


def said(_asked: WebQuestion) -> WebReply:
    return WebReply(200, b"{}", {})


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificate")
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key -out pem -days 2"
    openssl(folder, *made.split(), "-subj", "/CN=operator", "-addext", "subjectAltName=IP:127.0.0.1")
    return folder


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "pem", certificate / "key")
    server = WebServer(said, tls=context)
    server.start()
    try:
        with pytest.raises(AskError, match="its certificate is not good"):
            Web(server.url, threading.Event()).ask("GET", server.url, {})
        assert server.asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "pem"))
        assert Web(server.url, threading.Event()).ask("GET", server.url, {}).body == b"{}"
    finally:
        server.end()


@pytest.mark.parametrize(
    ("configured", "url", "why"),
    [
        ("https://8.8.8.8/ocpi/versions", "http://8.8.8.8/next", "without TLS"),
        ("https://8.8.8.8/ocpi/versions", "https://127.0.0.1:1/next", "private network"),
        ("https://8.8.8.8/ocpi/versions", "https://169.254.169.254/latest", "private network"),
        ("https://8.8.8.8/ocpi/versions", "file:///etc/passwd", "an address that is none"),
        ("https://8.8.8.8/ocpi/versions", "https://8.8.8.8/a b", "an address that is none"),
        ("https://8.8.8.8/ocpi/versions", "https://[/", "an address that is none"),
        ("https://8.8.8.8/ocpi/versions", "https://8.8.8.8/" + "x" * 3_000, "an address that is none"),
    ],
)
def test_an_operator_leads_nowhere_that_is_less_safe(configured: str, url: str, why: str) -> None:
    with pytest.raises(AskError, match=why):
        Web(configured, threading.Event()).ask("GET", url, {"Authorization": "Token x"})


def test_a_question_ends_soon_after_the_bus() -> None:
    server, stop = WebServer(said), threading.Event()
    server.fault = "slow"
    server.start()
    threading.Timer(0.3, stop.set).start()
    try:
        with pytest.raises(AskError):
            Web(server.url, stop).ask("GET", server.url, {})
    finally:
        server.end()
    assert stop.is_set()
