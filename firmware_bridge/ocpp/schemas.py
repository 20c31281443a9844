"""The official JSON schemas, as the package `ocpp` ships them, and which CALLERROR a payload deserves.

What is said of a fault names the place in the payload and the rule, never the value: it may be an idTag.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from jsonschema import Draft4Validator, ValidationError
from ocpp.messages import MessageType, get_validator

OcppVersion = Literal["1.6", "2.0.1", "2.1"]
SUBPROTOCOLS: dict[str, OcppVersion] = {"ocpp2.1": "2.1", "ocpp2.0.1": "2.0.1", "ocpp1.6": "1.6"}
"""In the order in which we would rather speak them."""

_FORMAT: dict[OcppVersion, str] = {"1.6": "FormationViolation", "2.0.1": "FormatViolation", "2.1": "FormatViolation"}
_OCCURRENCE: dict[OcppVersion, str] = {
    "1.6": "OccurenceConstraintViolation",  # as the standard spells it
    "2.0.1": "OccurrenceConstraintViolation",
    "2.1": "OccurrenceConstraintViolation",
}


@dataclass(frozen=True, slots=True)
class SchemaFault:
    """Why a payload is refused: the code of a CALLERROR, and a text."""

    code: str
    text: str


def format_code(version: OcppVersion) -> str:
    """The code for what is no message at all."""
    return _FORMAT[version]


@cache
def actions(version: OcppVersion) -> frozenset[str]:
    """Every action of a version, whoever may start it."""
    folder = files("ocpp").joinpath(f"v{version.replace('.', '')}/schemas")
    names = {entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json")}
    answers = {name for name in names if name.endswith("Response")}
    return frozenset(name.removesuffix("Request") for name in names - answers)


def request_fault(action: str, version: OcppVersion, payload: Any) -> SchemaFault | None:
    """What is wrong with the payload of a call; None for nothing. `action` is one of `actions`."""
    return _fault(get_validator(MessageType.Call, action, version), version, payload)


def answer_fault(action: str, version: OcppVersion, payload: Any) -> SchemaFault | None:
    """What is wrong with the payload of an answer; None for nothing."""
    return _fault(get_validator(MessageType.CallResult, action, version), version, payload)


def _fault(validator: Draft4Validator, version: OcppVersion, payload: Any) -> SchemaFault | None:
    error: ValidationError | None = next(validator.iter_errors(payload), None)
    if error is None:
        return None
    place = "/".join(str(part) for part in error.absolute_path) or "the payload"
    return SchemaFault(_code(str(error.validator), version), f"{place[:120]}: {_said(error)}")


def _code(rule: str, version: OcppVersion) -> str:
    if rule == "type":
        return "TypeConstraintViolation"
    if rule in ("required", "minItems", "maxItems"):
        return _OCCURRENCE[version]
    if rule == "additionalProperties":
        return _FORMAT[version]
    return "PropertyConstraintViolation"


def _said(error: ValidationError) -> str:
    """The rule in words that hold nothing of the value."""
    if error.validator == "required":
        missing = sorted(set(error.validator_value) - set(error.instance))
        return f"lacks {', '.join(missing)}"
    if error.validator == "additionalProperties":
        return "has a property that the schema does not know"
    if error.validator == "enum":
        return "is none of the words that the schema knows"
    return f"breaks {error.validator} {str(error.validator_value)[:60]}"
