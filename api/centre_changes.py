"""At a box: change sets that its centre sends for one of its stations, judged and refused like any other.

Nothing but the station's own lines may differ afterwards, and of these nothing that leads to a file, an address or a
device of another make: what a centre is never told (`config.sites.LEFT_OUT`) it can't change.
"""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.configuring import Checker, mistake_told, told
from api.running import NotReloadedError, Running
from config.edit.changing import changed
from config.edit.home import ConfigHome, digest, tag_of
from config.edit.named_files import named_files
from config.edit.saving import Author, ConflictError, save, settled
from config.edit.showing import tree_of
from config.edit.versions import MissingVersionError, Versions
from config.edit.words import ConfigChange, EditError, Op, parts_of
from config.files import UnusableFileError
from config.mistakes import ConfigErrors
from config.sites import LEFT_OUT
from gateway.base.clock import now_ms
from gateway.base.mishaps import Mishaps
from gateway.commands.answers import LONGEST_WHY, State
from gateway.policy.text import bounded

log = logging.getLogger(__name__)

Files = Mapping[str, bytes]
Answered = Callable[[State, str], None]
CONFLICT: Final = "the configuration of the box was changed meanwhile; read it again, look, and send the change anew"
LONGEST_REASON: Final = 200


class CentreChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One change, as the API takes it."""

    op: Op
    path: Annotated[str, Meta(max_length=1000)]
    value: Any | UnsetType = UNSET


class CentreChangeSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The text of a command on `yz-cmd/{station}/config`: `changes` to version `base`, or `restore` of an older one."""

    nonce: str
    expires: int
    by: str
    base: int | None = None
    why: str = ""
    changes: Annotated[list[CentreChange], Meta(max_length=500)] = []
    restore: int | None = None


class RefusedChangeError(Exception):
    """`status` as the API would answer."""

    def __init__(self, status: int, detail: str, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__(detail)
        self.status, self.errors = status, errors or []


encode_change_set = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(CentreChangeSet).decode


class CentreChanges:
    """`put` returns at once; each is carried out on a thread of its own, one at a time."""

    def __init__(self, running: Running, check: Checker, mishaps: Mishaps) -> None:
        self._running, self._check, self._mishaps = running, check, mishaps
        self._lock, self._busy = threading.Lock(), set[str]()

    def put(self, station: str, nonce: str, text: bytes, answered: Answered) -> None:
        """`answered`, on that thread, hears what came of it: JSON with the version, or what is wrong."""
        if nonce in self._busy:
            return
        self._busy.add(nonce)
        args = (station, nonce, text, answered)
        threading.Thread(target=self._run, args=args, name="centre's change", daemon=True).start()

    def _run(self, station: str, nonce: str, text: bytes, answered: Answered) -> None:
        with self._mishaps.contained("a change of the configuration that the centre asks for", station), self._lock:
            answered(*self.carry_out(station, text))
        self._busy.discard(nonce)

    def carry_out(self, station: str, text: bytes) -> tuple[State, str]:
        try:
            return "done", json.dumps(self._do(station, text), ensure_ascii=False)
        except RefusedChangeError as error:
            return "refused", _refusal(error.status, str(error), error.errors)
        except ConflictError:
            return "refused", _refusal(412, CONFLICT, [])
        except (UnusableFileError, OSError) as error:
            return "refused", _refusal(503, f"the box can't change its configuration: {error}", [])

    def _do(self, station: str, text: bytes) -> dict[str, Any]:
        try:
            order = _decode(text)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise RefusedChangeError(422, f"unreadable: {error}") from None
        home = ConfigHome(self._running.path)
        with settled(home.path) as files_so_far:
            files: Files = home.read() if files_so_far is None else files_so_far
        versions = Versions(home)
        number = self._done_before(versions, order)
        if number is None:
            self._from_base(versions, order, files)
            after = _after(versions, files, order)
            self._judge(home, station, files, after)
            author = Author(f"{bounded(order.by, 64)}@centre", now_ms(), bounded(order.why, LONGEST_REASON))
            number = save(home, after, tag_of(files), author).number
            log.info("station %s: version %d of the configuration by %s", station, number, author.who)
        return {"version": number, **self._taken_up(order)}

    @staticmethod
    def _done_before(versions: Versions, order: CentreChangeSet) -> int | None:
        """The version that it made, before a kill took the answer along."""
        base, newest = order.base or 1, versions.newest()
        if newest is None or newest.number != base + 1 or not newest.who.endswith("@centre"):
            return None
        try:
            after = _after(versions, versions.contents(versions.read(base)), order)
        except (MissingVersionError, RefusedChangeError):
            return None
        same = {name: digest(content) for name, content in after.items()} == dict(newest.files)
        return newest.number if same else None

    @staticmethod
    def _from_base(versions: Versions, order: CentreChangeSet, files: Files) -> None:
        """ConflictError where the files are others than those that the centre was told of."""
        newest = versions.newest()
        if (newest.number if newest is not None else 0) != (order.base or 0):
            raise ConflictError
        if newest is not None and dict(newest.files) != {name: digest(content) for name, content in files.items()}:
            raise ConflictError

    def _judge(self, home: ConfigHome, station: str, files: Files, after: Files) -> None:
        before_tree, tree = tree_of(files), tree_of(after)
        if _rest(before_tree, station) != _rest(tree, station):
            raise RefusedChangeError(403, f"a centre may change the lines of {station} alone, and this concerns more")
        beyond = _beyond(_station(before_tree, station), _station(tree, station))
        if beyond:
            raise RefusedChangeError(403, f"{beyond} is changed at the box alone")
        known = {name for _, name in named_files(before_tree)}
        if any(name not in known for _, name in named_files(tree)):
            raise RefusedChangeError(403, "files are named at the box alone")
        try:
            self._check(home.path, home.paths(after))
        except ConfigErrors as errors:
            mistakes = [mistake_told(mistake, tree) for mistake in errors.mistakes]
            raise RefusedChangeError(422, "; ".join(str(mistake["detail"]) for mistake in mistakes), mistakes) from None

    def _taken_up(self, order: CentreChangeSet) -> dict[str, Any]:
        try:
            reloaded = self._running.reload(f"{order.by}@centre", order.why)
        except NotReloadedError as error:
            return {"needs_restart": [], "trouble": str(error)}
        trouble = "; ".join(map(str, reloaded.mistakes)) or None
        return {"needs_restart": list(reloaded.needs_restart), "trouble": trouble}


def _after(versions: Versions, files: Files, order: CentreChangeSet) -> Files:
    """The files as they would be. RefusedChangeError."""
    if order.restore is not None:
        try:
            return versions.contents(versions.read(order.restore))
        except MissingVersionError as error:
            raise RefusedChangeError(404, str(error)) from None
    try:
        changes = [
            ConfigChange(change.op, parts_of(change.path), None if change.value is UNSET else change.value)
            for change in order.changes
        ]  # fmt: skip
        return changed(files, changes, new_files=False)
    except EditError as error:
        mistake = told(error.pointer, str(error), error.what, error.mend)
        raise RefusedChangeError(422, str(error), [mistake]) from None


def _refusal(status: int, detail: str, errors: list[dict[str, Any]]) -> str:
    """As JSON, with as many of the mistakes as an answer has room for."""
    while True:
        text = json.dumps({"status": status, "detail": detail[:1000], "errors": errors}, ensure_ascii=False)
        if len(text) <= LONGEST_WHY or not errors:
            return text
        errors = errors[:-1]


def _stations(tree: Mapping[str, Any]) -> list[Any]:
    stations = tree.get("stations")
    return stations if isinstance(stations, list) else []


def _station(tree: Mapping[str, Any], station: str) -> dict[str, Any]:
    return next((listed for listed in _stations(tree) if isinstance(listed, dict) and listed.get("id") == station), {})


def _rest(tree: Mapping[str, Any], station: str) -> Any:
    """All but the lines of this station, which stays where it is."""
    stations = [
        station if isinstance(listed, dict) and listed.get("id") == station else listed for listed in _stations(tree)
    ]  # fmt: skip
    return {**{name: value for name, value in tree.items() if name != "stations"}, "stations": stations}


def _beyond(before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """The first thing that a centre may not change and that is another one. What goes takes all that it has along."""
    was, now = _parts(before), _parts(after)
    for place, part in now.items():
        if (known := was.get(place, {})) != part:
            name = next(name for name in (*part, *known) if part.get(name) != known.get(name))
            return "/".join((*place, name))
    return None


def _parts(station: Mapping[str, Any]) -> dict[tuple[str, ...], dict[str, Any]]:
    """By its place in the station what a centre is not told of the station itself, an area or a resource."""
    parts: dict[tuple[str, ...], dict[str, Any]] = {(): _closed(station, "stations")}
    for area in _named(station.get("areas")):
        parts[area["id"],] = _closed(area, "areas")
        for resource in _named(area.get("resources")):
            parts[area["id"], resource["id"]] = _closed(resource, "resources")
    return parts


def _closed(item: Mapping[str, Any], of: str) -> dict[str, Any]:
    return {name: item[name] for name in LEFT_OUT[of] if name in item}


def _named(items: Any) -> list[dict[str, Any]]:
    """Those of a list that have a name; what else stands there the check complains of."""
    listed = items if isinstance(items, list) else []
    return [item for item in listed if isinstance(item, dict) and isinstance(item.get("id"), str)]
