"""Topics of ours that no broker would take: left out and counted, as it would end the connection over them."""

import logging
import re
from collections.abc import Sequence

log = logging.getLogger(__name__)

MAX_TOPIC = 65_535  # bytes
_NO_TOPIC = re.compile("[+#\0\ud800-\udfff]")  # wildcards, NUL, and halves of characters that no UTF-8 has


def sendable(topic: str) -> bool:
    """Whether a broker may be given this topic."""
    return bool(topic) and _NO_TOPIC.search(topic) is None and len(topic.encode()) <= MAX_TOPIC


class Topics:
    """The topics of one session."""

    def __init__(self) -> None:
        self.unsendable = 0

    def fit(self, topics: Sequence[str]) -> bool:
        """Whether all of them are topics. Those that aren't are counted; what is said once in the log stays said."""
        short = all(topics) and max(map(len, topics), default=0) <= MAX_TOPIC // 4
        if short and not _NO_TOPIC.search("".join(topics)):
            return True
        bad = [topic for topic in topics if not sendable(topic)]
        if bad and not self.unsendable:
            log.error("MQTT: %r is no topic to publish on: left out, like all that follow", bad[0][:200])
        self.unsendable += len(bad)
        return not bad
