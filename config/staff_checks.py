"""Rules between `staff`, `oidc` and the rest of a configuration; see `config.checks`."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from config.mistakes import KeyPath
from config.yaml_source import ConfigSource

WAYS_IN = ("key", "code", "passkey")  # what sessions and the audit trail call the others
WANTED = {"oidc": ("issuer", "client_id"), "wecom": ("corp_id", "agent_id", "secret_file")}
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def staff_checks(source: ConfigSource) -> None:
    """Adds to the source's mistakes what is wrong with people and providers."""
    providers = [(path, item) for path, item in _items(source.data, "oidc")]
    people = [(path, item) for path, item in _items(source.data, "staff")]
    for path, provider in providers:
        _provider(source, path, provider)
    known = {str(provider.get("id")) for _, provider in providers}
    taken: dict[tuple[str, str, str], str] = {}
    for path, person in people:
        _reach(source, path, person)
        for at, login in _items(person, "logins", path):
            _login(source, at, login, person, known, taken)
    for name, items in (("provider", providers), ("person", people)):
        _unique_ids(source, items, name)
    if providers and not _address(source.data):
        what = "api.public_url is missing: a provider sends people back to one address alone"
        source.blame(providers[0][0], what, "add public_url: under api:")


def _items(data: Any, name: str, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Mapping[str, Any]]]:
    items = data.get(name) if isinstance(data, dict) else None
    if isinstance(items, list):
        yield from (((*path, name, number), item) for number, item in enumerate(items) if isinstance(item, dict))


def _unique_ids(source: ConfigSource, items: list[tuple[KeyPath, Mapping[str, Any]]], what: str) -> None:
    seen = set[str]()
    for path, item in items:
        name = str(item.get("id"))
        if name in seen:
            source.blame((*path, "id"), f"there is another {what} {name!r}", f"give each {what} an id of its own")
        seen.add(name)


def _address(data: Any) -> str | None:
    api = data.get("api") if isinstance(data, dict) else None
    address = api.get("public_url") if isinstance(api, dict) else None
    return address if isinstance(address, str) else None


def _provider(source: ConfigSource, path: KeyPath, provider: Mapping[str, Any]) -> None:
    if provider.get("id") in WAYS_IN:
        source.blame((*path, "id"), f"{provider['id']} is another way to log in", "give the provider an id of its own")
    kind = provider.get("kind", "oidc")
    for key in WANTED.get(kind, ()) if isinstance(kind, str) else ():
        if provider.get(key) in (None, ""):
            source.blame(path, f"{key} is missing for a provider of kind {kind}", f"add {key}:")
    issuer = provider.get("issuer")
    if isinstance(issuer, str) and issuer.startswith("http://") and not provider.get("allow_private"):
        source.blame((*path, "issuer"), "is not https: anybody on the way could be anybody", "write https://")


def _login(
    source: ConfigSource,
    path: KeyPath,
    login: Mapping[str, Any],
    person: Mapping[str, Any],
    known: set[str],
    taken: dict[tuple[str, str, str], str],
) -> None:
    provider, user, group = login.get("provider"), login.get("user"), login.get("group")
    if isinstance(provider, str) and provider not in known:
        names = ", ".join(sorted(known)) or "none"
        source.blame((*path, "provider"), f"there is no provider {provider!r}", f"take one of: {names}")
    if bool(user) == bool(group):
        source.blame(path, "user and group are both given or both missing", "give one of the two")
        return
    if group and person.get("role") == "admin":
        source.blame((*path, "group"), "a group can't be admin", "name each admin as a person of their own, by user")
    mark = (str(provider), "user" if user else "group", str(user or group))
    if mark in taken:
        what = f"{mark[2]!r} at {mark[0]} is {taken[mark]} already"
        source.blame(path, what, "let each log in as one person")
    taken.setdefault(mark, str(person.get("id")))


def _reach(source: ConfigSource, path: KeyPath, person: Mapping[str, Any]) -> None:
    data = source.data
    if isinstance(data.get("uplinks"), dict) and data["uplinks"].get("accept"):
        return  # boxes tell of stations that do not stand here
    stations = [item for _, item in _items(data, "stations")]
    ids = {str(item.get("id")) for item in stations}
    regions = {str(name) for item in stations for name in _words(item.get("region"))}
    for key, names in (("stations", ids), ("regions", regions)):
        for number, word in enumerate(_words(person.get(key))):
            wanted = word if key == "stations" else word.strip("/").rpartition("/")[2]
            if wanted not in names:
                at = (*path, key, number) if isinstance(person.get(key), list) else (*path, key)
                shown = ", ".join(sorted(names)[:8]) or "none"
                source.blame(at, f"there is no {key[:-1]} {word!r}", f"take one of: {shown}")


def _words(value: Any) -> list[str]:
    """What else stands there, its type's own check tells."""
    listed = value if isinstance(value, list) else [value]
    return [word for word in listed if isinstance(word, str)]


def callback_of(public_url: str, provider: str) -> str:
    """The address that has to be registered at the provider: where it sends people back to."""
    return f"{public_url.rstrip('/')}/login/{provider}/back"


def is_safe_origin(public_url: str) -> bool:
    """Whether browsers take the address for safe: https, or this very machine."""
    parts = urlsplit(public_url)
    return parts.scheme == "https" or parts.hostname in LOOPBACK
