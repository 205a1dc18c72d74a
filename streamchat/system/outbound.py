"""The proxies that the environment names, past which some requests have to go."""

import os
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from streamchat.system.console import fail

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def check_proxies() -> None:
    """Only proxies that speak HTTP can be used."""
    if "*" in exceptions():
        return
    proxies = {
        name: os.environ[name]
        for name in os.environ
        if name.upper() in PROXIES and os.environ[name]
    }
    for name, value in proxies.items():
        scheme = value.partition("://")[0].lower() if "://" in value else "http"
        if scheme not in ("http", "https") and not is_in_vain(name, proxies):
            raise fail(
                f"{name} is a proxy of the kind {scheme}, which cannot be used. "
                "Set HTTPS_PROXY and HTTP_PROXY to a proxy that begins with http://, or unset it."
            )
        if not has_host(value):
            raise fail(f"{name} is no address of a proxy, as in http://proxy.example:3128.")


def is_in_vain(name: str, proxies: Iterable[str]) -> bool:
    """Drops a proxy for all addresses if there are others for those that are used."""
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
    """The names in NO_PROXY; of its two spellings the small one counts."""
    value = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    return [name.strip() for name in value.split(",") if name.strip()]


def reach_directly(hosts: Iterable[str]) -> None:
    """Has requests to these hosts go past every proxy, above all the look that Gradio takes at its
    own address.

    Drops what httpx cannot read in NO_PROXY and would fail at, such as IPv6 networks, which it
    would not heed.
    """
    if not any(name.upper() in PROXIES for name in os.environ):
        return
    kept = [name for name in exceptions() if is_readable(name)]
    value = ",".join(dict.fromkeys([*kept, *hosts]))
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = value


def is_readable(exception: str) -> bool:
    """Whether httpx understands this part of NO_PROXY."""
    if not exception.isascii():
        return False
    try:
        return ip_address(exception) is not None
    except ValueError:
        host, colon, port = exception.rpartition(":")
        return not colon or (port.isdecimal() and ":" not in host) or exception.endswith("/")
