"""What an item of a standard says of this installation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from api.compliance.look import Look

State = Literal["holds", "look", "operator"]
"""`holds`: the product does it, and here it is on; `look`: here it is not, and the text says what to do; `operator`: no
program can do it."""
Both = tuple[str, str]
"""Chinese, English."""


@dataclass(frozen=True, slots=True)
class ClauseEvidence:
    """What is so in this configuration."""

    state: State
    text: Both


@dataclass(frozen=True, slots=True)
class Item:
    """One requirement. `duty`: what the operator must do, whatever the evidence; empty where nothing is left."""

    standard: Literal["GB/T 22239-2019", "EN 303 645"]
    clause: str
    title: Both
    evidence: Callable[[Look], ClauseEvidence]
    duty: Both = ("", "")


def holds(zh: str, en: str) -> ClauseEvidence:
    return ClauseEvidence("holds", (zh, en))


def look(zh: str, en: str) -> ClauseEvidence:
    return ClauseEvidence("look", (zh, en))


def operator(_look: Look) -> ClauseEvidence:
    """A duty of the operator that no program can see."""
    return ClauseEvidence("operator", ("程序做不到", "no program can"))
