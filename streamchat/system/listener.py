"""The open port on which the chat is served."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Self

LOOPBACK = "127.0.0.1"
# the name that a person types into a browser in place of an address that means every address of the
# machine
LOCAL = {"0.0.0.0": "localhost", "::": "::1"}  # noqa: S104


class StartFailed(Exception):
    """The server ended before it was ready."""


@dataclass(frozen=True)
class Listener:
    """Sockets that listen on one port of a host. `http` makes each connection's protocol."""

    host: str
    port: int
    sockets: tuple[socket.socket, ...]
    http: Callable[..., asyncio.Protocol] | str = "auto"

    @classmethod
    def open(cls, host: str = LOOPBACK, port: int = 0) -> Self:
        """Listens on every address that the host's name stands for. Raises OSError. Port 0 means
        any free port."""
        sockets: list[socket.socket] = []
        try:
            for family, address in _addresses(host):
                sockets.append(socket.create_server((address, port), family=family))
                port = sockets[0].getsockname()[1]
        except OSError:
            for each in sockets:
                each.close()
            raise
        return cls(host, port, tuple(sockets))

    def close(self) -> None:
        for each in self.sockets:
            each.close()

    @property
    def url(self) -> str:
        """The address on this machine."""
        return self._url(LOCAL.get(self.host, self.host))

    @property
    def is_private(self) -> bool:
        """Whether only programs on this machine can connect."""
        return all(ip_address(each.getsockname()[0]).is_loopback for each in self.sockets)

    @property
    def network_urls(self) -> list[str]:
        """The addresses for other machines, if the host stands for all addresses of this one."""
        return [self._url(address) for address in _own_addresses(self.host)]

    def _url(self, host: str) -> str:
        return f"http://[{host}]:{self.port}/" if ":" in host else f"http://{host}:{self.port}/"


# one address in each network that a home or an office has, and one outside of them
ELSEWHERE = {
    "0.0.0.0": ("192.168.255.254", "10.255.255.254", "172.31.255.254", "192.0.2.1"),  # noqa: S104
    "::": ("fd00::1", "2001:db8::1"),
}


def _own_addresses(host: str) -> list[str]:
    """The addresses from which this machine would send; nothing is sent."""
    found = []
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for address in ELSEWHERE.get(host, ()):
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            found.append(probe.getsockname()[0])
    return [address for address in dict.fromkeys(found) if not ip_address(address).is_loopback]


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys((family, str(address[0])) for family, *_, address in found))
