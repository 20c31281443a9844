"""Connections that have not said who they are, by address: who has to go is found without looking at all of them."""

from itertools import islice

from firmware_bridge.ocpp.link import PileLink

LOOKED_AT = 16  # of the busiest address, the oldest first
COUNTED_EVERY = 64  # connections, then the busiest address is looked for again


class Crowd:
    def __init__(self) -> None:
        self._by_address: dict[str, dict[PileLink, None]] = {}
        self._size = self._since_counted = 0
        self._busiest = ""

    def __len__(self) -> int:
        return self._size

    def add(self, link: PileLink) -> None:
        self._by_address.setdefault(link.address, {})[link] = None
        self._size += 1
        self._since_counted += 1

    def remove(self, link: PileLink) -> None:
        """Nothing where it has gone already."""
        links = self._by_address.get(link.address)
        if links is None or link not in links:
            return
        del links[link]
        self._size -= 1
        if not links:
            del self._by_address[link.address]

    def opened_before(self, moment_s: float) -> list[PileLink]:
        """Who waits for us is left out."""
        return [
            link
            for links in self._by_address.values()
            for link in links
            if link.opened_at < moment_s and not link.waits
        ]

    def idle_since(self, moment_s: float) -> PileLink | None:
        """One of the busiest address, of those who have waited longest, that has said nothing since."""
        return next((link for link in self._oldest() if link.bytes_at < moment_s and not link.waits), None)

    def in_place_of(self, link: PileLink) -> PileLink:
        """Who goes when there is no room for `link`: itself, where its own address is the busiest."""
        oldest = next(iter(self._oldest()), link)
        return link if oldest.address == link.address else oldest

    def _oldest(self) -> list[PileLink]:
        """The oldest connections of the busiest address."""
        if self._since_counted >= COUNTED_EVERY or self._busiest not in self._by_address:
            self._since_counted = 0
            self._busiest = max(self._by_address, key=lambda address: len(self._by_address[address]), default="")
        return list(islice(self._by_address.get(self._busiest, {}), LOOKED_AT))
