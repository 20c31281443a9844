"""Bounds for every text that people or strangers enter: one line, nothing unseen in it, no longer than wanted."""

import re

from gateway.policy.personal import without_personal_numbers

LONGEST_NAME = 64  # of a person or a key

# Line ends, controls, marks that turn the direction of what follows, invisible fillers, and halves of characters.
_BREAKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_UNSEEN = re.compile(
    r"[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def one_line(text: str) -> str:
    """The text on one line, with single spaces, without control characters and marks of direction."""
    return _BREAKS.sub(" ", _UNSEEN.sub("", text)).strip()


def bounded(text: str, longest: int) -> str:
    """What may be kept and shown of a text: one line, without numbers of people, at most `longest` characters."""
    line = without_personal_numbers(one_line(text))
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"
