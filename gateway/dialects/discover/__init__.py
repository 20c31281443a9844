"""From overheard traffic to findings: which devices speak here, in which dialect, and the config lines for them. Pure.

A caretaker listens for a minute, copies a line, and gives it the right id; the setup pages do the same with a click.
"""

from gateway.dialects.discover.findings import Finding, Offer, Unused, as_json
from gateway.dialects.discover.listener import LISTEN_TO, DiscoveryListener

__all__ = ["LISTEN_TO", "DiscoveryListener", "Finding", "Offer", "Unused", "as_json"]
