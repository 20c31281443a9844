"""Which hosts may be spoken to: none in a private network unless that is meant. Standard library only.

Names are resolved once, every address is judged, and the connection goes to one that was judged: a name can't be
swapped for another in between.
"""

import base64
import contextlib
import ipaddress
import socket
from urllib.parse import unquote

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address


class UnreachableError(OSError):
    """The host can't or may not be spoken to; `final` where time alone will not change that."""

    def __init__(self, text: str, *, final: bool = False) -> None:
        super().__init__(text)
        self.final = final


def is_public(address: str) -> bool:
    """False for loopback, link-local, private, shared and multicast addresses, also inside an IPv6 one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def addresses(host: str, port: int) -> list[tuple[str, int]]:
    """Where the host is, at least one. UnreachableError when it has no address."""
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise UnreachableError(f"{host} is no name that a host can have", final=True) from None
    except OSError as error:
        raise UnreachableError(f"{host}: {error}") from error
    return [(address, port) for address in dict.fromkeys(str(entry[4][0]) for entry in entries)]


def public_addresses(host: str, port: int, *, allow_private: bool) -> list[tuple[str, int]]:
    """Where the host may be spoken to, at least one. UnreachableError: it has no address, or one of them is private."""
    places = addresses(host, port)
    for address, _ in places:
        if not allow_private and not is_public(address):
            raise UnreachableError(
                f"{host} is {address}, an address in a private network: set allow_private: true if that is meant",
                final=True,
            )
    return places


def dial(places: list[tuple[str, int]], timeout_s: float) -> socket.socket:
    """The first address that answers: many sites have an IPv6 address and no route to it."""
    for address in places[:-1]:
        with contextlib.suppress(OSError):
            return socket.create_connection(address, timeout_s / len(places))
    return socket.create_connection(places[-1], timeout_s)


def basic_login(username: str | None, password: str | None) -> dict[str, str]:
    """The header for `user:password@` of an address, as RFC 7617 has it; none without a user."""
    if username is None:
        return {}
    pair = f"{unquote(username)}:{unquote(password or '')}".encode(errors="replace")
    return {"Authorization": "Basic " + base64.b64encode(pair).decode()}
