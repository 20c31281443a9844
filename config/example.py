"""The lines of config/example.yaml that name every kind: written anew; all else in it is written by hand."""

import re
from collections.abc import Sequence
from pathlib import Path

from config.kinds import SPECS, KindSpec

TARGET = Path(__file__).with_name("example.yaml")


def example_text(text: str) -> str:
    """The example `text` with every kind as it is declared now; ValueError where one of its lists can't be found."""
    muted = ", ".join(name for name, spec in SPECS.items() if spec.muted_when_closed and not spec.vital)
    text = _replaced(text, r"  #\w+: \{ttl_s: .*\}", [_defaults(spec) for spec in SPECS.values()])
    return _replaced(text, r"  #mute_when_closed: .*", [f"  #mute_when_closed: [{muted}]"])


def _defaults(spec: KindSpec) -> str:
    return f"  #{spec.name}: {{ttl_s: {spec.ttl_s}, reporting: {spec.reporting}, away_s: 0}}"


def _replaced(text: str, line: str, lines: Sequence[str]) -> str:
    """The one block of lines that look like `line` gives way to `lines`."""
    block = "".join(f"{new}\n" for new in lines)
    text, count = re.subn(rf"(?m)^(?:{line}\n)+", lambda _: block, text)
    if count != 1:
        raise ValueError(f"{TARGET.name}: there must be one block of lines like {line!r}, not {count}")
    return text
