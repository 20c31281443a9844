"""What a configuration may say, and should not: told by `yizhan check`, and no mistake."""

from collections.abc import Iterator
from pathlib import Path

from config.load import files_of
from config.mistakes import ConfigMistake
from config.schema import Settings
from config.yaml_source import read_yaml


def warnings(path: Path, settings: Settings) -> Iterator[str]:
    """`file:line: key.path: warning: what is wrong; how to mend it`."""
    sections = {"mqtt": settings.mqtt, "uplink": settings.uplink}
    for name, section in sections.items():
        exposed = [str(endpoint) for endpoint in section.endpoints if endpoint.exposed] if section is not None else []
        if exposed:
            place = read_yaml(files_of(path)).place((name, "url"))
            what = f"warning: mqtt:// to {', '.join(exposed)}: anybody on the way reads and writes along"
            yield str(ConfigMistake(place.file, place.line, f"{name}.url", what, "write mqtts://, see docs/tls.md"))
