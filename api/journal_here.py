"""An API on a machine without the journal has history from the copy alone. What the copy does not hold is not 0 and not
nothing: it is said that it is not here."""

from fastapi import HTTPException

from config.schema import Settings
from gateway.store.days import core_files

ASK = "ask the API of a machine that has the gateway's folder as store.path"


def has_journal(settings: Settings) -> bool:
    """Whether the gateway's folder is here, or there is nothing else to ask. Looked at anew: it may come."""
    return settings.store.influx is None or bool(core_files(settings.store.path))


def needs_journal(settings: Settings, what: str) -> None:
    """503 with the reason where it is not; `what` in words, for people."""
    if not has_journal(settings):
        raise HTTPException(503, f"{what} are known from the gateway's journal alone, which is not here; {ASK}")


def lacks(settings: Settings) -> str | None:
    """What is null in an answer about use, and why; None where nothing is missing."""
    if has_journal(settings):
        return None
    return f"energy and visits are null: they are known from the gateway's journal, which is not here; {ASK}"
