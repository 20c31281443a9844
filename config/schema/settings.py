"""The whole configuration as one frozen tree."""

# ruff: noqa: RUF012 (pydantic copies a mutable default for each model)

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import PrivateAttr

from config.kinds import NAMES
from config.rings import ring_of
from config.schema.alerts import AlertSettings
from config.schema.api import Api, Display
from config.schema.backup import Backup
from config.schema.base import Kind, Model, TimeZone
from config.schema.bridge import Bridge
from config.schema.gateway import Calendar, GatewaySettings, KindDefaults, KindSettings, Privacy, Promises, defaults_for
from config.schema.mqtt import HomeAssistant, Mqtt
from config.schema.ocpi import Ocpi
from config.schema.staff import LoginProvider, StaffMember
from config.schema.station import AreaSettings, ResourceSettings, StationSettings
from config.schema.store import StoreSettings
from config.schema.uplink import Uplink, Uplinks


class Settings(Model):
    """Everything a configuration may say."""

    mqtt: Mqtt = Mqtt()
    """The connection to the broker."""
    store: StoreSettings = StoreSettings()
    """The journal, how long it keeps what, and the copy in InfluxDB."""
    backup: Backup | None = None
    """A copy of the store elsewhere, each day, encrypted; without it only by hand."""
    api: Api = Api()
    """The HTTP side."""
    gateway: GatewaySettings = GatewaySettings()
    """Intake and its bounds."""
    timezone: TimeZone = "Asia/Shanghai"
    """Time zone of stations that name none."""
    calendar: Calendar = Calendar()
    """Which days count as holidays."""
    privacy: Privacy = Privacy()
    """What the public may see of people and doors."""
    promises: Promises = Promises()
    """What proves that a station is open."""
    kinds: dict[Kind, KindSettings] = {}
    """Changes to the defaults of resource kinds."""
    homeassistant: HomeAssistant = HomeAssistant()
    """Announcing our resources to a Home Assistant."""
    stations: tuple[StationSettings, ...] = ()
    """The places watched."""
    alerts: AlertSettings = AlertSettings()
    """When and how staff are told."""
    staff: tuple[StaffMember, ...] = ()
    """People who log in by a provider; others hold a key."""
    oidc: tuple[LoginProvider, ...] = ()
    """Where people log in beside keys."""
    ocpi: Ocpi | None = None
    """Our charging points for apps, after OCPI 2.2.1; without it that is off."""
    bridge: Bridge | None = None
    """The firmware bridge of this box."""
    uplink: Uplink | None = None
    """The centre that this box tells; without it there is none."""
    uplinks: Uplinks = Uplinks()
    """The boxes that this centre hears."""

    _owners: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def owners(self) -> Mapping[str, str]:
        """By station: the box that tells of it, where no file of ours does."""
        return self._owners

    def with_more(self, stations: Sequence[StationSettings], owners: Mapping[str, str]) -> "Settings":
        """The same with these stations, of which boxes tell."""
        more = self.model_copy(update={"stations": (*self.stations, *stations)})
        more._owners = dict(owners)  # noqa: SLF001  of our own class
        return more

    def resources(self) -> Iterator[tuple[StationSettings, AreaSettings, ResourceSettings]]:
        """Every resource with its station and area, in the order of the configuration."""
        for station in self.stations:
            for area in station.areas:
                for resource in area.resources:
                    yield station, area, resource

    def station(self, station_id: str) -> StationSettings | None:
        """The station of this id."""
        return next((station for station in self.stations if station.id == station_id), None)

    def defaults_for(self, kind: Kind) -> KindDefaults:
        """The defaults of a kind with the changes under `kinds`."""
        return self._defaults[kind]

    @cached_property
    def _defaults(self) -> dict[Kind, KindDefaults]:
        changed = {kind: said.model_dump(exclude_none=True) for kind, said in self.kinds.items()}
        return {kind: defaults_for(kind).model_copy(update=changed.get(kind)) for kind in NAMES}

    def zone_of(self, station: StationSettings | None) -> ZoneInfo:
        """The station's time zone; that of all where the box does not know it (`mqtt:` and `bridge:` alone)."""
        return ZoneInfo((station.timezone if station is not None else None) or self.timezone)

    def display_of(self, station: StationSettings) -> Display:
        """How the station's screen is shown."""
        return station.display or self.api.display

    @property
    def command_key(self) -> Path:
        """The file with the key of commands; the gateway makes the default one."""
        return self.mqtt.command_key_file or self.store.path / "command.key"

    @property
    def keys_file(self) -> Path:
        """The file of staff keys."""
        return self.api.keys_file or self.store.path / "keys.json"

    @property
    def box_id(self) -> str:
        """What this box is called at the centre."""
        named = self.uplink.id if self.uplink is not None else None
        return named or (self.stations[0].id if self.stations else self.gateway.id)

    @property
    def ring(self) -> str:
        """When this box gets a new version."""
        asked = self.uplink.ring if self.uplink is not None else None
        return asked or ring_of(self.box_id)

    @property
    def client_id(self) -> str:
        """The gateway's client id at the broker."""
        return self.mqtt.client_id or f"yizhan-{self.gateway.id}"
