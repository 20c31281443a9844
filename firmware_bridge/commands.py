"""Remote commands: `yz-cmd/{station}/{device}/unlock`. Each is signed, and done once, soon, or never.

`gateway.commands` has the form. The spool keeps the nonces, so they outlive a restart. What a signed command led to is
told as an event `command` with `granted`, so it is in the store; what the gate refused is counted and logged only.
"""

from gateway.wire import NAME


def filter_of(station: str) -> str:
    return f"yz-cmd/{station}/+/unlock"


def device_in(topic: bytes) -> str | None:
    """The device that is to be unlocked; None when the topic is no command of ours."""
    parts = topic.decode("utf-8", "replace").split("/")
    if len(parts) != 4 or parts[0] != "yz-cmd" or parts[3] != "unlock" or not NAME.match(parts[2]):
        return None
    return parts[2]
