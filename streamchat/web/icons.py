"""The chat's logo as the icon of its pages: the owner's, or else its own mark."""

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from html import escape

from fastapi import APIRouter, Response

from streamchat.look import Look
from streamchat.web import drawing
from streamchat.web.headers import CLOSED, written
from streamchat.web.problem import Route, Unfit

LOGO = "/logo"
# which browsers ask for by themselves, where no page has named an icon
FAVICON = "/favicon.ico"
TOUCH = "/touch-icon.png"
PATHS = (LOGO, FAVICON, TOUCH)
# of the page, in its two themes
THEME_COLOURS = {"light": "#ffffff", "dark": "#18181c"}
# An SVG is a document that may hold scripts. Opened by itself, it runs and loads nothing.
ALONE = {
    **CLOSED,
    "style-src": ["'unsafe-inline'"],
    "img-src": ["data:"],
    "sandbox": [],
}
HEADERS = {
    "Cache-Control": "public, max-age=86400",
    "Content-Security-Policy": written(ALONE),
}


def routes(look: Callable[[], Look]) -> APIRouter:
    """Pictures for everybody, before a login as well."""
    router = APIRouter(route_class=Route, include_in_schema=False)

    @router.get(LOGO)
    @router.get(FAVICON)
    def logo() -> Response:
        kind, content = picture(look())
        return Response(content, headers=HEADERS, media_type=kind)

    @router.get(TOUCH)
    def touch_icon() -> Response:
        """The icon for phones, which take no SVG."""
        if not has_touch_icon(look()):
            raise Unfit(404, "not_found")
        return Response(drawing.touch_icon(look()), headers=HEADERS, media_type="image/png")

    return router


def picture(look: Look) -> tuple[str, bytes]:
    """The logo's type and content."""
    if look.logo:
        return look.logo.kind, look.logo.content
    return "image/svg+xml", drawing.svg(look)


def has_touch_icon(look: Look) -> bool:
    return look.logo is None or look.logo.kind == "image/png"


def address(look: Look, root: str) -> str:
    """The logo's address on a page, whose way to the chat is `root`."""
    return f"{root}{LOGO[1:]}?v={version(look)}"


@lru_cache(maxsize=4)
def version(look: Look) -> str:
    """Changes with what the look changes in pictures, which browsers and others keep."""
    seen = (look.title, look.tagline, look.accent, look.logo and look.logo.content)
    return sha256(repr(seen).encode()).hexdigest()[:8]


def tags(look: Look, root: str) -> str:
    """The tags of a page's head for its icons and for the colour of the browser around it."""
    kind, _ = picture(look)
    lines = [f'<link rel="icon" href="{escape(address(look, root))}" type="{kind}">']
    if has_touch_icon(look):
        touch = f"{root}{TOUCH[1:]}?v={version(look)}"
        lines.append(f'<link rel="apple-touch-icon" href="{escape(touch)}">')
    for theme, colour in THEME_COLOURS.items():
        media = f"(prefers-color-scheme: {theme})"
        lines.append(f'<meta name="theme-color" media="{media}" content="{colour}">')
    return "\n".join(lines)
