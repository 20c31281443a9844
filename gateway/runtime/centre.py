"""The side of a gateway that is a box of some centre: the line there, and who of the two tells people of its alerts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from config.schema import StationSettings
from config.schema.uplink import Uplink
from config.sites import site_of
from gateway.base.clock import now_ms
from gateway.runtime.parts import Share, mine, suffix
from gateway.runtime.who_tells import Teller, WhoTells, teller_of
from gateway.uplink.line import UplinkLine, line_of
from gateway.uplink.report import BoxReport
from gateway.uplink.status import UplinkMetrics

if TYPE_CHECKING:
    from gateway.runtime.gateway import Gateway


class CentreSide:
    """`line`: None where no centre is configured."""

    def __init__(
        self, gateway: "Gateway", stations: Sequence[StationSettings], share: Share | None, version: str
    ) -> None:
        """`stations` are those of this gateway."""
        self._gateway, self._share, self._version = gateway, share, version
        uplink = gateway.settings.uplink
        self.line = self._line(uplink, [station.id for station in stations]) if uplink is not None else None
        box_lines = gateway.pipeline.live.box_lines
        gateway.alerting.dispatch.told_elsewhere = WhoTells(box_lines, self._centre_tells).elsewhere

    def _line(self, uplink: Uplink, stations: list[str]) -> UplinkLine:
        gateway, ending = self._gateway, suffix(self._share)
        report = BoxReport(
            gateway.settings.box_id + ending, self._version, gateway.started_at, gateway.store.folder,
            uplink.cert_file, alerts=self._who_tells, walls=lambda: gateway.alerting.watch.screens.walls,
            ring=gateway.settings.ring, config_version=lambda: gateway.config_version() or None,
            obeys=uplink.command_key_file is not None,
        )  # fmt: skip
        relaying = gateway.relaying
        line = line_of(
            gateway.settings, uplink, gateway.store, stations, suffix=ending, write=gateway.writer.write,
            mishaps=gateway.mishaps, report=report.told, command=relaying.from_centre, to_bridge=relaying.to_bridge,
        )  # fmt: skip
        relaying.follow(line)
        if uplink.confirm == "centre":
            gateway.intake.committing.confirming.upto = lambda: line.upto
            line.on_confirmed = gateway.session.wake
        return line

    def _centre_tells(self) -> bool:
        """People are told of our alerts by the centre, which can be reached."""
        line, uplink = self.line, self._gateway.settings.uplink
        return line is not None and uplink is not None and uplink.alerts == "centre" and line.session.connected

    def _who_tells(self) -> Teller:
        settings = self._gateway.settings
        channels = [channel.id for channel in settings.alerts.channels]
        failing = self._gateway.alerting.dispatch.failing(now_ms()).keys() & set(channels)
        return teller_of(settings.uplink.alerts if settings.uplink else "box", len(channels), len(failing))

    def start(self) -> None:
        if self.line is not None:
            self.tell_sites()
            self.line.start()

    def end(self, timeout_s: float) -> None:
        if self.line is not None:
            self.line.end(timeout_s)

    def tell_sites(self) -> None:
        """Have the centre told of our stations as they are configured now."""
        line, settings = self.line, self._gateway.settings
        if line is not None:
            version = self._gateway.config_version()
            stations = mine(settings.stations, self._share)
            box = line.outbound.box
            line.configure({station.id: site_of(settings, station, box, version) for station in stations})

    @property
    def trouble(self) -> str | None:
        """Why the centre gets nothing; None while all is well."""
        return self.line.trouble if self.line is not None else None

    def metrics(self) -> UplinkMetrics | None:
        return self.line.metrics() if self.line is not None else None
