"""HTTPS on our own socket: TLS 1.2 and later, and a certificate that may be renewed while it serves."""

import logging
import ssl
from pathlib import Path

from config.schema import Settings

log = logging.getLogger(__name__)

LOOK_EVERY_S = 30


class UnusableCertificateError(OSError):
    """Certificate and key can't be used; the text is one line for the operator."""


class ServedCertificate:
    """`context` for the server. `look` takes up files that have changed; those that can't be used change nothing."""

    def __init__(self, cert_file: Path, key_file: Path) -> None:
        """Load both files. UnusableCertificateError."""
        self._cert, self._key = cert_file, key_file
        self._seen = self._stamps()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
        self.context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
        self.context.set_alpn_protocols(["http/1.1"])
        self._load()

    def _load(self) -> None:
        try:
            self.context.load_cert_chain(self._cert, self._key)
        except (OSError, ssl.SSLError) as error:
            raise UnusableCertificateError(
                f"api.cert_file {self._cert} and api.key_file {self._key} can't be used together: {error}"
            ) from None

    def look(self) -> None:
        """For new connections, what the files hold now."""
        stamps = self._stamps()
        if stamps == self._seen:
            return
        self._seen = stamps
        try:
            # In a context of its own first: half a change (the certificate, not yet its key) must break nothing.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self._cert, self._key)
            self._load()
        except OSError as error:
            log.error("the changed certificate is not taken up, the one before serves on: %s", error)
        else:
            log.info("api.cert_file has changed: new connections get the new certificate")

    def _stamps(self) -> tuple[int, int]:
        try:
            return self._cert.stat().st_mtime_ns, self._key.stat().st_mtime_ns
        except OSError:
            return (0, 0)


def certificate_of(settings: Settings) -> ServedCertificate | None:
    """The certificate that the API serves; None for plain HTTP."""
    api = settings.api
    return ServedCertificate(api.cert_file, api.key_file) if api.cert_file and api.key_file else None


def scheme_of(settings: Settings) -> str:
    return "https" if settings.api.cert_file else "http"
