"""Which files of a configuration are certificates that run out: our own, and those of authorities that we trust."""

from collections.abc import Iterator
from pathlib import Path

from config.schema import Settings
from config.secret_files import files_named

OURS = frozenset({"cert_file"})
AUTHORITIES = frozenset({"ca_file", "client_ca_file", "upstream_ca_file"})


def certificate_files(settings: Settings) -> Iterator[tuple[str, Path, bool]]:
    """(dotted option, its file, whether it is our own), in the order of the configuration."""
    for option, path in files_named(settings, OURS | AUTHORITIES):
        yield option, path, option.rpartition(".")[2] in OURS
