"""What a configuration may say, and should not: told by `yizhan check`, and no mistake."""

from collections.abc import Iterator
from pathlib import Path

from config.load import files_of
from config.mistakes import ConfigMistake
from config.schema import Settings
from config.schema.base import is_loopback
from config.yaml_source import read_yaml


def warnings(path: Path, settings: Settings) -> Iterator[str]:
    """`file:line: key.path: warning: what is wrong; how to mend it`."""
    uplink = settings.uplink
    if uplink is not None and not uplink.endpoint.tls and not is_loopback(uplink.endpoint.host):
        place = read_yaml(files_of(path)).place(("uplink", "url"))
        what = "warning: anybody on the way reads and writes along"
        yield str(ConfigMistake(place.file, place.line, "uplink.url", what, "write mqtts://"))
