"""A photo keeps its picture and nothing else; what is none is refused, whatever it calls itself."""

import random
from pathlib import Path

import pytest

from api.jpeg import LARGEST_PIXELS, NoJpegError, without_metadata

PLAIN = (Path(__file__).parents[1] / "vectors" / "photos" / "plain.jpg").read_bytes()
"""As a browser's canvas writes it."""


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2) + content


ADOBE = segment(0xEE, b"Adobe\x00\x64\x00\x00\x00\x00\x01")
TOLD = {
    "EXIF": segment(0xE1, b"Exif\x00\x00II*\x00GPS 22.765,112.964"),
    "XMP": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00<x:creator>Li</x:creator>"),
    "a profile": segment(0xE2, b"ICC_PROFILE\x00\x01\x01 of Li"),
    "IPTC": segment(0xED, b"Photoshop 3.0\x008BIM Li"),
    "a comment": segment(0xFE, b"taken by Li"),
    "a thumbnail": segment(0xE0, b"JFXX\x00\x10" + PLAIN[:300]),
    "Adobe's, with more behind it": segment(0xEE, b"Adobe\x00\x64\x00\x00\x00\x00\x01 taken by Li"),
    "another's in Adobe's place": segment(0xEE, b"Ducky taken by Li"),
}


@pytest.mark.parametrize("name", TOLD)
def test_what_was_told_beside_the_picture_is_taken_out(name: str) -> None:
    kept = without_metadata(PLAIN)
    told = without_metadata(PLAIN[:2] + TOLD[name] + PLAIN[2:])
    assert told in (kept, kept[:2] + ADOBE + kept[2:])
    assert b"Li" not in told
    assert b"JFIF" not in kept


def test_what_follows_the_picture_is_taken_out() -> None:
    """Phones hang films behind it."""
    assert without_metadata(PLAIN + b"a film" + PLAIN) == without_metadata(PLAIN)


def test_the_picture_itself_stays_as_it_is() -> None:
    kept = without_metadata(PLAIN)
    assert without_metadata(kept) == kept
    tables = PLAIN.index(b"\xff\xdb")
    assert kept == PLAIN[:2] + PLAIN[tables:]


def test_a_progressive_one_may_tell_nothing_between_its_scans() -> None:
    frame = segment(0xC2, b"\x08\x00\x10\x00\x10\x01\x01\x11\x00")
    scan = segment(0xDA, b"\x01\x01\x00\x00\x00\x00") + b"\x12\xff\x00\x34\xff\xd0\x56"
    plain = b"\xff\xd8" + frame + scan + scan + b"\xff\xd9"
    assert without_metadata(b"\xff\xd8" + frame + scan + TOLD["a comment"] + b"\xff\xff" + scan + b"\xff\xd9") == plain


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x89PNG\r\n\x1a\n" + PLAIN,
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8" + segment(0xFE, b"nothing else") + b"\xff\xd9",
        b"\xff\xd8" + segment(0xC9, b"\x08\x00\x10\x00\x10\x01\x01\x11\x00") + b"\xff\xd9",  # arithmetic codes
        b"\xff\xd8" + segment(0xC0, b"\x08\xff\xff\xff\xff\x01\x01\x11\x00") + PLAIN[2:],  # unpacks to gigabytes
        b"\xff\xd8" + segment(0xC0, b"\x08\x00\x00\x00\x10\x01\x01\x11\x00") + PLAIN[2:],
        b"\xff\xd8\xff\xe1\x00\x01" + PLAIN[2:],
        PLAIN[:-2],
    ],
)
def test_what_is_no_picture_is_refused(body: bytes) -> None:
    with pytest.raises(NoJpegError):
        without_metadata(body)


def test_damage_is_refused_or_harmless() -> None:
    chance = random.Random(5)
    for _ in range(2_000):
        body = bytearray(PLAIN)
        for _ in range(chance.randrange(1, 6)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        del body[chance.randrange(len(body)) :]
        try:
            kept = without_metadata(bytes(body))
        except NoJpegError:
            continue
        assert len(kept) <= len(body)
        assert kept.endswith(b"\xff\xd9")
    assert LARGEST_PIXELS * 4 < 2**27
