"""A web server in front of the app that passes requests on as nginx does, with the headers a test
chooses."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from tests.proxy import Proxy

# what nginx sends without any `proxy_set_header`
NGINX = {"Host": "$proxy_host", "Connection": "close"}
CADDY = {
    "Host": "$http_host",
    "X-Forwarded-For": "$remote_addr",
    "X-Forwarded-Host": "$http_host",
    "X-Forwarded-Proto": "$scheme",
}


class WebServer(Proxy):
    """`headers` are set as by `proxy_set_header`, with nginx's variables; an empty one is not sent.

    A `prefix` is taken away before a request is passed on; there is nothing beside it. Its own
    address without a slash at the end is passed on too. A request for a whole address, as to a
    forward proxy, is passed on with the name in it: so that a browser finds any name here. `scheme`
    is what the app is told.
    """

    def __init__(
        self,
        port: int,
        headers: Mapping[str, str] = NGINX,
        *,
        prefix: str = "",
        scheme: str = "http",
    ) -> None:
        super().__init__(port)
        self._headers = {"Connection": "close", **headers}
        self._prefix = prefix
        self._scheme = scheme

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            if not self._is_served(head.split(b" ")[1].decode("latin-1")):
                writer.write(
                    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
                writer.close()
                return
            onward, backward = await asyncio.open_connection("127.0.0.1", self._to)
            self._pairs.append((writer, backward))
            backward.write(
                self._rewritten(head.decode("latin-1"), str(writer.get_extra_info("peername")[0]))
            )
            await asyncio.gather(self._pass_on(reader, backward), self._pass_on(onward, writer))
        writer.close()

    def _is_served(self, target: str) -> bool:
        path = "/" + target.split("/", 3)[3] if "://" in target else target
        return f"{path.partition('?')[0]}/".startswith(f"{self._prefix}/")

    def _inside(self, target: str) -> str:
        path = target.removeprefix(self._prefix)
        return path if path.startswith("/") else f"/{path}"

    def _rewritten(self, head: str, peer: str) -> bytes:
        first, *lines = head.strip().split("\r\n")
        method, target, version = first.split(" ")
        if "://" in target:
            target = "/" + target.split("/", 3)[3]
        given = [
            (name, value.strip()) for name, _, value in (line.partition(":") for line in lines)
        ]
        named = {name.lower(): value for name, value in given}
        variables = {
            "$proxy_add_x_forwarded_for": ", ".join(
                filter(None, [named.get("x-forwarded-for"), peer])
            ),
            "$proxy_host": f"127.0.0.1:{self._to}",
            "$http_host": named.get("host", ""),
            "$remote_addr": peer,
            "$scheme": self._scheme,
        }
        changed = {name.lower() for name in self._headers}
        kept = [(name, value) for name, value in given if name.lower() not in changed]
        added = [
            (name, variables.get(value, value)) for name, value in self._headers.items() if value
        ]
        return "\r\n".join(
            [f"{method} {self._inside(target)} {version}", *map(": ".join, kept + added), "", ""]
        ).encode("latin-1")
