"""How long a promise to be open was proved, contradicted and neither: counted anew, minute by minute, from what devices
said. It shares no line with the rules of the gateway; it is written from docs/promises.md.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, Literal

from tests.benchmarks.promises_days import PATIENCE
from tests.benchmarks.promises_stations import CLOSES, DAY, OPENS, TTL_S, Said, Sort

State = Literal["closed", "proved", "unproved", "contradicted"]
HOLD, CARDS = 120, 3
TTL = TTL_S // 60
DOORS = ("door", "back", "reader")
USED = {"seat": ("occupied", True), "microwave": ("status", "running"), "phone": ("status", "Charging")}


class Count:
    """One station. `heard`: what reached the gateway, in order. `blind`: minutes in which the gateway stood."""

    def __init__(self, sort: Sort, heard: Iterable[Said], blind: Iterable[tuple[int, int]] = ()) -> None:
        self.sort, self.heard, self.blind = sort, list(heard), list(blind)
        self.opened: int | None = None
        self.sign: int | None = None
        self.values: dict[str, tuple[int, Any]] = {}  # by device: when it was last told, and what
        self.readers = {"door"} if sort.reader == "told" else {"reader"} if sort.reader == "apart" else set()
        self.granted = False  # a card, ever
        self.refusals: list[tuple[int, str]] = []
        self.shut_since: int | None = None
        self.in_doubt = False  # though they are shut, people appear inside
        self.leaves: dict[str, list[tuple[int, str]]] = {}  # by door: its changes
        self.itself: set[str] = set()  # doors that lock behind everybody
        self.points: dict[str, int] = {}
        self.first_point: dict[str, int] = {}
        self.barred_since: int | None = None  # a person could not come in
        self.cards_since: int | None = None

    def states(self, minutes: int) -> Iterator[State]:
        at = 0
        for minute in range(minutes):
            self._hours(minute)
            self._doors(minute)
            self._cards(minute)
            while at < len(self.heard) and self.heard[at][0] == minute:
                self._hear(self.heard[at])
                self._doors(minute)
                at += 1
            self._cards(minute)
            dark = any(begins <= minute < ends for begins, ends in self.blind)
            yield ("closed" if self.opened is None else "unproved") if dark else self._state(minute)

    def _state(self, minute: int) -> State:
        if self.opened is None:
            return "closed"
        back = max([ends for _, ends in self.blind if ends <= minute], default=0)
        for since in (None if self.in_doubt else self.shut_since, self.cards_since, self.barred_since):
            if since is not None and minute - max(since, self.opened, self.sign or 0, back) >= PATIENCE:
                return "contradicted"
        return "proved" if self.sign is not None and minute - self.sign < HOLD else "unproved"

    def _hours(self, minute: int) -> None:
        promises = self.sort.always or OPENS <= minute % DAY < CLOSES
        if promises and self.opened is None:
            self.opened = minute
        elif not promises:
            self.opened = self.sign = None
            self.refusals.clear()

    def _hear(self, said: Said) -> None:
        minute, device, topic, payload = said
        if topic == "check":
            self._tried(minute, enterable=payload["result"] == "ok")
        elif topic == "event":
            self._card(minute, device, payload)
        elif device in DOORS:
            self._door(minute, device, payload)
        else:
            self._inside(minute, device, payload)

    def _tried(self, minute: int, *, enterable: bool) -> None:
        if enterable:
            self.barred_since = None
            self._signed(minute)
        elif self.barred_since is None:
            self.barred_since = minute

    def _card(self, minute: int, device: str, payload: dict[str, Any]) -> None:
        self.readers.add(device)
        if payload["granted"]:
            self.granted = True
            self.refusals.clear()
            self._signed(minute)
        elif self.opened is not None:
            self.refusals.append((minute, payload["card"]))

    def _door(self, minute: int, device: str, payload: dict[str, Any]) -> None:
        status = "open" if payload.get("open") else "locked" if payload.get("locked") else "closed"
        _, before = self.values.get(device, (0, None))
        self.values[device] = minute, status
        if before not in (None, status) and "open" in (status, {"locked": "open"}.get(before, "")):
            self._signed(minute)
        if before != status:
            self.in_doubt = False
            self._learn(minute, device, status)
        if payload.get("open") and payload.get("locked"):
            self.points[device] = max(self.points.get(device, 0), 4)
            self.itself.add(device)

    def _learn(self, minute: int, device: str, status: str) -> None:
        """A point each time that it is locked again within three minutes, eight at most; three less when it has stood
        closed and not locked for ten minutes. With four points, the first of them at most twelve hours ago when the
        fourth came, it locks itself."""
        changes = self.leaves.setdefault(device, [])
        changes.append((minute, status))
        points, known = self.points.get(device, 0), device in self.itself
        if len(changes) > 1 and changes[-2][1] == "closed" and minute - changes[-2][0] >= 10:
            points = max(0, points - 3)
            known = known and points >= 4
        unlocked = [at for (_, was), (at, _) in pairwise(changes) if was == "locked"]
        if status == "locked" and unlocked and minute - unlocked[-1] <= 3:
            if not known and minute - self.first_point.get(device, -999) > 720:
                points, self.first_point[device] = 0, minute
            points = min(8, points + 1)
        self.points[device] = points
        (self.itself.add if points >= 4 else self.itself.discard)(device)
        del changes[:-8]

    def _inside(self, minute: int, device: str, payload: dict[str, Any]) -> None:
        before = self.values.get(device)
        if device == "room":
            self.values[device] = minute, payload["people"]
            if before is not None and before[1] == 0 < payload["people"]:
                self._signed(minute, inside=True)
        elif device in USED:
            signal, word = USED[device]
            used = payload[signal] == word
            self.values[device] = minute, used
            if used and before is not None and not before[1] and minute < before[0] + TTL:
                self._signed(minute, inside=True)

    def _signed(self, minute: int, *, inside: bool = False) -> None:
        if self.opened is not None:
            self.sign = minute
            if inside and self.shut_since is not None and minute - self.shut_since >= PATIENCE:
                self.in_doubt = True

    def _doors(self, minute: int) -> None:
        back = max([ends for _, ends in self.blind if ends <= minute], default=0)
        live = [
            (device, status, told >= back)
            for device, (told, status) in self.values.items()
            if device in DOORS and minute < (told + TTL) // (TTL // 4) * (TTL // 4)
        ]
        last = [self.values[device][1] for device in DOORS if device in self.values]
        may_enter = self.readers | self.itself
        shut = bool(live) and set(last) == {"locked"} and not any(device in may_enter for device, _, _ in live)
        shut = shut and all(again for _, _, again in live)
        shut = shut and not ("reader" in self.readers and self.granted)
        self.shut_since = None if not shut else minute if self.shut_since is None else self.shut_since

    def _cards(self, minute: int) -> None:
        self.refusals = [refusal for refusal in self.refusals if refusal[0] > minute - HOLD]
        many = len({card for _, card in self.refusals}) >= CARDS
        self.cards_since = None if not many else minute if self.cards_since is None else self.cards_since
