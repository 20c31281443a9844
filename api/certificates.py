"""All certificates of a configuration at once: in files, and as servers show them. For `doctor` and `compliance`."""

from dataclasses import dataclass

from config.certificate_files import certificate_files, tls_peers
from config.schema import Settings
from gateway.base.certificates import endings, ends_soon, shown_by
from gateway.model import Millis


@dataclass(frozen=True, slots=True)
class CertificateLook:
    """`count`: how many were looked at. `ending`: what to renew; `unseen`: servers that showed none, and why."""

    count: int
    ending: tuple[str, ...]
    unseen: tuple[str, ...]


def look_at_certificates(settings: Settings, now: Millis) -> CertificateLook:
    """Servers are asked, each for a few seconds at most."""
    files = list(certificate_files(settings))
    count, told, unseen = len(files), endings(files, now), []
    for peer in tls_peers(settings):
        try:
            text = ends_soon(peer.name, shown_by(peer), now)
        except OSError as error:
            unseen.append(f"{peer.name} can't be looked at: {error}")
            continue
        count += 1
        told += [text] if text is not None else []
    return CertificateLook(count, tuple(told), tuple(unseen))
