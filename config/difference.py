"""What differs between the configuration that runs and a new one: what takes effect at once, what waits for a restart.

A station differs when its own lines do, or a default that it relies on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from config.schema import Settings, StationSettings
from config.schema.base import Model

STATIONS_ASK = ("timezone", "calendar", "privacy", "promises", "kinds")
"""Sections whose change makes every station another one."""

LIVE = frozenset((*STATIONS_ASK, "stations", "alerts", "bridge", "ocpi", "staff", "oidc", "uplinks"))
"""Sections that take effect while the process runs."""

LIVE_KEYS = frozenset(("api.display", "api.public_url", "api.subscriptions_allow_private", "api.tiles_url"))
"""Keys of other sections that do so, too."""


OF_BRIDGE = ("station", "id", "spool")
"""Keys of `bridge` that wait for a restart."""


@dataclass(frozen=True, slots=True)
class Difference:
    """From one configuration to the next.

    `added` and `changed` are the stations as they shall be, in the order of the new configuration, `removed` the ids of
    those that go. `sections`: the names of what differs beside stations. `waiting`: the keys, such as `api.listen`,
    that only a restart takes up. `settings`: what runs afterwards, with the old values of those keys.
    """

    settings: Settings
    added: tuple[StationSettings, ...] = ()
    changed: tuple[StationSettings, ...] = ()
    removed: tuple[str, ...] = ()
    sections: frozenset[str] = frozenset()
    waiting: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything that runs shall be another."""
        return bool(self.added or self.changed or self.removed or self.sections)


def difference(old: Settings, new: Settings) -> Difference:
    """What is to be done to go from `old`, which runs, to `new`."""
    waiting = tuple(sorted(_waiting(old, new)))
    kept = {name: _kept(getattr(old, name), getattr(new, name), name) for name in Settings.model_fields}
    settings = new.model_copy(update={name: value for name, value in kept.items() if name not in LIVE})
    if old.bridge is not None and new.bridge is not None:
        bridge = new.bridge.model_copy(update={name: getattr(old.bridge, name) for name in OF_BRIDGE})
        settings = settings.model_copy(update={"bridge": bridge})
    sections = {name for name in Settings.model_fields if name != "stations"
                and getattr(settings, name) != getattr(old, name)}  # fmt: skip
    before = {station.id: station for station in old.stations}
    after = {station.id for station in new.stations}
    everyone = bool(sections & set(STATIONS_ASK))
    order = [station.id for station in old.stations if station.id in after]
    if order != [station.id for station in new.stations if station.id in before]:
        sections.add("order")
    return Difference(
        settings,
        tuple(station for station in new.stations if station.id not in before),
        tuple(
            station for station in new.stations if station.id in before and (everyone or station != before[station.id])
        ),
        tuple(station.id for station in old.stations if station.id not in after),
        frozenset(sections),
        waiting,
    )


def _waiting(old: Settings, new: Settings) -> Iterator[str]:
    for name in Settings.model_fields:
        if name not in LIVE:
            yield from _differing(getattr(old, name), getattr(new, name), name)
    if old.bridge is not None and new.bridge is not None:
        for name in OF_BRIDGE:
            yield from _differing(getattr(old.bridge, name), getattr(new.bridge, name), f"bridge.{name}")


def _differing(old: Any, new: Any, path: str) -> Iterator[str]:
    """The keys below `path` that differ and can't change while running."""
    if path in LIVE_KEYS or old == new:
        return
    if isinstance(old, Model) and type(old) is type(new):
        for name in type(old).model_fields:
            yield from _differing(getattr(old, name), getattr(new, name), f"{path}.{name}")
    else:
        yield path


def _kept(old: Any, new: Any, path: str) -> Any:
    """The old section, with those of its keys anew that can change."""
    live = [key.rpartition(".")[2] for key in LIVE_KEYS if key.rpartition(".")[0] == path]
    return old.model_copy(update={name: getattr(new, name) for name in live}) if live else old
