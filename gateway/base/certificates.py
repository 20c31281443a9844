"""Until when certificates are good: those in files, and those that servers show."""

import contextlib
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from config.certificate_files import TlsPeer
from config.files import UnusableFileError, read_bytes
from gateway.base.local_time import DAY_MS
from gateway.base.reach import addresses, dial
from gateway.model import Millis

SOON_MS = 20 * DAY_MS
"""So long before its end a certificate is told of."""
MOST_BYTES = 1 << 20
ASK_S = 5.0
"""So long a server may take to show its certificate."""

CertificateFile = tuple[str, Path, bool]
"""(option, file, whether it is our own)"""


class NoCertificateError(ValueError):
    """The file can't be read as PEM certificates; the text says why."""


def ends_in(path: Path) -> list[Millis]:
    """Until when each certificate of a file is good, in the file's order; at least one. NoCertificateError."""
    from cryptography import x509

    try:
        certificates = x509.load_pem_x509_certificates(read_bytes(path, "certificate", MOST_BYTES))
    except UnusableFileError as error:
        raise NoCertificateError(f"{path} {error.what}") from None
    except ValueError:
        raise NoCertificateError(f"{path} holds no certificate in PEM") from None
    return [round(certificate.not_valid_after_utc.timestamp() * 1000) for certificate in certificates]


def ends_at(path: Path, *, ours: bool) -> Millis:
    """When it stops to be good: of our own chain the first that ends; of authorities the last, others may be past."""
    return min(ends_in(path)) if ours else max(ends_in(path))


def ending(option: str, path: Path, now: Millis, *, ours: bool) -> str | None:
    """What to tell of it: None while it is good for longer than `SOON_MS`."""
    try:
        end = ends_at(path, ours=ours)
    except NoCertificateError as error:
        return f"{option}: {error}"
    return ends_soon(option, end, now)


def endings(files: Iterable[CertificateFile], now: Millis) -> list[str]:
    """What to tell of all of them."""
    told = [ending(option, path, now, ours=ours) for option, path, ours in files]
    return [text for text in told if text is not None]


def ends_soon(name: str, end: Millis, now: Millis) -> str | None:
    """The same of one whose end is known."""
    if end > now + SOON_MS:
        return None
    day = f"{datetime.fromtimestamp(end / 1000, UTC):%Y-%m-%d}"
    return f"{name} has ended on {day}" if end <= now else f"{name} ends on {day}"


def shown_by(peer: TlsPeer) -> Millis:
    """Until when the certificate is good that a server shows now. OSError where it shows none.

    It is only looked at: one that has ended, or that nobody vouches for, is what we want to hear of.
    """
    from cryptography import x509

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if peer.cert_file is not None and peer.key_file is not None:
        with contextlib.suppress(OSError):  # told by its own option
            context.load_cert_chain(peer.cert_file, peer.key_file)
    with (
        dial(addresses(peer.host, peer.port), ASK_S) as line,
        context.wrap_socket(line, server_hostname=peer.host) as secured,
    ):
        shown = secured.getpeercert(binary_form=True)
    try:
        return round(x509.load_der_x509_certificate(shown or b"").not_valid_after_utc.timestamp() * 1000)
    except ValueError:
        raise OSError(f"{peer.name} is none") from None
