"""SIGTERM and SIGINT as an event: whoever runs a command waits for it."""

import signal
import threading


def stop_event() -> threading.Event:
    """Set by the first SIGTERM or SIGINT. Only the main thread may ask for it."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    return stopped
