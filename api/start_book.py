"""What was changed by hand while nobody ran: the configuration and the files of secrets, compared at each start.

`started.json` beside the store (mode 0600, in no backup) keeps the digests of the last start; each difference is a line
of the audit trail. A digest of the configuration is what `sha256sum` says; those of secrets are told to nobody.
"""

import hashlib
import hmac
import json
import logging
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from api.access_book import AccessBook
from api.private_files import locked, replace_private
from config.files import LIST_BYTES, UnusableFileError, read_bytes, read_text
from config.load import files_of
from config.schema import Settings
from config.secret_files import secret_files
from config.yaml_file import MAX_BYTES
from gateway.model import Millis

log = logging.getLogger(__name__)

NAME = "started.json"
MANY = 20  # lines of one start; a folder of thousands of files may be replaced as a whole
SHOWN = 12  # digits of a digest
CONFIGURATION, SECRET, PARTNER = "configuration_changed", "secret_changed", "partner_link_changed"

Digests = Mapping[str, str]
Line = tuple[str, str, str]  # what, target, detail


def note_start(config: Path, settings: Settings, command: str, now: Millis) -> None:
    """Write into the audit trail what differs from the last start or reload of any process of this folder.

    An API on another machine, which has no folder, keeps nothing. A disk that takes nothing is logged.
    """
    if command == "api" and not settings.store.path.is_dir():
        return
    _note(config, settings, f"start of yizhan {command}", now)


def note_reload(config: Path, settings: Settings, who: str, why: str, now: Millis, *, told: bool = False) -> None:
    """The same at a reload; of several processes that reload, the first writes it. `told`: whoever saved the files has
    written into the trail what was changed.
    """
    if settings.store.path.is_dir():
        _note(config, settings, who if not why else f"{who} ({why})", now, told=told)


def _note(config: Path, settings: Settings, who: str, now: Millis, *, told: bool = False) -> None:
    folder = settings.store.path
    try:
        with locked(folder):
            before = _kept(folder / NAME)
            salt = before.get("salt") or secrets.token_hex(16)
            after = {"salt": salt, "files": _files(config), "secrets": _secrets(settings, salt)}
            if after != before:
                replace_private(folder / NAME, json.dumps(after).encode())
    except OSError as error:
        log.error("%s: %s; what was changed is not in the audit trail", folder / NAME, error)
        return
    book = AccessBook(folder)
    for what, target, detail in () if told else _told(before, after):
        book.note(now, who, what, target, detail)


def _told(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Line]:
    lines = [
        (CONFIGURATION, name, f"sha256 {_short(old)} → {_short(new)}")
        for name, old, new in _differences(before.get("files", {}), after["files"])
    ]
    if before:  # of secrets the first start only remembers
        lines += [
            (*_of_secret(option), "made" if old is None else "taken away" if new is None else "changed")
            for option, old, new in _differences(before.get("secrets", {}), after["secrets"])
        ]
    yield from lines[:MANY]
    if len(lines) > MANY:
        yield CONFIGURATION, "configuration", f"{len(lines) - MANY} more files changed"


def _of_secret(option: str) -> tuple[str, str]:
    parts = option.split(".")
    if parts[0] == "stations" and parts[2:] == ["partner", "token_file"]:
        return PARTNER, parts[1]
    return SECRET, option


def _differences(before: Digests, after: Digests) -> Iterator[tuple[str, str | None, str | None]]:
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old != new:
            yield name, old, new


def _short(digest: str | None) -> str:
    return "none" if digest is None else digest[:SHOWN]


def _files(config: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(read_bytes(path, path.name, MAX_BYTES)).hexdigest() for path in files_of(config)}


def _secrets(settings: Settings, salt: str) -> dict[str, str]:
    """A digest of each file with a secret. A file that can't be read is left out here and told where it is used."""
    digests = {}
    for option, path in secret_files(settings):
        if option == "api.keys_file":
            continue  # each key that is made or revoked is a line of its own
        try:
            digests[option] = hmac.new(salt.encode(), read_bytes(path, option), "sha256").hexdigest()
        except UnusableFileError:
            continue
    return digests


def _kept(path: Path) -> dict[str, Any]:
    """What the last start kept; nothing where there is none, or it is damaged."""
    try:
        kept = json.loads(read_text(path, NAME, LIST_BYTES))
        return kept if isinstance(kept, dict) else {}
    except ValueError:
        return {}
