"""Names the visitor: the address behind proxies, found so that a forged header cannot change it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self
from urllib.parse import urlsplit

# peer, headers, user -> visitor
Identify = Callable[[str | None, Mapping[str, str], str | None], str]
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# the share tunnel, a web server on this machine
LOCAL = ("127.0.0.1", "::1")
# of Hugging Face Spaces
INGRESS = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
UNKNOWN = "unknown"
WITH_PORT = re.compile(r"\[([^\]]*)\](?::[0-9]+)?|([0-9.]+):[0-9]+")


FORWARDED = re.compile(
    r"forwarded|via|(x-(forwarded|original|envoy|real|proxyuser|cluster|client)|cf|fly)-.*|.*-ip"
)


class Local(str):
    """A visitor on this machine itself: the owner, where nobody else can reach the chat."""

    __slots__ = ()


@dataclass(frozen=True)
class Proxies:
    """Those whose word counts about who connected to them.

    With `every_peer` that is whoever connects; a hop that was passed on counts as a proxy only by
    its network.
    """

    networks: tuple[Network, ...]
    every_peer: bool = False

    @classmethod
    def of(cls, forwarded_allow_ips: str, on_spaces: bool) -> Self:
        """`forwarded_allow_ips` is read as uvicorn reads it: addresses and networks with commas, or
        `*`; others count for nothing."""
        named = [name.strip() for name in forwarded_allow_ips.split(",")]
        networks = map(_network, [*LOCAL, *(INGRESS if on_spaces else ()), *named])
        return cls(tuple(filter(None, networks)), every_peer="*" in named)

    def __contains__(self, address: Address) -> bool:
        return any(address in network for network in self.networks)

    def trust(self, peer: str | None) -> bool:
        """Whether what this peer says of a request's origin counts."""
        address = _address(peer or "")
        return self.every_peer or (address is not None and address in self)


def visitor(
    peer: str | None, headers: Mapping[str, str], *, proxies: Proxies, user: str | None = None
) -> str:
    """The same key for the same visitor: the user where one is known, otherwise the address, of
    IPv6 the /64 network.

    All whose address cannot be known are one visitor. It does not matter whether the server has
    already put the right-most untrusted hop of X-Forwarded-For in the peer's place, as uvicorn
    does, provided that `proxies` has all that the server trusts: a peer that is no proxy is the
    visitor in either case, and one that is a proxy can only have been named by proxies.
    """
    if user:
        return f"user:{user}"
    address = _address(peer or "")
    hops = [
        hop
        for name, line in headers.items()
        if name.lower() == "x-forwarded-for"
        for hop in line.split(",")
    ]
    if hops and proxies.trust(peer):
        address = _before(hops, proxies)
    return _key(address)


def comes_from_here(peer: str | None, headers: Mapping[str, str]) -> bool:
    """Whether a program or browser on this machine asks, and by itself: not through a proxy, nor by
    another name."""
    address = _address(peer or "")
    return address is not None and address.is_loopback and not is_forwarded(headers)


def is_forwarded(headers: Mapping[str, str]) -> bool:
    """Whether a proxy has passed the request on, as far as it can be told.

    One that adds no header passes on a name by which it is known itself, or closes connections, as
    no browser does.
    """
    fields = {name.lower(): value for name, value in headers.items()}
    names = [
        urlsplit(f"//{fields.get('host', '')}").hostname,
        urlsplit(fields.get("origin", "")).hostname,
    ]
    by_other_name = any(name and not _is_own_name(name) for name in names)
    closes = fields.get("connection", "").lower() == "close" and fields.get(
        "user-agent", ""
    ).startswith("Mozilla/")
    return by_other_name or closes or any(map(FORWARDED.fullmatch, fields))


def _is_own_name(name: str) -> bool:
    address = _address(name)
    return address.is_loopback if address else name == "localhost" or name.endswith(".localhost")


def _before(hops: list[str], proxies: Proxies) -> Address | None:
    """The address that came to the first proxy. All that stands left of it, or of a text without
    one, may be forged."""
    for hop in reversed(hops):
        address = _address(hop)
        if address is None or address not in proxies:
            return address
    return _address(hops[-1])


def _address(text: str) -> Address | None:
    text = text.strip()
    if match := WITH_PORT.fullmatch(text):
        text = match[1] or match[2] or ""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def is_address(text: str) -> bool:
    return _address(text) is not None


def _network(name: str) -> Network | None:
    try:
        return ip_network(_address(name) or name)
    except ValueError:
        return None


def _key(address: Address | None) -> str:
    match address:
        case None:
            return UNKNOWN
        case IPv4Address():
            return str(address)
        case IPv6Address():
            return str(IPv6Network((address, 64), strict=False))
