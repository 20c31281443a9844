"""From a bus's settings to an operator's platform by OCPI."""

from pathlib import Path
from urllib.parse import urlsplit

from config.schema.bridge import BusSettings
from firmware_bridge.operators.listener import PushListener
from firmware_bridge.operators.ocpi.handshake import OcpiParty
from firmware_bridge.operators.ocpi.platform import OcpiPlatform
from firmware_bridge.operators.ocpi.registration import RegistrationFile
from firmware_bridge.operators.web import AskError, Web, port_of

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  compared with, not listened on


class OcpiRoot:
    """Our address as the operator can call it; the listener is known later than this is made."""

    def __init__(self, bus: BusSettings, web: Web) -> None:
        self._bus, self._web = bus, web
        self.listener: PushListener | None = None
        self._last: str | None = None

    def __call__(self) -> str | None:
        if self._bus.public_url is not None:
            return self._bus.public_url.rstrip("/")
        if self._bus.listen is None:
            return None
        here = urlsplit(self._bus.listen)
        host = here.hostname or ""
        if host in EVERYWHERE:
            host = self._reached_from()
        port = port_of(here)
        if self.listener is not None and self.listener.bound is not None:
            port = self.listener.bound[1]
        return f"{here.scheme}://{f'[{host}]' if ':' in host else host}:{port}{here.path.rstrip('/')}"

    def _reached_from(self) -> str:
        try:
            self._last = self._web.local_host()
        except AskError:
            if self._last is None:
                raise
        return self._last


def ocpi_of(bus: BusSettings, folder: Path, root: OcpiRoot, web: Web) -> OcpiPlatform:
    """`folder` is where the registration is kept."""
    file = RegistrationFile(folder / f"ocpi-{bus.id}.json")
    return OcpiPlatform(
        bus.port, OcpiParty(bus, root), web, file, frozenset(str(device.evse) for device in bus.devices)
    )
