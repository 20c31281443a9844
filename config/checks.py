"""Rules between several keys, told on plain data so that they show beside every other mistake.

Each check looks at what is well-formed and leaves the rest to the models.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from config.kinds import SPECS
from config.mistakes import KeyPath, dotted
from config.staff_checks import staff_checks
from config.yaml_source import ConfigSource

Found = tuple[KeyPath, Any]


def matching(data: Any, pattern: str, path: KeyPath = ()) -> list[Found]:
    """Path and value of everything that fits a pattern such as `stations.*.id`, in order."""
    fitting = [(path, data)]
    for part in pattern.split("."):
        if part == "*":
            fitting = [
                ((*here, index), item)
                for here, value in fitting
                if isinstance(value, list)
                for index, item in enumerate(value)
            ]
        else:
            fitting = [
                ((*here, part), value[part]) for here, value in fitting if isinstance(value, dict) and part in value
            ]
    return fitting


def _words(data: Any, pattern: str, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    for here, value in matching(data, pattern, path):
        if isinstance(value, str):
            yield here, value
        elif isinstance(value, list):
            yield from (((*here, index), word) for index, word in enumerate(value) if isinstance(word, str))


def _unique(source: ConfigSource, words: Iterator[tuple[KeyPath, str]], mend: str) -> None:
    first: dict[str, KeyPath] = {}
    for path, word in words:
        if first.setdefault(word, path) != path:
            place = source.place(first[word])
            source.blame(path, f"{word!r} is already {dotted(first[word])} ({place.file}:{place.line})", mend)


def _known(source: ConfigSource, pattern: str, known: set[str], what: str, data: Any = None, at: KeyPath = ()) -> None:
    """`data` at `at`: the part to look at; by default all."""
    for path, word in _words(source.data if data is None else data, pattern, at):
        if word not in known:
            names = ", ".join(sorted(known)[:8]) or "none"
            source.blame(path, f"there is no {what} {word!r}", f"take one of: {names}")


def _ids(source: ConfigSource) -> None:
    _unique(source, _words(source.data, "stations.*.id"), "give each station an id of its own")
    _unique(source, _words(source.data, "alerts.channels.*.id"), "give each channel an id of its own")
    _unique(source, _words(source.data, "bridge.buses.*.id"), "give each bus an id of its own")
    for path, station in matching(source.data, "stations.*"):
        _unique(source, _words(station, "areas.*.id", path), "give each area of a station an id of its own")
        resources = _words(station, "areas.*.resources.*.id", path)
        _unique(source, resources, "give each resource of a station an id of its own")
        _unique(source, _words(station, "checks.*.id", path), "give each check of a station an id of its own")


def _resource_types(source: ConfigSource) -> None:
    for path, resource in matching(source.data, "stations.*.areas.*.resources.*"):
        if not isinstance(resource, dict) or resource.get("type") is None or not isinstance(resource.get("kind"), str):
            continue
        kind = resource["kind"]
        if kind not in SPECS or resource["type"] in SPECS[kind].types:
            continue
        if types := SPECS[kind].types:
            source.blame(
                (*path, "type"), f"unknown {kind} type {resource['type']!r}", f"take one of: {', '.join(types)}"
            )
        else:
            source.blame((*path, "type"), f"a {kind} has no types", "remove this line")


def _entrances(source: ConfigSource) -> None:
    counting = [name for name, spec in SPECS.items() if spec.entrance or spec.counts_people]
    for key in ("entrance", "error_pct"):
        for path, resource in matching(source.data, "stations.*.areas.*.resources.*"):
            kind = resource.get("kind") if isinstance(resource, dict) else None
            if isinstance(kind, str) and kind in SPECS and kind not in counting and resource.get(key) is not None:
                source.blame((*path, key), f"a {kind} counts nobody", f"only for {', '.join(counting)}: remove it")


def _sources(source: ConfigSource) -> None:
    """One value may feed resources of different kinds, a contact a door and a safety item, but not two alike."""
    spoken: dict[str, list[tuple[KeyPath, str]]] = defaultdict(list)
    for path, item in matching(source.data, "stations.*.areas.*.resources.*"):
        value = item.get("source") if isinstance(item, dict) else None
        if isinstance(value, dict) and isinstance(value.get("topic"), str):
            part = value.get("field") or (repr(value["fields"]) if value.get("fields") else "")
            spoken[repr(item.get("kind"))].append(((*path, "source", "topic"), f"{value['topic']} {part}".strip()))
    for topics in spoken.values():
        _unique(source, iter(topics), "give each source a topic or a field of its own")


def _references(source: ConfigSource) -> None:
    stations = {word for _, word in _words(source.data, "stations.*.id")}
    channels = {word for _, word in _words(source.data, "alerts.channels.*.id")}
    regions = {word for _, word in _words(source.data, "stations.*.region")}
    for path, station in matching(source.data, "stations.*"):
        resources = {word for _, word in _words(station, "areas.*.resources.*.id")}
        _known(source, "checks.*.of", resources, "resource of this station", station, path)
    for key in ("channels", "escalate_to"):
        _known(source, f"alerts.routes.*.{key}", channels, "channel")
    _known(source, "alerts.channels.*.fallback", channels, "channel")
    if stations:  # the box of a bridge may know no stations
        _known(source, "alerts.routes.*.stations", stations, "station")
        _known(source, "alerts.routes.*.regions", regions, "region")
        _known(source, "bridge.station", stations, "station")


def _either(
    source: ConfigSource, path: KeyPath, value: dict[str, Any], first: str, second: str, *, needed: bool
) -> None:
    given = [key for key in (first, second) if value.get(key) is not None]
    if len(given) == 2:
        source.blame((*path, second), f"{first} and {second} are both given", "keep one of the two")
    elif needed and not given:
        source.blame(path, f"{first} and {second} are both missing", f"give {first} or {second}")


def _channels(source: ConfigSource) -> None:
    for path, channel in matching(source.data, "alerts.channels.*"):
        if not isinstance(channel, dict):
            continue
        smtp, wechat = channel.get("kind") == "smtp", channel.get("kind") == "wechat"
        app = channel.get("kind") == "wecom" and bool(channel.get("corp_id"))
        _either(source, path, channel, "url", "url_file", needed=not (smtp or wechat or app))
        url = channel.get("url")
        if isinstance(url, str) and channel.get("kind") != "apprise" and not url.startswith(("http://", "https://")):
            source.blame((*path, "url"), "is not a web address", "write it like https://host/path")
        for key in ("host", "sender", "to"):
            if smtp and not channel.get(key):
                source.blame(path, f"{key} is missing for a mail channel", f"add {key}:")
        wanted = (
            ("app_id", "secret_file", "template", "to") if wechat else ("agent_id", "secret_file", "to") if app else ()
        )
        for key in wanted:
            if channel.get(key) in (None, "", []):
                source.blame(path, f"{key} is missing for {'WeChat' if wechat else 'an app of WeCom'}", f"add {key}:")
        if wechat and bool(channel.get("model_id")) != bool(channel.get("device_sn")):
            source.blame(path, "model_id and device_sn belong together", "give both or none")


CALENDARS = "stations.*.areas.*.calendar.*"


def _pairs(source: ConfigSource) -> None:
    """Keys that make no sense without another."""
    for pattern in ("mqtt", "uplink", "alerts.channels.*", CALENDARS):
        for path, value in matching(source.data, pattern):
            if isinstance(value, dict) and value.get("password_file") and not value.get("username"):
                source.blame((*path, "password_file"), "is given without username", "add username:")
    for path, calendar in matching(source.data, CALENDARS):
        if isinstance(calendar, dict) and calendar.get("username") and not calendar.get("password_file"):
            source.blame(path, "username is given without password_file", "add password_file:")
    for path, mqtt in (*matching(source.data, "mqtt"), *matching(source.data, "uplink"), *matching(source.data, "api")):
        if isinstance(mqtt, dict) and bool(mqtt.get("cert_file")) != bool(mqtt.get("key_file")):
            source.blame(path, "cert_file and key_file belong together", "give both or none")


def _locations(source: ConfigSource) -> None:
    for path, location in matching(source.data, "stations.*.location"):
        if not isinstance(location, dict):
            continue
        lat, lon = location.get("lat"), location.get("lon")
        if not isinstance(lat, int | float) or not isinstance(lon, int | float):
            continue
        if abs(lat) > 90 >= abs(lon):
            source.blame(path, "lat and lon look swapped", f"write lat: {lon}, lon: {lat}")
        elif lat == lon == 0:
            source.blame(path, "0, 0 lies in the ocean", "write the station's own place, or leave location out")


def _closures(source: ConfigSource) -> None:
    for path, closure in matching(source.data, "stations.*.closures.*"):
        if isinstance(closure, dict) and str(closure.get("last", "9999")) < str(closure.get("first", "")):
            source.blame((*path, "last"), "lies before first", "swap the two days")


def _buses(source: ConfigSource) -> None:
    for path, bus in matching(source.data, "bridge.buses.*"):
        if isinstance(bus, dict) and bus.get("device") and bus.get("devices"):
            source.blame((*path, "device"), "device and devices are both given", "keep one of the two")
    _unique(source, _words(source.data, "bridge.buses.*.port"), "let one bus own each port")


Check = Callable[[ConfigSource], None]
CHECKS: tuple[Check, ...] = (
    _ids, _resource_types, _entrances, _sources, _references, _channels, _pairs, _locations, _closures, _buses,
    staff_checks,
)  # fmt: skip


def check(source: ConfigSource) -> None:
    """Adds to the source's mistakes what the rules find."""
    for rule in CHECKS:
        rule(source)
