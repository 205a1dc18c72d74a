"""The two clients that speak to Claude: the owner's, and one for visitors' keys that has nothing of
the owner's."""

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
    """Has the owner's key, and the headers of ANTHROPIC_CUSTOM_HEADERS."""
    key = settings.api_key.get_secret_value() or NO_KEY
    return anthropic.AsyncAnthropic(api_key=key, base_url=settings.base_url, **_options(timeout))


def for_visitors(settings: Settings, timeout: httpx2.Timeout) -> anthropic.AsyncAnthropic:
    """To be copied with a visitor's key. Its connections and cookies are not those of the owner's
    client."""
    return Bare(
        api_key=NO_KEY,
        base_url=_without_user(settings.base_url),
        open_telemetry=False,
        **_options(timeout),
    )


class Bare(anthropic.AsyncAnthropic):
    """Sends no header that the environment names, and only the key that it is given, as all of its
    copies do."""

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
    """The address without the user and password in it, which would be sent in place of a key."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
