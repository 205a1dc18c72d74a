"""Visitors through a proxy on the owner's machine do not pass for the owner."""

import logging

import pytest

from streamchat.errors import TooManyAtOnce, TooOften, VisitorIsSpent
from streamchat.money.budget import Budget
from streamchat.store.database import Store
from streamchat.visitors.limits import Limits
from streamchat.visitors.visitor import Local, Proxies, comes_from_here
from streamchat.visitors.visitors import Visitors

HOST = {"host": "127.0.0.1:7860"}
STRANGER = "203.0.113.7"
PROXIES = {
    "nginx, as its manual has it": {"x-forwarded-for": STRANGER, "x-real-ip": STRANGER},
    "nginx with one line only": {"X-Forwarded-For": STRANGER},
    "an address that is the machine's own": {"x-forwarded-for": "127.0.0.1"},
    "no address": {"x-forwarded-for": ""},
    "the standard header": {"Forwarded": f"for={STRANGER}"},
    "a real address": {"X-Real-IP": STRANGER},
    "Via": {"via": "1.1 proxy"},
    "Caddy": {"x-forwarded-proto": "https", "x-forwarded-host": "chat.example"},
    "Cloudflare": {"cf-connecting-ip": STRANGER, "cf-ray": "1"},
    "Akamai": {"true-client-ip": STRANGER},
    "Apache": {"x-forwarded-server": "chat.example"},
    "Envoy": {"x-envoy-external-address": STRANGER},
    "a load balancer": {"x-cluster-client-ip": STRANGER},
    "another name of the machine": {"host": "chat.example"},
    "the name of a page elsewhere": {"origin": "https://chat.example"},
    "nginx without any line": {
        "connection": "close",
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64)",
    },
}
OWN = {
    "address": HOST,
    "IPv6": {"host": "[::1]:7860"},
    "name": {"host": "localhost:7860"},
    "program": {
        "host": "localhost:7860",
        "connection": "close",
        "user-agent": "Python-urllib/3.11",
    },
    "page": {
        "host": "localhost:7860",
        "origin": "http://localhost:7860",
        "connection": "keep-alive",
    },
}


@pytest.mark.parametrize("headers", PROXIES.values(), ids=PROXIES)
def test_a_visitor_through_a_proxy_is_not_the_owner(headers: dict[str, str]) -> None:
    """A visitor through nginx on the same machine has the usual limits."""
    identify = Visitors(Proxies.of("", on_spaces=False), private=True)
    assert not isinstance(identify("127.0.0.1", HOST | headers, None), Local)


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.0.0.9", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("headers", OWN.values(), ids=OWN)
def test_a_request_from_the_machine_itself_is_the_owners(
    peer: str, headers: dict[str, str]
) -> None:
    """Requests from the machine itself have the owner's limits."""
    assert isinstance(
        Visitors(Proxies.of("", on_spaces=False), private=True)(peer, headers, None), Local
    )


@pytest.mark.parametrize("peer", [STRANGER, "10.0.0.2", "", None, "localhost", "127.0.0.1.example"])
def test_a_request_from_elsewhere_is_not_the_owners(peer: str | None) -> None:
    """Requests from other addresses have a visitor's limits."""
    assert not comes_from_here(peer, HOST)


def test_on_a_public_chat_nobody_is_the_owner() -> None:
    """On a chat with a share link no address is the owner's, because the tunnel connects from the
    machine itself."""
    assert not isinstance(
        Visitors(Proxies.of("", on_spaces=False), private=False)("127.0.0.1", HOST, None), Local
    )


def test_the_log_says_once_that_there_is_a_proxy(caplog: pytest.LogCaptureFixture) -> None:
    """The log says once that visitors through the proxy have the usual limits."""
    identify = Visitors(Proxies.of("", on_spaces=False), private=True)
    with caplog.at_level(logging.WARNING):
        for number in range(100):
            identify("127.0.0.1", HOST | {"x-forwarded-for": f"203.0.113.{number}"}, None)
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "A proxy on this machine passes on requests"
    ]
    assert "203.0.113" not in caplog.text


def visitors(headers: dict[str, str]) -> str:
    return Visitors(Proxies.of("", on_spaces=False), private=True)(
        "127.0.0.1", HOST | headers, None
    )


def test_a_stranger_behind_a_proxy_may_ask_as_often_as_any_other() -> None:
    """A visitor behind the proxy has the usual rate limit, and the owner's questions do not count."""
    limits = Limits(
        rate="20/minute", visitor_replies=3, max_replies=100, local_rate="off", local_replies=100
    )
    stranger, owner = visitors({"x-forwarded-for": STRANGER}), visitors({})
    for _ in range(20):
        limits.admit(stranger).leave()
    with pytest.raises(TooOften):
        limits.admit(stranger)
    for _ in range(50):
        limits.admit(owner)


def test_a_stranger_behind_a_proxy_may_have_as_many_replies_as_any_other() -> None:
    """A visitor behind the proxy has the usual bound of replies at once."""
    limits = Limits(rate="off", visitor_replies=3, max_replies=100, local_replies=100)
    for _ in range(3):
        limits.admit(visitors({"via": "1.1 proxy"}))
    with pytest.raises(TooManyAtOnce):
        limits.admit(visitors({"via": "1.1 proxy"}))


async def test_a_stranger_behind_a_proxy_has_a_visitors_share() -> None:
    """A visitor behind the proxy has a visitor's share of the budget, and the rest is the owner's."""
    budget = Budget(Store(""), daily=5, visitor=0.5, local=5)
    stranger, owner = visitors({"x-forwarded-for": STRANGER}), visitors({})
    for number in range(3):
        await budget.reserve(f"reply {number}", stranger, 0.16)
    with pytest.raises(VisitorIsSpent):
        await budget.reserve("one more", stranger, 0.16)
    assert budget.left(stranger) == pytest.approx(0.02)
    await budget.reserve("the owner's", owner, 2)
    assert budget.left(owner) == pytest.approx(5 - 0.48 - 2)


def test_limits_that_the_owner_has_set_hold_for_the_owner() -> None:
    """Limits that are set in the settings hold for the owner as well."""
    limits = Limits(rate="1/minute", visitor_replies=1, max_replies=100)
    limits.admit(visitors({}))
    with pytest.raises(TooOften):
        limits.admit(visitors({}))
