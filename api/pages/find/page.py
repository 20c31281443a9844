"""The words of /m: the question, and the stations that answer it, each with what is free and how far it is."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from api.pages.assets import Assets
from api.pages.find.needs import TOILET, Need, matches, offered
from api.pages.find.ranking import FoundPlace, Standing, Wish, ranked
from api.pages.first import Voice, hours_text
from api.pages.phone import FirstState
from api.pages.place import PagePlace
from api.pages.standing import FreeCount, count_text, key_of, tally_of_line
from api.pages.wordlist import Speaker
from api.wire_documents import read
from gateway.live.station_document import StationDocument
from gateway.model import Millis

FORM: Final = ("find_name", "find_go", "find_near", "find_hint", "find_need", "find_region")
SHEETS: Final = "tokens+phone+find"
PER_PAGE: Final = 20
MOST_REGIONS: Final = 80
ALSO: Final = 5
"""How many further kinds a station in the list tells of."""


@dataclass(frozen=True, slots=True)
class FindQuestion:
    """What the address says. `beside`: whose neighbours are looked for; `page` from 1, `lang` as asked for."""

    wish: Wish
    text: str = ""
    beside: str = ""
    page: int = 1
    lang: str = ""

    def query(self, **change: str) -> str:
        """The address with something else instead."""
        near = "" if self.wish.near is None else f"{self.wish.near[0]},{self.wish.near[1]}"
        said = {
            "need": self.wish.need,
            "q": self.text,
            "region": self.wish.region,
            "from": self.beside,
            "lang": self.lang,
        }
        said |= {"near": "" if self.beside else near, **change}
        return escape("?" + urlencode({name: value for name, value in said.items() if value}))


class FindPage:
    """`standings()` is every station as it may be shown now, in the order of the configuration."""

    def __init__(
        self, assets: Assets, places: Mapping[str, PagePlace], standings: Callable[[], Iterable[Standing]]
    ) -> None:
        self._places, self._standings = places, standings
        self._style = assets.sheets(SHEETS)

    def standings(self) -> Sequence[Standing]:
        """To be asked on the loop, for `told` in a thread."""
        return tuple(self._standings())

    def told(self, asked: FindQuestion, standings: Sequence[Standing], lang: str, now: Millis) -> FirstState:
        say = Speaker(lang)
        pairs = [
            (self._places[standing.station], standing) for standing in standings if standing.station in self._places
        ]
        beside = self._places.get(asked.beside)
        if beside is not None and beside.lat is not None and beside.lon is not None:
            asked = replace(asked, wish=replace(asked.wish, near=(beside.lat, beside.lon)))
        spots = ranked(asked.wish, pairs, now)
        begin = PER_PAGE * (asked.page - 1)
        shown = spots[begin : begin + PER_PAGE]
        needs = offered((standing.summary for standing in standings), any(place.toilets for place, _ in pairs))
        zone = ZoneInfo(shown[0].place.timezone if shown else "Asia/Shanghai")
        voice = Voice(say, Speaker("zh-Hans" if lang == "en" else "en"), zone, now, PagePlace("", {}))
        ends = [spot.standing.deadline for spot in shown if spot.standing.deadline is not None]
        values = {
            "needs": _needs(needs, asked, say),
            "regions": _regions(pairs, asked, say),
            "need": escape(asked.wish.need),
            "kept": f'<input type="hidden" name="lang" value="{escape(asked.lang)}">' if asked.lang else "",
            "q": escape(asked.text),
            "as_of": escape(f"{say('first_at', at=voice.at(now))} · {say('find_some', n=len(spots))}"),
            "sorted": escape(_sorted_by(asked, beside, say)),
            "found": "".join(_item(spot, asked, replace(voice, place=spot.place)) for spot in shown),
            "more": _more(asked, begin + PER_PAGE < len(spots), say),
            "none": "" if spots else escape(say("find_none")),
            "now": str(now),
            "at": escape(voice.at(now)),
            "title": escape(say("find_title")),
            **{f"say_{key}": escape(say(key)) for key in FORM},
        }
        holds_s = max(0, min(end - now for end in ends) // 1000) if ends else 3600
        values["holds"] = str(holds_s)
        return FirstState(values, (self._style, f":root{{--holds:{holds_s}s}}"))


def _needs(needs: Sequence[Need], asked: FindQuestion, say: Speaker) -> str:
    def link(key: str, icon: str, text: str) -> str:
        current = ' aria-current="true"' if key == asked.wish.need else ""
        drawn = f'<i class="k" data-k="{icon}" aria-hidden="true"></i>' if icon else ""
        return f'<a href="/m{asked.query(need=key)}"{current}>{drawn}{escape(text)}</a>'

    every = [link(need.key, need.icon, _what(need.key, say)) for need in needs]
    return link("", "", say("find_all")) + "".join(every)


def _what(key: str, say: Speaker) -> str:
    """`Free seats`, `E-bike`: short, as it is counted."""
    return say.kind(key, ".free") if say.has(f"{key}.free") else say.kind(key)


def _regions(pairs: Sequence[tuple[PagePlace, Standing]], asked: FindQuestion, say: Speaker) -> str:
    """The finest level of regions that a list can hold."""
    every = [place.region for place, _ in pairs]
    levels = [dict.fromkeys(names[-depth] for names in every if len(names) >= depth) for depth in (1, 2, 3)]
    names = next((names for names in levels if len(names) <= MOST_REGIONS), {})
    options = [f'<option value="">{escape(say("find_region"))}</option>']
    for name in [*names] + ([asked.wish.region] if asked.wish.region and asked.wish.region not in names else []):
        chosen = " selected" if name == asked.wish.region else ""
        options.append(f"<option{chosen}>{escape(name)}</option>")
    return "".join(options)


def _sorted_by(asked: FindQuestion, beside: PagePlace | None, say: Speaker) -> str:
    if beside is not None:
        return say("find_from", name=say.of(beside.name) or beside.id)
    return say("find_first") if asked.wish.near is not None else ""


def _more(asked: FindQuestion, further: bool, say: Speaker) -> str:
    links = []
    if asked.page > 1:
        links.append(f'<a href="/m{asked.query(page=str(asked.page - 1))}">{escape(say("find_back"))}</a>')
    if further:
        links.append(f'<a href="/m{asked.query(page=str(asked.page + 1))}">{escape(say("find_more"))}</a>')
    return "".join(links)


def _item(spot: FoundPlace, asked: FindQuestion, voice: Voice) -> str:
    say, place, standing = voice.say, spot.place, spot.standing
    voice = replace(voice, zone=ZoneInfo(place.timezone))
    document = read(standing.body)
    counts = _counts(document, place, asked.wish.need)
    key, count = counts[0] if counts else ("", FreeCount())
    name = escape(say.of(place.name) or place.id)
    until = f' data-until="{standing.deadline}"' if standing.deadline is not None else ""
    main = f"{_what(key, say)} {count_text(count, say)}" if key else say("nothing")
    also = "".join(_also(other, free, voice) for other, free in counts[1 : 1 + ALSO])
    also = f'<ul class="also">{also}</ul>' if also else ""
    lang = f"?{urlencode({'lang': asked.lang})}" if asked.lang else ""
    region = place.region[-1] if place.region else ""
    way = [_walk(spot, say), region, hours_text(document, voice, say)]
    return (
        f'<li class="spot" data-station="{escape(place.id)}"{_data(key, count)}{until}>'
        f'<i class="win"><span></span></i><div><h2><a href="/m/{escape(place.id)}{lang}">{name}</a></h2>'
        f'<p class="count"><b{_past(main, voice)}>{escape(main)}</b></p>'
        f'<p class="way">{escape(" · ".join(filter(None, way)))}</p>'
        f"{also}</div></li>"
    )


def _counts(document: StationDocument, place: PagePlace, need: str) -> list[tuple[str, FreeCount]]:
    """What is free here, what was asked for first."""
    lines = [(key_of(line.kind, line.type), tally_of_line(line, document)) for line in document.summary]
    if need == TOILET:
        toilets = [resource for resource in document.resources() if resource.id in place.toilets]
        states = [resource.usable for resource in toilets]
        free = states.count("yes")
        return [(TOILET, FreeCount(free, free + states.count("unknown"), len(toilets))), *lines]
    wanted = {key_of(line.kind, line.type) for line in document.summary if need and matches(need, line)}
    counts = [(key, count) for key, count in lines if not key.startswith("door")]
    return sorted(counts, key=lambda counted: counted[0] not in wanted)


def _also(key: str, count: FreeCount, voice: Voice) -> str:
    text = f"{voice.say.kind(key, '.short')} {count_text(count, voice.say)}"
    return f"<li{_data(key, count)}{_past(text, voice)}>{escape(text)}</li>"


def _data(key: str, count: FreeCount) -> str:
    kind, _, sort = key.partition(":")
    typed = f' data-type="{escape(sort)}"' if sort else ""
    closed = ' data-because="closed"' if count.form == "closed" else ""
    return f' data-kind="{escape(kind)}"{typed} data-usable="{count.usable}"{closed}' if key else ""


def _past(text: str, voice: Voice) -> str:
    """How it is told once it may have changed."""
    return f' data-past="{escape(voice.say("find_ended", at=voice.at(voice.now), what=text))}"'


def _walk(spot: FoundPlace, say: Speaker) -> str:
    if spot.metres is None or spot.walk_min is None:
        return ""
    near = spot.metres < 950
    far = say("metres", n=round(spot.metres / 10) * 10) if near else say("km", n=f"{spot.metres / 1000:.1f}")
    gap = ", " if say.lang == "en" else "，"
    return f"{say('find_walk', n=spot.walk_min)}{gap}{far}" if spot.walk_min < 60 else far
