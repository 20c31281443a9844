"""A JPEG is taken for what its bytes say, and keeps nothing but its picture: ITU-T T.81, annex B."""

from collections.abc import Iterator
from typing import Final

LARGEST_PIXELS: Final = 16_000_000
"""A picture that unpacks to more would only trouble whoever looks at it."""
_START, _END, _SCAN, _ADOBE = 0xD8, 0xD9, 0xDA, 0xEE
_FRAMES = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended and progressive, with Huffman codes
_TABLES = frozenset({0xC4, 0xDB, 0xDD})  # Huffman codes, quantisation, restart interval
_TOLD = frozenset(range(0xE0, 0xF0)) | {0xFE}  # what applications wrote, and comments
_WITHIN_SCAN = frozenset({0x00, *range(0xD0, 0xD8)})  # a stuffed byte, restarts
_ADOBE_BYTES = 12  # which colours its components are; nothing about the picture or who took it


class NoJpegError(ValueError):
    """The bytes are no picture that we take; the text says why."""


def without_metadata(data: bytes) -> bytes:
    """The same picture without EXIF, XMP, profiles, thumbnails, comments and whatever follows its end. NoJpegError."""
    if data[:2] != bytes((0xFF, _START)):
        raise NoJpegError("it is no JPEG")
    kept, seen = [data[:2]], set[int]()
    for marker, segment in _segments(data):
        if marker in _TOLD and not (marker == _ADOBE and segment[4:9] == b"Adobe"):
            continue
        if marker in _TOLD:
            segment = segment[:2] + (_ADOBE_BYTES + 2).to_bytes(2) + segment[4 : 4 + _ADOBE_BYTES]
        if marker in _FRAMES:
            _check_frame(segment, seen)
        seen.add(marker)
        kept.append(segment)
    if not (seen & _FRAMES and _SCAN in seen):
        raise NoJpegError("the JPEG has no picture")
    return b"".join(kept)


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(marker, its bytes with the marker) up to the end of the picture; a scan comes with its data."""
    at = 2
    while True:
        while data[at : at + 2] == b"\xff\xff":  # fill bytes
            at += 1
        if at + 2 > len(data) or data[at] != 0xFF:
            raise NoJpegError("the JPEG is cut off or damaged")
        marker = data[at + 1]
        if marker == _END:
            yield marker, data[at : at + 2]
            return
        if marker not in _FRAMES | _TABLES | _TOLD | {_SCAN}:
            raise NoJpegError("the JPEG is of a rare form; save it as an ordinary one")
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if end < at + 4 or end > len(data):
            raise NoJpegError("the JPEG is cut off or damaged")
        if marker == _SCAN:
            end = _end_of_scan(data, end)
        yield marker, data[at:end]
        at = end


def _end_of_scan(data: bytes, at: int) -> int:
    while (at := data.find(b"\xff", at)) >= 0 and at + 1 < len(data):
        if data[at + 1] not in _WITHIN_SCAN and data[at + 1] != 0xFF:
            return at
        at += 1 if data[at + 1] == 0xFF else 2
    raise NoJpegError("the JPEG is cut off")


def _check_frame(segment: bytes, seen: set[int]) -> None:
    height, width = int.from_bytes(segment[5:7]), int.from_bytes(segment[7:9])
    if seen & _FRAMES or len(segment) < 11 or not height * width:
        raise NoJpegError("the JPEG is damaged")
    if height * width > LARGEST_PIXELS:
        raise NoJpegError(f"the JPEG has more than {LARGEST_PIXELS // 1_000_000} megapixels; make it smaller")
