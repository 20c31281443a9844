"""What each kind makes of its messages: its own rule, or the one that its signals declare."""

from importlib import import_module
from importlib.util import find_spec
from typing import cast

from config.kinds import SPECS, KindSpec
from gateway.kinds.base import KindRule
from gateway.kinds.declared import Declared
from gateway.kinds.known import Known
from gateway.model import KindName

__all__ = ["KINDS", "KindRule", "Known"]


def _rule(spec: KindSpec) -> KindRule:
    name = f"{__name__}.{spec.name}"
    return cast("KindRule", import_module(name)) if find_spec(name) is not None else Declared(spec)


KINDS: dict[KindName, KindRule] = {name: _rule(spec) for name, spec in SPECS.items()}
