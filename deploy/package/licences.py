"""Under which licence each packed distribution stands, as an SPDX expression; which of them may be packed."""

from email.message import Message

ALLOWED = frozenset(
    {"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "EPL-2.0", "LGPL-3.0-or-later", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0"}
)
"""Free, and without a claim on our own work: LGPL and MPL files are packed as they are and can be replaced."""

STATED = {
    "certifi": "MPL-2.0",
    "chinesecalendar": "MIT",
    "h11": "MIT",
    "influxdb-client": "MIT",
    "iotcore": "MIT AND Apache-2.0",
    "joserfc": "BSD-3-Clause",
    "libosdp": "Apache-2.0",
    "ocpp": "MIT",
    "opening-hours-py": "MIT OR Apache-2.0",
    "pyasn1": "BSD-2-Clause",
    "pyasn1-modules": "BSD-2-Clause",
    "pymodbus": "BSD-3-Clause",
    "pyopenssl": "Apache-2.0",
    "pyserial": "BSD-3-Clause",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "pyyaml": "MIT",
    "segno": "BSD-3-Clause",
    "six": "MIT",
    "tzdata": "Apache-2.0",
    "x-wr-timezone": "LGPL-3.0-or-later",
}
"""Of those whose metadata have no expression: read from the licence text in each."""


class UnknownLicenceError(Exception):
    """Somebody must look."""


def licence_of(name: str, metadata: Message) -> str:
    """UnknownLicenceError where the metadata say none as an expression and nobody has looked, or it is not allowed."""
    expression = metadata.get("License-Expression") or STATED.get(name)
    if expression is None:
        raise UnknownLicenceError(f"{name}: read its licence, then add it to STATED")
    unknown = set(expression.replace("(", " ").replace(")", " ").split()) - {"AND", "OR", "WITH"} - ALLOWED
    if unknown:
        raise UnknownLicenceError(f"{name}: {expression} is not among the licences that may be packed")
    return expression
