"""Finds length-delimited frames in a byte stream, whatever stands around and between them."""

from collections.abc import Callable

NOT_A_FRAME = -1
MORE = 0

Measure = Callable[[bytes], int]
"""Length of the frame that starts at byte 0: `MORE` when too short to tell, `NOT_A_FRAME` when none starts here. Of a
line it is what its end says: `window.find(b"\\r\\n") + 2 if b"\\r\\n" in window else MORE`."""
Check = Callable[[bytes], bool]
"""True when these bytes are one whole sound frame."""


class Scanner:
    """`starts` are the byte strings a frame may begin with; `limit` the longest frame in bytes.

    A frame that fails its check costs one byte: the search goes on right behind, so a good frame inside the claimed
    length of a false one is found. What waits is never longer than `limit`, so a false header delays by at most that.
    """

    def __init__(self, starts: tuple[bytes, ...], measure: Measure, check: Check, limit: int) -> None:
        self._starts, self._measure, self._check, self._limit = starts, measure, check, limit
        self._rest = b""
        self.frames = 0
        self.bad = 0
        self.junk = 0  # bytes that belonged to no frame

    def reset(self) -> None:
        """Forget a half frame: the port was opened anew or a question goes out."""
        self.junk += len(self._rest)
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The whole frames that `data` completes, in order."""
        stream, pos = self._rest + data, 0
        frames = []
        while (pos := self._seek(stream, pos)) < len(stream):
            size = self._size(stream[pos : pos + self._limit])
            if size == MORE or (size > 0 and pos + size > len(stream)):
                break
            if size == NOT_A_FRAME or not self._check(stream[pos : pos + size]):
                self.bad += 1
                self.junk += 1
                pos += 1
                continue
            frames.append(stream[pos : pos + size])
            pos += size
        self._rest = stream[pos:]
        self.frames += len(frames)
        return frames

    def _size(self, window: bytes) -> int:
        size = self._measure(window)
        endless = size == MORE and len(window) == self._limit
        return NOT_A_FRAME if endless or size > self._limit else size

    def _seek(self, stream: bytes, pos: int) -> int:
        """Where the next start stands, whole or cut off by the end of what has arrived."""
        end = len(stream)
        best = end
        for start in self._starts:
            at = stream.find(start, pos, min(end, best + len(start)))
            if at >= 0:
                best = min(best, at)
        if best == end:
            longest = max(map(len, self._starts)) - 1
            tails = range(max(pos, end - longest), end)
            best = next((at for at in tails if any(s.startswith(stream[at:]) for s in self._starts)), end)
        self.junk += best - pos
        return best
