"""Checks the host name of each request, and refuses requests from other sites' pages."""

import logging
import os
import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamchat.visitors import Proxies, is_address
from streamchat.web.paths import SHARED, path_of
from streamchat.web.problem import refused

logger = logging.getLogger(__name__)

AUTHORITY = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9_.-]{1,253})(?::([0-9]{1,5}))?")
PORTS = {"http": 80, "https": 443}
ANYTHING = "*"
LOCAL = ("localhost",)
LOCAL_DOMAINS = (".localhost",)
SPACES_DOMAINS = (".hf.space",)
# the headers from which Gradio takes the address of its own page, without asking from whom they
# come
FORWARDED = (b"x-forwarded-host", b"x-gradio-server")
# addresses that a link or a frame on another site may open
PAGES = ("/", "/docs", "/login", "/owner")
SAFE = ("GET", "HEAD")
OWN_SITE = (None, "same-origin", "none")


@dataclass(frozen=True)
class Authority:
    """A host with its port; None means the scheme's default port."""

    name: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> Self | None:
        match = AUTHORITY.fullmatch(text.lower())
        if match is None or int(match[2] or 0) > 65_535:
            return None
        return cls(match[1].removesuffix("."), int(match[2]) if match[2] else None)

    def at(self, scheme: str) -> tuple[str, int | None]:
        return self.name, PORTS.get(scheme) if self.port is None else self.port

    @property
    def is_address(self) -> bool:
        return is_address(self.name.strip("[]"))


class Hosts:
    """The names of this chat. IP addresses are always known, because no site can have one as its
    name.

    A page under any other name may belong to a site that has pointed its name at this machine (DNS
    rebinding). `*` accepts every name.
    """

    def __init__(self, names: Iterable[str] = (), *, domains: tuple[str, ...] = ()) -> None:
        self._names = set(LOCAL)
        self._domains = (*LOCAL_DOMAINS, *domains)
        self._origins: set[Authority] = set()
        self._every = False
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Adds `name`, `name:port` or a URL. Its pages may use this chat even if a proxy hides the
        name."""
        self._every |= name == ANYTHING
        if authority := Authority.parse(urlsplit(name).netloc if "://" in name else name):
            self._names.add(authority.name)
            self._origins.add(authority)

    def add_machine(self, *names: str) -> None:
        """Adds names of this machine. A page on another port of such a name belongs to another
        program."""
        self._names.update(name.lower() for name in names)

    def add_own_machine(self) -> None:
        """Adds this machine's names in its own network. May wait for a name server."""
        name = socket.gethostname()
        self.add_machine(name, name.partition(".")[0] + ".local")
        self.add_machine(socket.getfqdn())

    def knows(self, asked: Authority) -> bool:
        return (
            self._every
            or asked.is_address
            or asked.name in self._names
            or asked.name.endswith(self._domains)
        )

    def owns(self, origin: str, scheme: str, asked: Iterable[Authority]) -> bool:
        """Whether a page of this origin belongs to this chat, which was asked under one of the
        names `asked`."""
        page_scheme, _, rest = origin.partition("://")
        page = Authority.parse(rest)
        if (
            page is None
            or page_scheme not in PORTS
            or (scheme in ("https", "wss") and page_scheme != "https")
        ):
            return False
        return page.at(page_scheme) in {each.at(page_scheme) for each in (*asked, *self._origins)}


def published(environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """The names that variables of Gradio and Hugging Face give to this chat."""
    if space := environment.get("SPACE_HOST"):
        yield space
    if "://" in (root := environment.get("GRADIO_ROOT_PATH", "")):
        yield root


class HostCheck:
    """Answers 421 for an unknown host name, and 403 to another site's page.

    Removes the headers that would let other sites read responses.
    """

    def __init__(self, app: ASGIApp, hosts: Hosts, proxies: Proxies) -> None:
        self._app = app
        self._hosts = hosts
        self._proxies = proxies
        self._has_warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        scope = self._without_forged(scope)
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, _unreadable_elsewhere(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        else:
            await refusal(scope, receive, send)

    def _without_forged(self, scope: Scope) -> Scope:
        if self._proxies.trust(scope.get("peer") or (scope.get("client") or [None])[0]):
            return scope
        return {**scope, "headers": [each for each in scope["headers"] if each[0] not in FORWARDED]}

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        hosts = _values(scope, b"host")
        if len(hosts) != 1:
            return refused(400, "bad_host")
        asked = [Authority.parse(text) for text in (*hosts, *_items(scope, FORWARDED[0]))]
        known = [each for each in asked if each is not None and self._hosts.knows(each)]
        if len(known) < len(asked):
            self._warn(next(each for each in asked if each not in known))
            return refused(421, "unknown_host")
        if self._is_foreign(scope, known):
            return refused(403, "foreign_page")
        return None

    def _is_foreign(self, scope: Scope, asked: list[Authority]) -> bool:
        origins = _values(scope, b"origin")
        if origins and not (
            len(origins) == 1 and self._hosts.owns(origins[0], scope["scheme"], asked)
        ):
            return True
        return from_another_site(_value(scope, b"sec-fetch-site")) and not _opens_a_page(scope)

    def _warn(self, name: Authority | None) -> None:
        """Warns once a run. Visitors choose the name, so it is logged only if it is a valid one."""
        if self._has_warned:
            return
        self._has_warned = True
        logger.warning(
            "A request for %s was refused: the chat is not known by that name. "
            "If it should be, add the name to STREAMCHAT_HOSTS.",
            name.name if name and len(name.name) <= 100 else "another name",
        )


def from_another_site(site: str | None) -> bool:
    """Whether another site's page sends the request, by the browser's Sec-Fetch-Site. Programs do
    not send it."""
    return site not in OWN_SITE


def _opens_a_page(scope: Scope) -> bool:
    """Whether the request is a link or a frame; its page cannot read the response."""
    is_page = (path := path_of(scope)) in PAGES or path.startswith(SHARED)
    opens = scope["type"] == "http" and scope["method"] in SAFE and is_page
    return opens and _value(scope, b"sec-fetch-mode") in (None, "navigate")


def _unreadable_elsewhere(send: Send) -> Send:
    async def without_cors(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = message.get("headers", ())
            kept = [each for each in headers if not each[0].lower().startswith(b"access-control-")]
            message = {**message, "headers": kept}
        await send(message)

    return without_cors


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1").strip() for key, value in scope["headers"] if key == name]


def _items(scope: Scope, name: bytes) -> list[str]:
    return [item.strip() for value in _values(scope, name) for item in value.split(",")]


def _value(scope: Scope, name: bytes) -> str | None:
    values = _values(scope, name)
    return ", ".join(values) if values else None
