"""The kinds of resource, one file each: a file here is a kind, and needs no other line.

`python -m config.schema_json` afterwards tells editors of it.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import cast

from config.kinds.base import (
    RUNNING_ABOVE_W,
    USUAL_LOAD,
    FromPower,
    KindSignal,
    KindSpec,
    KindWords,
    Load,
    SignalType,
    Type,
)

__all__ = [
    "INSTRUMENTS",
    "NAMES",
    "RUNNING_ABOVE_W",
    "SPECS",
    "UNITS",
    "USUAL_LOAD",
    "FromPower",
    "KindSignal",
    "KindSpec",
    "KindWords",
    "Load",
    "SignalType",
    "Type",
    "named",
]


def _specs() -> Iterator[KindSpec]:
    for module in iter_modules(__path__):
        if module.name != "base" and not module.name.startswith("_"):
            yield cast("KindSpec", import_module(f"{__name__}.{module.name}").SPEC)


SPECS: Mapping[str, KindSpec] = MappingProxyType(
    {spec.name: spec for spec in sorted(_specs(), key=lambda spec: spec.order)}
)
NAMES: tuple[str, ...] = tuple(SPECS)


def named(quality: str) -> frozenset[str]:
    """The names of the kinds whose `quality`, a field of KindSpec, is true."""
    return frozenset(name for name, spec in SPECS.items() if getattr(spec, quality))


UNITS = named("counted_in_units")
INSTRUMENTS = named("instrument")
"""Those that stand beside the resources of their area, and have no `usable`."""
