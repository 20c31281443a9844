"""Which certificates of a configuration run out: in files, our own and those of authorities that we trust, and those
that servers show us."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from config.schema import Mqtt, Settings
from config.schema.base import HostPort
from config.schema.uplink import Uplink
from config.secret_files import files_named

OURS = frozenset({"cert_file"})
AUTHORITIES = frozenset({"ca_file", "client_ca_file", "upstream_ca_file"})
HTTPS = 443


def certificate_files(settings: Settings) -> Iterator[tuple[str, Path, bool]]:
    """(dotted option, its file, whether it is our own), in the order of the configuration."""
    for option, path in files_named(settings, OURS | AUTHORITIES):
        yield option, path, option.rpartition(".")[2] in OURS


@dataclass(frozen=True, slots=True)
class TlsPeer:
    """A server of the configuration that shows a certificate. `cert_file`, `key_file`: what we show it."""

    option: str
    host: str
    port: int
    cert_file: Path | None = None
    key_file: Path | None = None

    @property
    def name(self) -> str:
        return f"the certificate of {HostPort(self.host, self.port)} ({self.option})"


def tls_peers(settings: Settings) -> Iterator[TlsPeer]:
    """The brokers, and whatever stands before our pages at their public address (such as Caddy)."""
    yield from _brokers("mqtt", settings.mqtt)
    if settings.uplink is not None:
        yield from _brokers("uplink", settings.uplink)
    public = urlsplit(settings.api.public_url or "")
    if public.scheme == "https" and public.hostname:
        yield TlsPeer("api.public_url", public.hostname, public.port or HTTPS)


def _brokers(name: str, section: Mqtt | Uplink) -> Iterator[TlsPeer]:
    """`name` is that of the section."""
    several = len(section.endpoints) > 1
    for number, endpoint in enumerate(section.endpoints):
        if endpoint.tls:
            option = f"{name}.url.{number}" if several else f"{name}.url"
            yield TlsPeer(option, endpoint.host, endpoint.port, section.cert_file, section.key_file)
