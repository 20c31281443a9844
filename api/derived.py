"""What follows from the configuration, made once for each configuration that runs."""

from collections.abc import Callable
from typing import Generic, TypeVar

from config.schema import Settings

T = TypeVar("T")


class Derived(Generic[T]):
    """Call it for the present one; after a reload it is made anew. Two threads may make the same one twice."""

    def __init__(self, settings: Callable[[], Settings], make: Callable[[Settings], T]) -> None:
        self._settings, self._make = settings, make
        self._made: tuple[Settings, T] | None = None

    def __call__(self) -> T:
        settings, made = self._settings(), self._made
        if made is None or made[0] is not settings:
            made = self._made = settings, self._make(settings)
        return made[1]
