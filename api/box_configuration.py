"""At a centre: the configuration of a station that a box has, as the box tells it, and change sets for it."""

import contextlib
import hashlib
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
from fastapi import HTTPException

from api.auth import Key
from api.centre_changes import CentreChange, CentreChangeSet, encode_change_set
from api.configuring import MistakesError
from api.context import ApiContext
from api.errands import SaidToBox, errands_in, followed
from config.edit.saving import ConflictError
from config.files import LIST_BYTES, UnusableFileError, read_bytes
from config.sites import path_of
from gateway.base.clock import monotonic_s
from gateway.commands import LIFE_MS

ANSWER_S: Final = 8.0
"""So long a box whose line stands has to check, save and take up what was changed."""
TOLD_S: Final = 3.0
"""So long the box has to tell the new lines once it has saved them. Who saves again before has lines of before."""
ASK_AGAIN_S: Final = 0.05
LONGEST_SET: Final = 40_000
"""Bytes of a change set that fit into a command."""


@dataclass(frozen=True, slots=True)
class BoxStation:
    """A station as its box told it last; `version` of the box's files."""

    station: str
    box: str
    version: int | None
    lines: dict[str, Any]
    tag: str


class BoxConfiguration:
    """The configuration of boxes' stations, as the routes ask for and change it."""

    def __init__(self, context: ApiContext) -> None:
        self._context = context

    def has(self, station: str) -> bool:
        """Whether its lines stand in the files of a box."""
        return station in self._context.settings.owners

    def now(self, station: str, key: Key) -> BoxStation:
        """404 for a station that no box has, or that the key does not cover."""
        settings = self._context.settings
        known, box = settings.station(station), settings.owners.get(station)
        if known is None or box is None or not key.covers(station, known.region):
            raise HTTPException(404, "there is no station of a box of this name for this key")
        try:
            payload = read_bytes(path_of(settings.store.path, station), "site", LIST_BYTES)
        except UnusableFileError as error:
            raise HTTPException(503, f"what the box told of the station can't be read: {error}") from None
        site = json.loads(payload)
        tag = hashlib.sha256(payload).hexdigest()[:32]
        return BoxStation(station, box, site.get("version"), site["station"], tag)

    def change(self, now: BoxStation, changes: Sequence[dict[str, Any]], key: Key, why: str) -> dict[str, Any]:
        """`changes` as the API takes them. See `_said`."""
        meant = [CentreChange(change["op"], change["path"], change.get("value", msgspec.UNSET)) for change in changes]
        return self._said(now, self._order(now, key, why, changes=meant))

    def restore(self, now: BoxStation, number: int, key: Key, why: str) -> dict[str, Any]:
        return self._said(now, self._order(now, key, why or f"back to version {number}", restore=number))

    def _order(self, now: BoxStation, key: Key, why: str, **more: Any) -> CentreChangeSet:
        expires = self._context.now() + LIFE_MS // 2
        return CentreChangeSet(secrets.token_hex(16), expires, key.name, now.version, why, **more)

    def _said(self, now: BoxStation, order: CentreChangeSet) -> dict[str, Any]:
        """What the box made of it, or that it waits. MistakesError, ConflictError, HTTPException as the box says."""
        self._one_at_a_time(now.station)
        text = encode_change_set(order)
        if len(text) > LONGEST_SET:
            raise HTTPException(413, "more than one command to a box holds; send it in parts")
        if self._context.command is None:
            raise HTTPException(503, "there is no gateway to tell; try again when one is running")
        try:
            self._context.command(f"yz-cmd/{now.station}/config", text)
        except ConnectionError as error:
            raise HTTPException(503, "the gateway can't be reached at the moment; try again") from error
        box = followed(self._context.settings, now.station, order.nonce, ANSWER_S)
        if box is None:
            raise HTTPException(503, "the box has not told of itself yet; try again when its line stands")
        answer = _answer(box)
        if box.state == "done":
            self._wait_for(now.station, answer.get("version"))
        return answer

    def _one_at_a_time(self, station: str) -> None:
        """409 while a change waits for the box: another one, made of the same lines, would be refused there."""
        for errand in errands_in(self._context.settings.store.path):
            if (errand.station, errand.what, errand.state) == (station, "config", "waiting"):
                raise HTTPException(
                    409, f"a change by {errand.by} waits for box {errand.box}; what comes of it is told on /boxes"
                )

    def _wait_for(self, station: str, version: Any) -> None:
        """Until the box has told the lines of this version, so that whoever reads next reads them; not for long."""
        path, end = path_of(self._context.settings.store.path, station), monotonic_s() + TOLD_S
        while isinstance(version, int) and _version_in(path) < version and monotonic_s() < end:
            time.sleep(ASK_AGAIN_S)


def _version_in(path: Path) -> int:
    """The version of the box's files that the site was told; 0 where there is none."""
    with contextlib.suppress(UnusableFileError, ValueError):
        return int(json.loads(read_bytes(path, "site", LIST_BYTES)).get("version") or 0)
    return 0


def _answer(box: SaidToBox) -> dict[str, Any]:
    if box.state == "waiting":
        return {"box": box}
    said = _said(box.why)
    if box.state == "done":
        return {name: said.get(name) for name in ("version", "needs_restart", "trouble")} | {"box": box}
    detail, errors = f"box {box.box} refuses: {said.get('detail', box.why)}", said.get("errors") or []
    if said.get("status") == 412:
        raise ConflictError
    if errors:
        raise MistakesError(errors)
    status = said.get("status")
    raise HTTPException(status if status in (403, 404, 422, 503) else 409, detail)


def _said(why: str) -> dict[str, Any]:
    """What a box answers to a change set; empty where it is no such answer."""
    try:
        said = json.loads(why)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
