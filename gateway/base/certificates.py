"""Until when certificates in files are good."""

from datetime import UTC, datetime
from pathlib import Path

from config.files import UnusableFileError, read_bytes
from gateway.base.local_time import DAY_MS
from gateway.model import Millis

SOON_MS = 20 * DAY_MS
"""So long before its end a certificate is told of."""
MOST_BYTES = 1 << 20


class NoCertificateError(ValueError):
    """The file can't be read as PEM certificates; the text says why."""


def ends_in(path: Path) -> list[Millis]:
    """Until when each certificate of a file is good, in the file's order; at least one. NoCertificateError."""
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificates(read_bytes(path, "certificate", MOST_BYTES))
    except UnusableFileError as error:
        raise NoCertificateError(f"{path} {error.what}") from None
    except ValueError:
        raise NoCertificateError(f"{path} holds no certificate in PEM") from None
    return [round(one.not_valid_after_utc.timestamp() * 1000) for one in found]


def ends_at(path: Path, *, ours: bool) -> Millis:
    """When it stops to be good: of our own chain the first that ends; of authorities the last, others may be past."""
    return min(ends_in(path)) if ours else max(ends_in(path))


def ending(option: str, path: Path, now: Millis, *, ours: bool) -> str | None:
    """What to tell of it: None while it is good for longer than `SOON_MS`."""
    try:
        end = ends_at(path, ours=ours)
    except NoCertificateError as error:
        return f"{option}: {error}"
    if end > now + SOON_MS:
        return None
    day = f"{datetime.fromtimestamp(end / 1000, UTC):%Y-%m-%d}"
    return f"{option} has ended on {day}" if end <= now else f"{option} ends on {day}"
