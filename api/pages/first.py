"""What a phone page says of its station before any script: every place in its word, with the time at which it was so.

The same elements as the scripts draw (hero.js, row.js, tile.js), so that these find them and take over. A page without
script can't take anything back, so all of it is told as of its time, and the style sheet puts out the lamp after
`holds_s` seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import UNSET

from api.pages.place import PagePlace
from api.pages.standing import SHUT, ShownKind, groups, key_of, reason, shown, things, word_of
from api.pages.wordlist import Speaker
from config.kinds import SPECS
from gateway.base.local_time import local_of
from gateway.base.times import from_rfc3339
from gateway.live.station_document import ShownInstrument, ShownResource, StationDocument
from gateway.model import Millis

DAY_MS: Final = 24 * 3_600_000
MOST_HOLD_S: Final = 3600
PARTS: Final = ("as_of", "door", "door_second", "hero", "rows", "tiles", "danger")
EMPTY: Final[Mapping[str, str]] = dict.fromkeys(PARTS, "")
MARKED: Final = ("fault", "maintenance", "closed")
UNITS_DRAWN: Final = 60
MANY: Final = 12


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks: the page's language and the second one, in the zone of the station, at `now`."""

    say: Speaker
    second: Speaker
    zone: ZoneInfo
    now: Millis
    place: PagePlace

    def at(self, moment: Millis) -> str:
        """14:17 today; with the day when it is another one."""
        local, today = local_of(moment, self.zone), local_of(self.now, self.zone)
        if local.date() == today.date():
            return f"{local:%H:%M}"
        if local.date() == local_of(self.now + DAY_MS, self.zone).date():
            return self.say("tomorrow", at=f"{local:%H:%M}")
        return f"{local.month}/{local.day} {local:%H:%M}"


def parts(document: StationDocument, voice: Voice) -> dict[str, str]:
    """HTML by the names of PARTS."""
    counted = groups(document)
    door = next((thing for thing in things(document) if thing.kind in SPECS and SPECS[thing.kind].entrance), None)
    alone = [thing for thing in things(document) if thing is not door or not counted]
    first_at = voice.say("first_at", at=voice.at(voice.now))
    away = voice.say("alert.shard_away") if document.watched is False else ""
    return {
        "as_of": escape(" · ".join(filter(None, (first_at, away)))),
        "door": escape(hours_text(document, voice, voice.say)),
        "door_second": escape(hours_text(document, voice, voice.second)),
        "hero": _hero(counted[0], document, voice) if counted else "",
        "rows": "".join(_row(group, document, voice) for group in counted[1:]),
        "tiles": "".join(_tile(thing, document, voice) for thing in alone),
        "danger": "".join(
            _danger(instrument, document, voice) for instrument in document.instruments() if instrument.alarm
        ),
    }


def holds_s(document: StationDocument, now: Millis) -> int:
    """For how many seconds all of it may be told; 0 where nothing is live."""
    ends = [document.valid_until, document.open.until]
    left = [from_rfc3339(end) - now for end in ends if end is not None]
    return max(0, min([MOST_HOLD_S, *(ms // 1000 for ms in left)])) if document.valid_until is not None else 0


def hours_text(document: StationDocument, voice: Voice, say: Speaker) -> str:
    """Open until when, or when it opens."""
    every = shown(document)
    if every and all(resource.health == "maintenance" for resource in every):
        return say("in_repair")
    ends = document.open.until
    until = None if ends is None else Voice(say, say, voice.zone, voice.now, voice.place).at(from_rfc3339(ends))
    if document.open.now == "yes":
        return say("open_until", at=until) if until else say("open_24")
    if document.open.now == "no":
        gap = ", " if say.lang == "en" else " "
        return gap.join(filter(None, (say("closed_now"), say("opens", at=until) if until else "")))
    return say("hours_unknown")


def _hero(group: ShownKind, document: StationDocument, voice: Voice) -> str:
    say, tally = voice.say, group.tally
    if tally.form in ("exact", "atleast"):
        least = f'<span class="least">{say("at_least")}</span>' if tally.form == "atleast" else ""
        rest = say("more_unknown", n=tally.most - tally.least, unit=say.kind(group.key, ".unit"))
        more = f'<div class="most hatch"><b>{rest}</b></div>' if tally.form == "atleast" else ""
        digits = f'data-digits="{len(str(tally.least))}"'
        arch = f'{least}<b class="num" {digits} data-past="{_past(group, voice)}">{tally.least}</b>{more}'
    else:
        arch = f'<div class="plate"><b>{_large(group, say)}</b><span>{_small(group, document, voice)}</span></div>'
    return (
        f'<section class="hero"{_data(group)}><div class="arch">{arch}</div><div class="what"><div class="title">'
        f"<h2>{say.kind(group.key, '.free')}</h2></div>"
        f'<span lang="{voice.second.lang}">{voice.second.kind(group.key, ".free")}</span>'
        f'<div class="sum"><p class="tot">{say("in_all", n=tally.total, unit=say.kind(group.key, ".unit"))}</p>'
        f"{_oldest(group, voice)}</div>{_windows(group, say)}</div></section>"
    )


def _row(group: ShownKind, document: StationDocument, voice: Voice) -> str:
    say, tally = voice.say, group.tally
    sort = SPECS[group.kind].types.get(group.type or "")
    counted = tally.form in ("exact", "atleast")
    number = str(tally.least) if counted else _large(group, say)
    past = f' data-past="{_past(group, voice)}"' if counted else ""
    least = f'<span class="least">{say("at_least")}</span>' if tally.form == "atleast" else ""
    short = f'<span lang="{voice.second.lang}">{voice.second.kind(group.key, ".short")}</span>'
    return (
        f'<div class="row"{_data(group)}>{_icon(sort.icon if sort else SPECS[group.kind].icon)}<div class="name">'
        f"<h2>{escape(_group_title(group, voice))} {short}</h2>{_windows(group, say)}</div>"
        f'<div class="cnt"><p class="line">{least}<b class="num"{past}>{number}</b>'
        f'<span class="of">/{tally.total}</span></p><p class="word"><span>{_small(group, document, voice)}</span>'
        f"{_oldest(group, voice)}</p></div></div>"
    )


def _past(group: ShownKind, voice: Voice) -> str:
    """How the count is told once it may have changed."""
    key = "had_least" if group.tally.form == "atleast" else "had"
    return escape(voice.say(key, at=voice.at(voice.now), n=group.tally.least))


def _group_title(group: ShownKind, voice: Voice) -> str:
    """The name that its owner gave to all of it, else its kind."""
    places = voice.place.names
    names = {
        voice.say.of(member.name if member.name is not UNSET else places.get(member.id, {})) for member in group.members
    }
    own = names.pop() if len(names) == 1 else ""
    return own or voice.say.kind(group.key)


def _large(group: ShownKind, say: Speaker) -> str:
    return say({"closed": "shut", "maintenance": "maintenance"}.get(group.tally.form, "unknown"))


def _small(group: ShownKind, document: StationDocument, voice: Voice) -> str:
    """The word below a count."""
    say, tally = voice.say, group.tally
    if tally.form == "closed":
        ends = document.open.until
        return say("opens", at=voice.at(from_rfc3339(ends))) if ends and document.open.now == "no" else say("closed")
    if tally.form == "maintenance":
        return say("not_in_use")
    if tally.form == "unknown":
        news = [from_rfc3339(member.observed_at) for member in group.members if member.observed_at]
        return say("silent_since", at=voice.at(max(news))) if news else say("never")
    return say("free" if tally.least else "fault" if tally.broken == tally.total else "full")


def _oldest(group: ShownKind, voice: Voice) -> str:
    """The time of the oldest news that a count rests on."""
    news = [
        from_rfc3339(member.observed_at) for member in group.members if member.evidence == "live" and member.observed_at
    ]
    told = news and group.tally.form in ("exact", "atleast")
    return f'<span class="age">{voice.at(min(news))}</span>' if told else ""


def _windows(group: ShownKind, say: Speaker) -> str:
    tally = group.tally
    if SPECS[group.kind].counted_in_units:
        states = ["yes"] * tally.least + ["unknown"] * (tally.most - tally.least)
        states = (states + ["no"] * (tally.total - tally.most))[:UNITS_DRAWN]
        drawn = "".join(f'<li class="win" data-kind="{group.kind}" data-usable="{state}"></li>' for state in states)
        return f'<ol class="wins{" many" * (len(states) > MANY)}">{drawn}</ol>'
    drawn = "".join(_window(member, n, say) for n, member in enumerate(group.members, 1))
    return f'<ol class="wins{" many" * (len(group.members) > 20)}">{drawn}</ol>'


def _window(resource: ShownResource, n: int, say: Speaker) -> str:
    digits = "".join(char if char.isascii() and char.isdecimal() else " " for char in resource.id).split()
    number = (digits[-1].lstrip("0") or "0") if digits and resource.id.endswith(digits[-1]) else str(n)
    why = f", {say(reason(resource) or 'unknown')}" if resource.usable == "unknown" else ""
    told = escape(say("number", n=number, word=word_of(resource, say)) + why)
    return (
        f'<li class="win" data-resource="{escape(resource.id)}"{_state(resource)} aria-label="{told}">'
        f"<span>{number}</span></li>"
    )


def _tile(resource: ShownResource, document: StationDocument, voice: Voice) -> str:
    title = escape(title_of(resource, document, voice))
    spec = SPECS.get(resource.kind)
    sort = None if spec is None else spec.types.get(resource.type or "")
    drawn = sort.icon if sort else spec.icon if spec else "plug"
    news = voice.at(from_rfc3339(resource.observed_at)) if resource.observed_at else ""
    kind = f' data-kind="{escape(resource.kind)}"' + (f' data-type="{escape(resource.type)}"' if resource.type else "")
    return (
        f'<li class="tile"{kind} data-resource="{escape(resource.id)}"{_state(resource)}>'
        f'<i class="win"><span>{_icon(drawn)}</span></i><div><p class="top"><b>{title}</b></p>'
        f'<p class="sub"><b>{escape(word_of(resource, voice.say))}</b><span class="note">{news}</span></p></div></li>'
    )


def title_of(resource: ShownResource, document: StationDocument, voice: Voice) -> str:
    """A thing's own name, else its room's when it is the room, else its kind and number."""
    named = resource.name if resource.name is not UNSET else voice.place.names.get(resource.id, {})
    own = voice.say.of(named)
    if own:
        return own
    if resource.kind == "room":
        area = next((area.name for area in document.areas if resource in area.resources), {})
        if voice.say.of(area):
            return voice.say.of(area)
    number = resource.id[len(resource.id.rstrip("0123456789")) :].lstrip("0")
    word = voice.say.kind(key_of(resource.kind, resource.type), ".one")
    return f"{word} {number}" if number and number != "1" else word


def _danger(detector: ShownInstrument, document: StationDocument, voice: Voice) -> str:
    say = voice.say
    area = next((area.name for area in document.areas if detector in area.instruments), {})
    named = detector.name if detector.name is not UNSET else voice.place.names.get(detector.id, {})
    where = " · ".join(filter(None, (say.of(area), say.of(named))))
    short = f"hazard:{detector.type}.short"
    warned = short if say.has(short) else "hazard.alarm"
    advice = "hazard.wet" if detector.type == "leak" else "hazard.leave"
    other = f"{voice.second(warned)}. {voice.second(advice)}"
    return (
        f'<div data-instrument="{escape(detector.id)}" data-alarm="yes"><i class="g" data-g="fault" aria-hidden="true">'
        f"</i><p><b>{escape(say(warned))}</b><span>{escape(where)}</span><strong>{escape(say(advice))}</strong>"
        f'<small lang="en">{escape(other)}</small></p></div>'
    )


def _data(group: ShownKind) -> str:
    sort = f' data-type="{escape(group.type)}"' if group.type else ""
    return f' data-kind="{group.kind}"{sort} data-usable="{group.tally.usable}" data-form="{group.tally.form}"'


def _state(resource: ShownResource) -> str:
    why = reason(resource) if resource.usable == "no" else None
    mark = "closed" if why in SHUT else why
    return f' data-usable="{resource.usable}"' + (f' data-because="{mark}"' if mark in MARKED else "")


def _icon(name: str) -> str:
    return f'<i class="k" data-k="{name}" aria-hidden="true"></i>'
