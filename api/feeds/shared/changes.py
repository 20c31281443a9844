"""When what the feeds tell of a station last changed."""

import threading
from collections.abc import Hashable
from typing import Final

from config.schema import StationSettings
from gateway.live.station_document import StationDocument
from gateway.model import Millis

TOLD: Final = {
    "name", "region", "location", "timezone", "hours", "weekend", "closures", "special_days", "lifecycle",
}  # fmt: skip


class Changes:
    """Remembers the last facts of each thing, and since when. Any thread may ask.

    At our start everything counts as changed: what came before nobody saw, and a change told twice costs a reader one
    row; one not told, the truth.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[int, Millis]] = {}
        self._configured: dict[str, tuple[StationSettings, str]] = {}

    def since(self, key: str, facts: Hashable, now: Millis) -> Millis:
        """When these facts of the thing were first seen, or seen again."""
        told = hash(facts)
        with self._lock:
            known, at = self._known.get(key, (None, now))
            if known != told:
                at = now
                self._known[key] = told, at
        return at

    def changed_at(self, station: StationSettings, shown: StationDocument, now: Millis) -> Millis:
        """When what feeds tell of a station was last another."""
        return self.since(station.id, (self._said(station), _live(shown)), now)

    def _said(self, station: StationSettings) -> str:
        """What the configuration tells; written out once for each."""
        of, said = self._configured.get(station.id, (None, ""))
        if of is not station:
            said = station.model_dump_json(include=TOLD)
            self._configured[station.id] = station, said
        return said


def _live(shown: StationDocument) -> Hashable:
    """What is told of the present but for times that go on by themselves."""
    answers = tuple((resource.id, resource.usable) for resource in shown.resources() if resource.type == "aed")
    counts = tuple((line.group, line.total, line.usable_min, line.usable_max) for line in shown.summary)
    return shown.open.now, shown.open.proof, counts, answers
