"""Proxy variables and their exceptions in the forms that people write."""

import os

import httpx
import pytest

from streamchat.system.outbound import check_proxies, reach_directly

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
PROXY = "http://proxy.example:3128"
EXCEPTIONS = (
    "*",
    "::1",
    "[::1]",
    "fd00::/8",
    "[fd00::]/8",
    "fe80::1%eth0",
    "10.0.0.0/8",
    ".example.com",
    "*.example.com",
    "host:80",
    "host:x",
    "[::1]:80",
    "http://host",
    "http://host:x",
    "é.example",
    "<local>",
    "192.168.*",
    "[::",
    "[",
    " , ,",
)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without proxies, restored after the test."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


def proxy_for(url: str) -> bool:
    """Whether httpx would send a request for the address through a proxy."""
    with httpx.Client(verify=False) as client:
        return client._transport_for_url(httpx.URL(url)) is not client._transport


@pytest.mark.parametrize("exception", EXCEPTIONS)
@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_own_addresses_are_reached_directly(
    environment: pytest.MonkeyPatch, exception: str, variable: str
) -> None:
    """The chat's own address bypasses the proxy, whatever the exceptions hold, and httpx can read
    all of them."""
    environment.setenv("HTTP_PROXY", PROXY)
    environment.setenv(variable, f"intern.example,{exception}")
    reach_directly(["127.0.0.1", "::1", "10.0.0.7", "box.lan"])
    for url in (
        "http://127.0.0.1:7860",
        "http://[::1]:7860",
        "http://10.0.0.7:1",
        "http://box.lan",
        "http://intern.example",
    ):
        assert not proxy_for(url)
    assert proxy_for("http://claude.example") == (exception != "*")


def test_exceptions_without_a_proxy_are_left_alone(environment: pytest.MonkeyPatch) -> None:
    """Without a proxy nothing is changed."""
    before = dict(os.environ)
    reach_directly(["127.0.0.1"])
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    "proxy", [PROXY, "proxy.example:3128", "https://eva:geheim@proxy.example", "http://[::1]:9"]
)
@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy", "ALL_PROXY"])
def test_proxies_that_speak_http_are_used(
    environment: pytest.MonkeyPatch, name: str, proxy: str
) -> None:
    """Proxies with a user or a port, or without a scheme, are accepted."""
    environment.setenv(name, proxy)
    check_proxies()
    assert os.environ[name] == proxy


def test_an_unneeded_socks_proxy_is_ignored(environment: pytest.MonkeyPatch) -> None:
    """Many desktops set all three variables; the one for all other schemes is never used."""
    environment.setenv("http_proxy", PROXY)
    environment.setenv("https_proxy", PROXY)
    environment.setenv("all_proxy", "socks5://127.0.0.1:1080")
    check_proxies()
    assert "all_proxy" not in os.environ
    assert proxy_for("https://claude.example")


def test_a_proxy_that_is_never_asked_may_be_anything(environment: pytest.MonkeyPatch) -> None:
    """With an exception for every address, proxies are not checked."""
    environment.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    environment.setenv("no_proxy", "*")
    check_proxies()
    assert not proxy_for("https://claude.example")


@pytest.mark.parametrize(
    "proxy", ["socks5://x:1", "ftp://x", "http://", "http://x:99999", "http://["]
)
def test_any_other_proxy_ends_the_start(
    environment: pytest.MonkeyPatch, proxy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sentence names the variable."""
    environment.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(SystemExit):
        check_proxies()
    assert capsys.readouterr().err.startswith("StreamChat cannot start: HTTPS_PROXY is ")
