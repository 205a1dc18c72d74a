"""The two clients that talk to Claude: the owner's, and one for visitors' keys without the owner's
credentials."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import anthropic
import httpx2

from streamchat.settings import Settings
from streamchat.sources.claude.keepalive import Client

LIMITS = httpx2.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=60)
# with an empty one, the SDK would look for a key of its own
NO_KEY = "none"


def for_owner(settings: Settings, timeout: httpx2.Timeout) -> anthropic.AsyncAnthropic:
    """A client with the owner's key and the headers of ANTHROPIC_CUSTOM_HEADERS."""
    key = settings.api_key.get_secret_value() or NO_KEY
    return anthropic.AsyncAnthropic(api_key=key, base_url=settings.base_url, **_options(timeout))


def for_visitors(settings: Settings, timeout: httpx2.Timeout) -> anthropic.AsyncAnthropic:
    """A client to copy with a visitor's key. It shares no connections and no cookies with the
    owner's client."""
    return Bare(
        api_key=NO_KEY,
        base_url=_without_user(settings.base_url),
        open_telemetry=False,
        **_options(timeout),
    )


class Bare(anthropic.AsyncAnthropic):
    """A client that sends only the key it is given, and no header from the environment; so do its
    copies."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # the SDK reads ANTHROPIC_CUSTOM_HEADERS for every client and copy, and has no option
        # against it
        self._custom_headers = {}


def _options(timeout: httpx2.Timeout) -> dict[str, Any]:
    return {
        "max_retries": 0,
        "timeout": timeout,
        "http_client": Client(timeout=timeout, limits=LIMITS),
    }


def _without_user(url: str) -> str:
    """The address without its user and password, which would be sent in place of a key."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
