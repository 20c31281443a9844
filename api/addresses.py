"""Whose request this is, as far as limits go: one customer of a network, not one address."""

from ipaddress import ip_address

from fastapi import Request


def network_of(host: str) -> str:
    """What one customer has at least: an IPv4 address, or the /64 of an IPv6 one. Other names stay as they are."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    mapped = address.ipv4_mapped if address.version == 6 else None
    if address.version == 4 or mapped is not None:
        return str(mapped or address)
    return address.exploded[:19]


def is_loopback(host: str) -> bool:
    """Whether the address is this machine's own: a proxy beside us, a kiosk, a test."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if address.version == 6 else None
    return (mapped or address).is_loopback


def counted(request: Request) -> str | None:
    """The customer that a request counts for; None for this machine itself."""
    host = request.client.host if request.client is not None else None
    return None if host is None or is_loopback(host) else network_of(host)
