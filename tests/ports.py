"""Ports for processes that are told theirs."""

import random
import socket

FIRST, LAST = 20_000, 32_000  # below what Linux (32768) and others (49152) give to whoever asks for any


def free_port() -> int:
    """A port on loopback that nobody has, and that nobody gets by chance before it is taken."""
    while True:
        port = random.SystemRandom().randrange(FIRST, LAST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
