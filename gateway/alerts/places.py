"""What the configuration says of stations and resources that alerts, routes and messages need to know."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from config.schema import Settings

Text = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Places:
    """Names by language, the region path of each station, the kind and area of each resource."""

    stations: Mapping[str, Text] = field(default_factory=dict)
    regions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    zones: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[tuple[str, str], Text] = field(default_factory=dict)
    areas: Mapping[tuple[str, str], Text] = field(default_factory=dict)
    kinds: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> "Places":
        """Read off the configuration. An area without a name has none: its id is for machines."""
        found = list(settings.resources())
        return cls(
            {station.id: station.name for station in settings.stations},
            {station.id: station.region for station in settings.stations},
            {station.id: str(settings.zone_of(station)) for station in settings.stations},
            {(station.id, one.id): one.name or {} for station, _, one in found},
            {(station.id, one.id): area.name or {} for station, area, one in found},
            {(station.id, one.id): one.kind for station, _, one in found},
        )


def in_language(text: Text, lang: str, otherwise: str) -> str:
    """The text in `lang`, else in Chinese, else in whatever there is, else `otherwise`."""
    return text.get(lang) or text.get("zh") or next(iter(text.values()), otherwise)
