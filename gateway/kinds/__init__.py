"""What each kind makes of its messages: its own rule, the one of units, or the one that its signals declare."""

from importlib import import_module
from importlib.util import find_spec
from typing import cast

from config.kinds import SPECS, KindSpec
from gateway.kinds.base import KindRule
from gateway.kinds.declared import Declared
from gateway.kinds.known import Known
from gateway.kinds.units import CountedUnits
from gateway.model import KindName

__all__ = ["KINDS", "KindRule", "Known", "rule_of"]


def rule_of(spec: KindSpec) -> KindRule:
    """The one in the file of its name, if there is one."""
    name = f"{__name__}.{spec.name}"
    if find_spec(name) is not None:
        return cast("KindRule", import_module(name))
    return CountedUnits(spec) if spec.counted_in_units else Declared(spec)


KINDS: dict[KindName, KindRule] = {name: rule_of(spec) for name, spec in SPECS.items()}
