"""What is wrong with the line, in the log: each once until the line stands again."""

import logging

log = logging.getLogger(__name__)

MOST = 32  # kept so that none is told again


class Troubles:
    """The troubles of one session."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def tell(self, why: str, then: str, level: int = logging.WARNING) -> None:
        """`then`: what we do about it."""
        if why not in self._told:
            log.log(level, "MQTT: %s; %s", why, then)
        if len(self._told) < MOST:
            self._told.add(why)

    def clear(self) -> None:
        """Note that the connection stands again."""
        self._told.clear()
