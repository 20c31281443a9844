"""TLS over memory: the loop's own costs 256 KiB a connection and keeps to itself why a handshake failed."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

READ = 16_384
_MENDS = {
    "HTTP_REQUEST": "the pile speaks ws:// here: set it to wss://",
    "WRONG_VERSION_NUMBER": "the pile does not speak TLS here: set it to wss://",
    "UNSUPPORTED_PROTOCOL": "the pile knows only TLS versions older than 1.2: update its program",
    "NO_SHARED_CIPHER": "the pile and this box have no cipher in common: update the pile's program",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the pile shows no certificate: install one at the pile (profile 3)",
    "CERTIFICATE_VERIFY_FAILED": "the pile's certificate is not signed by client_ca_file, or has expired",
    "TLSV1_ALERT_UNKNOWN_CA": "the pile does not know who signed cert_file: install that authority at the pile",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the pile does not take our cert_file: it must name the address that the pile dials",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "the pile does not take our cert_file: install who signed it at the pile",
    "TLSV1_ALERT_PROTOCOL_VERSION": "the pile knows only TLS versions older than 1.2: update its program",
}
_UPSTREAM_MENDS = {
    "WRONG_VERSION_NUMBER": "there is no TLS at this address: write upstream: as ws://, or with another port",
    "CERTIFICATE_VERIFY_FAILED": "the operator's certificate is refused: {}; where his authority is his own, give its"
    " certificate as upstream_ca_file:",
    "TLSV1_ALERT_PROTOCOL_VERSION": "the operator knows only TLS versions older than 1.2",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the operator asks for a client certificate, and we have none to show",
}


class TlsError(Exception):
    """The line can't be made safe; the text says what a technician can do."""


def server_context(cert_file: Path, key_file: Path, client_ca_file: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or later. ValueError names the file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert_file, key_file)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"cert_file {cert_file} and key_file {key_file} can't be used together: {error}") from None
    if client_ca_file is not None:
        try:
            context.load_verify_locations(client_ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ValueError(f"client_ca_file {client_ca_file} can't be used: {error}") from None
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(ca_file: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or later; certificate and name of the other side are checked. ValueError names the file."""
    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file is not None else None)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"upstream_ca_file {ca_file} can't be used: {error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class TlsPipe:
    """One side of one connection, without a socket: the server's, or with `host` that of a client of it."""

    def __init__(self, context: ssl.SSLContext, host: str | None = None) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._line = context.wrap_bio(self._in, self._out, server_side=host is None, server_hostname=host)
        self._shaken, self._mends = False, _MENDS if host is None else _UPSTREAM_MENDS

    def opened(self, data: bytes) -> bytes:
        """What stands in the bytes from the wire; afterwards `pending` may have something to send. TlsError."""
        self._in.write(data)
        plain: list[bytes] = []
        try:
            if not self._shaken:
                self._line.do_handshake()
                self._shaken = True
            while piece := self._line.read(READ):
                plain.append(piece)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:  # the pile says goodbye
            pass
        except (ssl.SSLError, OSError) as error:
            reason = getattr(error, "verify_message", None) or getattr(error, "reason", None) or type(error).__name__
            word = getattr(error, "reason", None)
            raise TlsError(f"TLS: {self._mends.get(str(word), reason).format(reason)}") from None
        return b"".join(plain)

    @property
    def shaken(self) -> bool:
        """The handshake is done."""
        return self._shaken

    def sealed(self, data: bytes) -> bytes:
        self._line.write(data)
        return self._out.read()

    def pending(self) -> bytes:
        return self._out.read()

    def certificate(self) -> Mapping[str, Any] | None:
        """The caller's, if it has shown one that was verified."""
        return self._line.getpeercert() if self._shaken else None
