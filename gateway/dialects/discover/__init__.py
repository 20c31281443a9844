"""From overheard traffic to findings: which devices speak here, in which dialect, and the config lines for them. Pure.

A caretaker listens for a minute, copies a line, and gives it the right id.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import yaml

from config.kinds import SPECS
from gateway.dialects import (
    DIALECTS,
    BadSource,
    Overheard,
    Source,
    Unreadable,
    bind,
    ear,
    senml,
    topics_of,
    zigbee2mqtt,
)
from gateway.dialects.base import read_object
from gateway.dialects.shared import lorawan
from gateway.dialects.shared.facts import FACTS, MAINS
from gateway.model import KindName, Resource

LIMIT: Final = 5_000  # findings kept; a flood of topics must not fill the memory
SAMPLES, SAMPLE_BYTES = 4, 8_192  # messages kept of each device, to try its lines on
LISTEN_TO: Final = ("#",)

# Which kinds a fact can feed, the likeliest first.
_KINDS: Final = {
    fact: tuple(name for name, spec in SPECS.items() if fact in spec.found_by)
    for fact in {fact for spec in SPECS.values() for fact in spec.found_by}
}
_GUESSES: Final = {one.key: one.fact for one in (*zigbee2mqtt.NAMES, *senml.NAMES, *lorawan.NAMES)} | {
    "free": "free", "status": "status", "ready": "ready", "power_w": "power_w", "battery_pct": "battery_pct",
}  # fmt: skip
# Devices of ours come first; what is guessed from plain JSON comes last.
_ORDER: Final = tuple(sorted(DIALECTS, key=lambda dialect: (dialect == "json", dialect != "native", dialect)))
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./@][A-Za-z0-9_./@-]*")


@dataclass(frozen=True, slots=True)
class Finding:
    """One device: its dialect, the topic to configure, what it reports, a ready line for each kind it could feed."""

    dialect: str
    topic: str
    reports: tuple[str, ...]
    lines: tuple[str, ...]
    messages: int
    unused: tuple[str, ...] = ()
    """Why there is no line for a kind that it seems to feed."""


@dataclass(slots=True)
class _Device:
    heard: Overheard
    paths: dict[str, str]
    messages: int = 0
    said: dict[str, bytes] = field(default_factory=dict)  # topic → the last message, to try the lines on


class DiscoveryListener:
    """Takes every message of the broker, keeps what it learns of devices. Never raises."""

    def __init__(self) -> None:
        self._devices: dict[tuple[str, str], _Device] = {}
        self._ears = {dialect: ear(dialect) for dialect in _ORDER}
        self._taken = tuple(topic for dialect in DIALECTS for topic in topics_of(dialect))

    def hear(self, topic: str, payload: bytes) -> None:
        """One message, retained or not."""
        if topic.startswith(("yz-", "$")):
            return
        try:
            dialect, heard, paths = self._listen(topic, payload)
        except Unreadable:
            return
        if heard is not None and not any(spoken.startswith("yz-") for spoken in heard.speaks_on):
            self._note(dialect, heard, paths, topic, payload)

    def _listen(self, topic: str, payload: bytes) -> tuple[str, Overheard | None, dict[str, str]]:
        for dialect, listen in self._ears.items():
            heard = listen(topic, payload)
            if heard is not None:
                return dialect, heard, {}
        paths = dict(_guesses(read_object(payload)))
        return "json", Overheard(topic, tuple(paths)) if paths else None, paths

    def _note(self, dialect: str, heard: Overheard, paths: dict[str, str], topic: str, payload: bytes) -> None:
        known = self._devices.get((dialect, heard.topic))
        if known is None:
            if len(self._devices) >= LIMIT:
                return
            known = self._devices[dialect, heard.topic] = _Device(heard, paths)
        facts = tuple(dict.fromkeys((*known.heard.facts, *heard.facts)))
        known.heard = Overheard(
            heard.topic, facts, heard.name or known.heard.name, heard.speaks_on or known.heard.speaks_on
        )
        known.paths |= paths
        known.messages += 1
        if heard.facts and len(payload) <= SAMPLE_BYTES and (topic in known.said or len(known.said) < SAMPLES):
            known.said[topic] = payload

    def findings(self) -> list[Finding]:
        """What was heard so far, dialect by dialect; a device that several dialects know is listed in its own."""
        own = {topic for dialect, topic in self._devices if dialect not in ("homeassistant", "json")}
        announced = {
            topic
            for (dialect, _), device in self._devices.items()
            if dialect == "homeassistant"
            for topic in device.heard.speaks_on
        }
        kept = [
            _finding(dialect, topic, device)
            for (dialect, topic), device in self._devices.items()
            if not (dialect == "json" and (topic in announced or topic.startswith(self._taken) or _below(topic, own)))
            and not any(_below(spoken, own) for spoken in device.heard.speaks_on)
        ]
        return sorted(kept, key=lambda finding: (_ORDER.index(finding.dialect), finding.topic))


def as_json(findings: list[Finding]) -> list[dict[str, object]]:
    """For a staff page: dialect, topic, reports, lines, messages."""
    return [
        {
            "dialect": finding.dialect, "topic": finding.topic, "reports": list(finding.reports),
            "lines": list(finding.lines), "messages": finding.messages, "unused": list(finding.unused),
        }
        for finding in findings
    ]  # fmt: skip


def _below(topic: str, bases: set[str]) -> bool:
    steps = topic.split("/")
    return any("/".join(steps[:depth]) in bases for depth in range(1, len(steps) + 1))


def _finding(dialect: str, topic: str, device: _Device) -> Finding:
    """With the lines that read the very messages they came from; of the others, why they don't."""
    lines, unused = [], []
    for kind, line in _lines(dialect, device):
        why = None if dialect == "native" else _trouble(kind, line, device.said)
        if why is None:
            lines.append(line)
        else:
            unused.append(f"{kind}: {why}")
    return Finding(dialect, topic, device.heard.facts, tuple(lines), device.messages, tuple(unused))


def _trouble(kind: KindName, line: str, said: dict[str, bytes]) -> str | None:
    """Binds the line as the gateway would, and reads what was heard; None if that tells the kind's value."""
    written = yaml.safe_load(line)[0]
    resource = Resource("s", "a", written["id"], kind, written["id"], written.get("type"))
    try:
        decoder = bind(Source(**written["source"]), resource)
    except BadSource as error:
        return str(error)
    _, needed = MAINS[kind]
    why = f"what was heard tells no value of a {kind}"
    for topic, payload in said.items():
        try:
            decoded = decoder.decode(topic, payload, 0)
        except Unreadable as error:
            why = f"what was heard can't be read ({error.reason})"
            continue
        if decoded is not None and not needed.isdisjoint(decoded.signals):
            return None
    # A described device speaks later, on the topics that it has named.
    return None if written["source"]["dialect"] == "homeassistant" and len(decoder.filters) > 1 else why


def _lines(dialect: str, device: _Device) -> Iterator[tuple[KindName, str]]:
    """One config line for each kind that these facts could feed."""
    heard = device.heard
    name = _slug(heard.name or _last_step(heard.topic))
    for kind in dict.fromkeys(kind for fact in heard.facts for kind in _KINDS.get(fact, ())):
        usual = _type_of(kind, heard.facts)
        sort = "" if usual is None else f", type: {usual}"
        if "battery_pct" in heard.facts:
            sort += ", power: battery"
        if dialect == "native":
            yield kind, f"- {{id: {name}, kind: {kind}{sort}}}"
            continue
        source = f"dialect: {dialect}, topic: {_quoted(heard.topic)}"
        if dialect == "json":
            fed = {FACTS[kind][fact]: path for fact, path in device.paths.items() if fact in FACTS[kind]}
            source += f", fields: {{{', '.join(f'{signal}: {_quoted(path)}' for signal, path in fed.items())}}}"
        yield kind, f"- {{id: {name}, kind: {kind}{sort}, source: {{{source}}}}}"


def _type_of(kind: KindName, facts: tuple[str, ...]) -> str | None:
    """The one that these facts are about, else the usual one."""
    spec = SPECS[kind]
    told = (name for name, sort in spec.types.items() if sort.told_by and sort.told_by[0] in facts)
    return next(told, spec.usual_type)


def _last_step(topic: str) -> str:
    steps = [step for step in topic.split("/") if step not in ("config", "state", "up", "event", "tele")]
    return steps[-1] if steps else topic


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "device"


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) and not text.isdecimal() else json.dumps(text, ensure_ascii=False)


def _guesses(body: dict[str, object], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """(fact, path) of leaves with telling names."""
    for key, value in body.items():
        step = f"'{key}'" if "." in key else key
        if isinstance(value, dict) and depth < 4:
            yield from _guesses(value, f"{prefix}{step}.", depth + 1)
        elif key in _GUESSES and "'" not in key and isinstance(value, bool | str | int | float):
            yield _GUESSES[key], f"{prefix}{step}"
