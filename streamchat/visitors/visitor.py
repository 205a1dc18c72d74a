"""Names the visitor by the address behind proxies, which a forged header cannot change."""

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
    """A visitor on this machine: the owner, on a chat that nobody else can reach."""

    __slots__ = ()


@dataclass(frozen=True)
class Proxies:
    """The proxies that are trusted to name the address that connected to them.

    With `every_peer` any peer is trusted; a forwarded hop still counts as a proxy only by its
    network.
    """

    networks: tuple[Network, ...]
    every_peer: bool = False

    @classmethod
    def of(cls, forwarded_allow_ips: str, on_spaces: bool) -> Self:
        """Reads `forwarded_allow_ips` as uvicorn does: addresses and networks separated by commas,
        or `*`; other entries are ignored."""
        named = [name.strip() for name in forwarded_allow_ips.split(",")]
        networks = map(_network, [*LOCAL, *(INGRESS if on_spaces else ()), *named])
        return cls(tuple(filter(None, networks)), every_peer="*" in named)

    def __contains__(self, address: Address) -> bool:
        return any(address in network for network in self.networks)

    def trust(self, peer: str | None) -> bool:
        """Whether this peer's X-Forwarded-For is trusted."""
        address = _address(peer or "")
        return self.every_peer or (address is not None and address in self)


def visitor(
    peer: str | None, headers: Mapping[str, str], *, proxies: Proxies, user: str | None = None
) -> str:
    """The visitor's key: the user if one is logged in, otherwise the address; for IPv6 the /64
    network.

    All requests without a known address are one visitor. The key is the same whether or not the
    server, as uvicorn does, has already replaced the peer by the right-most untrusted hop of
    X-Forwarded-For, provided that `proxies` has every proxy that the server trusts: a peer that is
    no proxy is the visitor in either case, and a peer that is one can only have been named by
    proxies.
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
    """Whether the request comes from this machine directly: not through a proxy, nor under another
    name."""
    address = _address(peer or "")
    return address is not None and address.is_loopback and not is_forwarded(headers)


def is_forwarded(headers: Mapping[str, str]) -> bool:
    """Whether a proxy seems to have passed the request on.

    A proxy without headers of its own shows itself by a foreign host name, or by closing
    connections, which browsers do not do.
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
    """The right-most hop that is no proxy. Everything to its left, or to the left of an unreadable
    hop, may be forged."""
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
