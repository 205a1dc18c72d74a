"""The proxies in the environment, and the requests that must bypass them."""

import os
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from streamchat.system.console import fail

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def check_proxies() -> None:
    """Ends the program for a proxy that does not speak HTTP, if it would be used."""
    if "*" in exceptions():
        return
    proxies = {
        name: os.environ[name]
        for name in os.environ
        if name.upper() in PROXIES and os.environ[name]
    }
    for name, value in proxies.items():
        scheme = value.partition("://")[0].lower() if "://" in value else "http"
        if scheme not in ("http", "https") and not is_unused(name, proxies):
            raise fail(
                f"{name} is a proxy of the kind {scheme}, which cannot be used. "
                "Set HTTPS_PROXY and HTTP_PROXY to a proxy that begins with http://, or unset it."
            )
        if not has_host(value):
            raise fail(f"{name} is no address of a proxy, as in http://proxy.example:3128.")


def is_unused(name: str, proxies: Iterable[str]) -> bool:
    """Whether the proxy for all schemes is never asked, because each scheme has its own. Then it is
    removed."""
    if name.upper() != "ALL_PROXY" or not {"HTTP_PROXY", "HTTPS_PROXY"} <= set(
        map(str.upper, proxies)
    ):
        return False
    del os.environ[name]
    return True


def has_host(proxy: str) -> bool:
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def exceptions() -> list[str]:
    """The names in NO_PROXY; the spelling in small letters wins."""
    value = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    return [name.strip() for name in value.split(",") if name.strip()]


def reach_directly(hosts: Iterable[str]) -> None:
    """Makes requests to these hosts bypass every proxy, above all Gradio's check of its own
    address. Removes entries of NO_PROXY that httpx cannot read and would fail on, such as IPv6
    networks."""
    if not any(name.upper() in PROXIES for name in os.environ):
        return
    kept = [name for name in exceptions() if is_readable(name)]
    value = ",".join(dict.fromkeys([*kept, *hosts]))
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = value


def is_readable(exception: str) -> bool:
    """Whether httpx understands this entry of NO_PROXY."""
    if not exception.isascii():
        return False
    try:
        return ip_address(exception) is not None
    except ValueError:
        host, colon, port = exception.rpartition(":")
        return not colon or (port.isdecimal() and ":" not in host) or exception.endswith("/")
