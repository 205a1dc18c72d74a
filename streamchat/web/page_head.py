"""Puts a link preview, icons and a first script at the top of the page, before Gradio's own
scripts."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from streamchat.web.buffering import buffered, is_page
from streamchat.web.wording import words_tag

# Gradio's tags, which advertise Gradio; a reader of previews takes the first of each name
PREVIEW = re.compile(rb'<meta\s+(?:property="og:|name="twitter:)[^>]*>\s*')
# of the first script, which sets window.gradio_config
END_OF_CONFIGURATION = b"</script>"
# served from the root of the site even where the chat is below a path, and never there
MANIFEST = re.compile(rb'<link rel="manifest"[^>]*>\s*')


@dataclass(frozen=True)
class Preview:
    """The preview that other programs show for a link. The picture is a path below the chat, of
    1200 x 630 pixels."""

    title: str
    sentence: str
    picture: str

    def tags(self, address: str) -> str:
        """The preview's HTML for the chat at this address."""
        properties = {
            "type": "website",
            "site_name": self.title,
            "title": self.title,
            "description": self.sentence,
            "url": f"{address}/",
            "image": address + self.picture,
            "image:width": "1200",
            "image:height": "630",
            "image:alt": self.title,
        }
        lines = [
            f'<meta name="description" content="{escape(self.sentence)}">',
            '<meta name="twitter:card" content="summary_large_image">',
            *(
                f'<meta property="og:{name}" content="{escape(value)}">'
                for name, value in properties.items()
            ),
        ]
        return "\n".join([*lines, ""])


class PageHead:
    """Puts tags and a script into the page. Must be inside of the policy, which allows the
    script."""

    def __init__(
        self, app: ASGIApp, tags: Callable[[str], str], script: str, words: Mapping[str, str]
    ) -> None:
        """`tags` gets the address of the chat, and is asked for each page. `words` are those of the
        scripts."""
        self._app = app
        self._tags = tags
        self._script = f"{words_tag(words)}<script>{script}</script>".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        def change(_: MutableHeaders, body: bytes) -> bytes:
            return self._opened(body, address(scope))

        await self._app(scope, receive, buffered(send, change) if is_page(scope) else send)

    def _opened(self, page: bytes, address: str) -> bytes:
        found = PREVIEW.search(page)
        before, rest = (page[: found.start()], page[found.start() :]) if found else (page, b"")
        rest = MANIFEST.sub(b"", PREVIEW.sub(b"", rest))
        rest = rest.replace(END_OF_CONFIGURATION, END_OF_CONFIGURATION + self._script, 1)
        return before + (self._tags(address).encode() if found else b"") + rest


def address(scope: Scope) -> str:
    """The chat's address as its visitor knows it, as far as a proxy tells, without a slash at the
    end."""
    root = str(scope.get("root_path", "")).rstrip("/")
    if "://" in root:
        return root
    headers = Headers(scope=scope)
    host = headers.get("x-forwarded-host", "").partition(",")[0] or headers.get("host", "")
    return f"{scope['scheme']}://{host.strip()}{root}"
