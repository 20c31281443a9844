"""Logs: to stderr, one event a line, for people or for machines."""

import json
import logging
import sys
from typing import Literal

from api.times import rfc3339

Format = Literal["text", "json"]
FORMATS: tuple[Format, ...] = ("text", "json")


def set_up(form: Format, level: int = logging.INFO) -> None:
    """From now on every logger of this process writes so."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # its start and stop are ours to tell


def _at(record: logging.LogRecord) -> str:
    return rfc3339(int(record.created * 1000))


class _Text(logging.Formatter):
    """`2026-11-21T21:02:05.123Z INFO gateway.mqtt: text`; a traceback follows line by line, each behind `    | `.

    So a person can read it, and no text from outside can look like a line of ours.
    """

    def format(self, record: logging.LogRecord) -> str:
        lines = [f"{_at(record)} {record.levelname} {record.name}: {_plain(record.getMessage())}"]
        if record.exc_info:
            lines += [f"    | {_plain(line)}" for line in self.formatException(record.exc_info).split("\n")]
        return "\n".join(lines)


def _plain(text: str) -> str:
    """With control characters as escapes: a terminal obeys them, and some end a line."""
    return "".join(
        [character if character.isprintable() else character.encode("unicode_escape").decode() for character in text]
    )


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        event = {
            "at": _at(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "thread": record.threadName,
            "message": record.getMessage(),
        }
        if record.exc_info:
            event["traceback"] = self.formatException(record.exc_info)
        return json.dumps(event, ensure_ascii=False)
