"""Text for people from words that anybody may have chosen: one line, no controls, bounded. Every message goes through.

A name in the configuration, a fault code of a device and the name of a station in a topic are data, never markup.
"""

import re
import unicodedata

CUT = "…"
# What no reader sees and what turns the line round: controls, bidirectional overrides, lone surrogates, private use.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_JOINERS = "\u200d\ufe0f"  # inside of an emoji


def plain(text: str, most: int) -> str:
    """One line of at most `most` characters; line ends and controls are spaces, a cut is marked."""
    if not text.isascii() or not text.isprintable():
        text = "".join(" " if _is_hidden(char) else char for char in text[: 4 * most])
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + CUT


def _is_hidden(char: str) -> bool:
    return char not in _JOINERS and (unicodedata.category(char) in _HIDDEN or char in "\u2028\u2029")


def cut_bytes(text: str, most: int) -> str:
    """The beginning of `text` in at most `most` bytes of UTF-8, cut between two characters and marked."""
    data = text.encode(errors="replace")
    if len(data) <= most:
        return text
    return data[: most - len(CUT.encode())].decode(errors="ignore") + CUT


_WIDE = str.maketrans("[]<>*`~|#@\\", "［］＜＞＊｀～｜＃＠＼")
_OUTER_UNDERSCORE = re.compile(r"(?<!\w)_|_(?!\w)")


def inert(text: str) -> str:
    """`text` as it stands under any of the chat robots' Markdown: no link, mention, tag, emphasis, code or heading.

    Their dialects know no common escape, so what could begin markup is shown by its full-width twin.
    """
    text = text.translate(_WIDE).replace("://", "：//").replace("www.", "www．")
    return _OUTER_UNDERSCORE.sub("＿", text)
