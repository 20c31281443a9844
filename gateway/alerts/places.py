"""What the configuration says of stations and resources that alerts, routes and messages need to know."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from config.called import called
from config.schema import Settings

Text = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Places:
    """Names by language, the region path of each station, the kind and area of each resource.

    `kinds` has every resource, `types` those that have one, `resources` and `areas` only those that have a name.
    """

    stations: Mapping[str, Text] = field(default_factory=dict)
    regions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    zones: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[tuple[str, str], Text] = field(default_factory=dict)
    areas: Mapping[tuple[str, str], Text] = field(default_factory=dict)
    kinds: Mapping[tuple[str, str], str] = field(default_factory=dict)
    types: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def called(self, station: str, resource: str, lang: str) -> str:
        """What people call a resource: its name, else its kind and number, else its id."""
        key = (station, resource)
        otherwise = called(self.kinds.get(key, ""), self.types.get(key), resource, lang)
        return in_language(self.resources.get(key, {}), lang, otherwise)

    @classmethod
    def of(cls, settings: Settings) -> "Places":
        """Read off the configuration. An area without a name has none: its id is for machines."""
        placed = [((station.id, item.id), area.name, item) for station, area, item in settings.resources()]
        return cls(
            {station.id: station.name for station in settings.stations},
            {station.id: station.region for station in settings.stations},
            {station.id: str(settings.zone_of(station)) for station in settings.stations},
            {key: item.name for key, _, item in placed if item.name},
            {key: area for key, area, _ in placed if area},
            {key: item.kind for key, _, item in placed},
            {key: item.type for key, _, item in placed if item.type},
        )

    def beside(self, older: "Places") -> "Places":
        """With the names of what only `older` has."""
        return Places(
            {**older.stations, **self.stations},
            {**older.regions, **self.regions},
            {**older.zones, **self.zones},
            {**older.resources, **self.resources},
            {**older.areas, **self.areas},
            {**older.kinds, **self.kinds},
            {**older.types, **self.types},
        )


def in_language(text: Text, lang: str, otherwise: str) -> str:
    """The text in `lang`, else in Chinese, else in whatever there is, else `otherwise`."""
    return text.get(lang) or text.get("zh") or next(iter(text.values()), otherwise)
