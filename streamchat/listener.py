"""The open port on which the chat is served."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

LOOPBACK = "127.0.0.1"
# what a person types into a browser in place of an address that means every address of the machine
LOCAL = {"0.0.0.0": "localhost", "::": "[::1]"}  # noqa: S104


class StartFailed(Exception):
    """The server ended before it had started."""


@dataclass(frozen=True)
class Listener:
    """Sockets that listen on one port of a host. `http` makes the protocol of each connection."""

    host: str
    port: int
    sockets: tuple[socket.socket, ...]
    http: Callable[..., asyncio.Protocol] | str = "auto"

    @classmethod
    def open(cls, host: str = LOOPBACK, port: int = 0) -> Self:
        """Takes the port on every address that the host's name stands for, or raises OSError.

        Port 0 is any free port.
        """
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

    @property
    def url(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{LOCAL.get(self.host, name)}:{self.port}/"


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys((family, str(address[0])) for family, *_, address in found))
