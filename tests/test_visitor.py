import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import gradio as gr
import httpx
import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from streamchat.visitors.visitor import Proxies, visitor

# uvicorn trusts nobody: the peer is the one that connected
UNREAD = ""
# what uvicorn trusts by itself, in older and newer releases
READ = ("127.0.0.1", "127.0.0.1,::1")


async def one(peer: str, *lines: str, trusted: str, proxies: Proxies) -> str:
    """The key after uvicorn's own middleware, which may put a hop in the peer's place."""
    keys = []

    async def app(scope: Any, _receive: object, _send: object) -> None:
        keys.append(visitor(scope["client"][0], Headers(scope=scope), proxies=proxies))

    headers = [
        (b"host", b"chat"),
        *((b"x-forwarded-for", line.encode("latin-1")) for line in lines),
    ]
    scope: Any = {"type": "http", "client": (peer, 50_000), "headers": headers}
    unused: Any = None
    await ProxyHeadersMiddleware(app, trusted)(scope, unused, unused)
    return keys[0]


async def seen(peer: str, *lines: str, allow: str = "", on_spaces: bool = False) -> str:
    """The key of who connects from `peer` with these lines of X-Forwarded-For, whether or not
    uvicorn has read them."""
    proxies = Proxies.of(allow, on_spaces)
    servers = [UNREAD, allow] if allow else [UNREAD, *READ]
    keys = {await one(peer, *lines, trusted=trusted, proxies=proxies) for trusted in servers}
    assert len(keys) == 1
    return keys.pop()


FORGED = "6.6.6.6"


async def test_a_visitor_is_an_address() -> None:
    """A person who connects directly is known by the address."""
    assert await seen("203.0.113.9") == "203.0.113.9"


@pytest.mark.parametrize(
    "forged", [FORGED, "127.0.0.1", "10.0.0.1", "::1", "unknown", "", f"{FORGED}, 127.0.0.1"]
)
async def test_a_direct_visitor_cannot_be_another(forged: str) -> None:
    """Without a proxy in between, a header is only what the visitor wrote."""
    assert await seen("203.0.113.9", forged) == "203.0.113.9"
    assert await seen("203.0.113.9", forged, on_spaces=True) == "203.0.113.9"
    assert await seen("203.0.113.9", forged, allow="10.0.0.0/8") == "203.0.113.9"


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "::1%lo", "::ffff:127.0.0.1"])
async def test_behind_a_local_proxy_two_visitors_are_two(peer: str) -> None:
    """A web server or a share tunnel on this machine names whom it speaks for, and it is
    believed."""
    assert await seen(peer, "203.0.113.9") == "203.0.113.9"
    assert await seen(peer, "198.51.100.7") == "198.51.100.7"


async def test_behind_a_proxy_a_forger_stays_the_same() -> None:
    """Addresses that a visitor forges stand left of the one that the proxy adds, and are
    ignored."""
    assert await seen("127.0.0.1", f"{FORGED}, 203.0.113.9") == "203.0.113.9"
    assert await seen("127.0.0.1", FORGED, "203.0.113.9") == "203.0.113.9"
    assert await seen("127.0.0.1", f"{FORGED}, 127.0.0.1, 203.0.113.9") == "203.0.113.9"


async def test_a_tunnel_may_add_a_hop_of_its_own() -> None:
    """Where the share server's own web server is a hop too, the visitor is the one before it."""
    assert await seen("127.0.0.1", f"{FORGED}, 203.0.113.9, 127.0.0.1") == "203.0.113.9"
    assert await seen("127.0.0.1", FORGED, "203.0.113.9", "::1") == "203.0.113.9"


async def test_a_tunnel_that_names_only_itself_has_one_visitor() -> None:
    """When a hop nobody knows stands last, all behind it are one: better than to believe what comes
    before it."""
    assert await seen("127.0.0.1", f"{FORGED}, 203.0.113.9, 172.17.0.1") == "172.17.0.1"
    assert await seen("127.0.0.1", f"{FORGED}, 198.51.100.7, 172.17.0.1") == "172.17.0.1"


async def test_a_local_proxy_without_a_header_is_one_visitor() -> None:
    """A person who sits at the machine itself, or comes through a tunnel that says nothing, is the
    machine."""
    assert await seen("127.0.0.1") == "127.0.0.1"


@pytest.mark.parametrize(
    ("allow", "peer", "hops"),
    [
        ("10.0.0.1", "10.0.0.1", ""),
        ("10.0.0.0/8", "10.0.0.1", ""),
        ("10.0.0.0/8, 2001:db8::/32", "2001:db8::1", ""),
        ("2001:db8::1", "2001:DB8:0::1", ""),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.1", ""),
        ("10.0.0.1,10.0.0.2", "10.0.0.2", ", 10.0.0.1"),
        ("10.0.0.0/8", "10.0.0.2", ", 10.0.0.1"),
        ("127.0.0.1,10.0.0.1", "127.0.0.1", ", 10.0.0.1"),
        ("10.0.0.1", "127.0.0.1", ", 10.0.0.1"),
        ("10.0.0.1", "10.0.0.1", ", 127.0.0.1"),
        ("not an address,10.0.0.1/8,10.0.0.1", "10.0.0.1", ""),
        ("*", "172.17.0.2", ""),
        ("*", "127.0.0.1", ", 127.0.0.1"),
        ("*,10.0.0.1", "172.17.0.2", ", 10.0.0.1"),
    ],
)
async def test_named_proxies_are_believed(allow: str, peer: str, hops: str) -> None:
    """Behind one proxy or two that FORWARDED_ALLOW_IPS names, two visitors are two and a forger is
    one of them."""
    for address in ("203.0.113.9", "198.51.100.7"):
        assert await seen(peer, f"{address}{hops}", allow=allow) == address
        assert await seen(peer, f"{FORGED}, {address}{hops}", allow=allow) == address
        assert await seen(peer, FORGED, f"{address}{hops}", allow=allow) == address


async def test_a_proxy_that_was_not_named_is_one_visitor() -> None:
    """Behind a proxy that nobody trusts all are one, because any of them could have written the
    header."""
    assert await seen("10.0.0.1", "203.0.113.9") == "10.0.0.1"
    assert (
        await seen("10.0.0.1", "203.0.113.9", allow="10.0.0.2, 10.0.0.1/8, everyone") == "10.0.0.1"
    )


@pytest.mark.parametrize(
    "ingress", ["10.16.3.80", "172.20.1.2", "192.168.7.7", "100.64.1.1", "fd00::5"]
)
async def test_on_spaces_the_ingress_is_believed(ingress: str) -> None:
    """On Hugging Face Spaces everybody comes from a private address, which says who it is."""
    assert await seen(ingress, "203.0.113.9", on_spaces=True) == "203.0.113.9"
    assert await seen(ingress, f"{FORGED}, 198.51.100.7", on_spaces=True) == "198.51.100.7"
    assert await seen(ingress, f"{FORGED}, 203.0.113.9, 10.16.9.9", on_spaces=True) == "203.0.113.9"
    assert (
        await seen("127.0.0.1", f"{FORGED}, 203.0.113.9, {ingress}", on_spaces=True)
        == "203.0.113.9"
    )


async def test_elsewhere_a_private_address_is_a_visitor() -> None:
    """In an office network a colleague is a visitor and not a proxy, and cannot be another."""
    assert await seen("192.168.0.17", FORGED) == "192.168.0.17"
    assert await seen("127.0.0.1", f"{FORGED}, 192.168.0.17") == "192.168.0.17"


async def test_if_all_hops_are_proxies_the_nearest_ones_peer_counts() -> None:
    """The hop that connected to the nearest proxy is the visitor, whatever stands before it."""
    assert await seen("127.0.0.1", "127.0.0.1") == "127.0.0.1"
    assert await seen("10.0.0.1", "10.0.0.3", allow="10.0.0.0/8") == "10.0.0.3"
    assert await seen("10.0.0.1", "10.0.0.9, 10.0.0.3", allow="10.0.0.0/8") == "10.0.0.3"


async def test_an_ipv6_visitor_is_a_network() -> None:
    """A provider gives each home a /64, of which one could use another address for every
    question."""
    assert await seen("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    assert await seen("127.0.0.1", "2001:DB8:1:2:ffff:ffff:ffff:ffff") == "2001:db8:1:2::/64"
    assert await seen("127.0.0.1", "2001:db8:1:3::1") == "2001:db8:1:3::/64"
    assert await seen("fe80::1%eth0") == await seen("fe80::2") == "fe80::/64"


async def test_an_ipv4_visitor_is_the_same_over_ipv6() -> None:
    """A server that listens on IPv6 sees IPv4 visitors in a longer form; they are still told apart,
    and once each."""
    assert await seen("::ffff:203.0.113.9") == await seen("::ffff:cb00:7109") == "203.0.113.9"
    assert await seen("127.0.0.1", "::ffff:203.0.113.9") == "203.0.113.9"


@pytest.mark.parametrize(
    "address", ["203.0.113.9:567", "[::ffff:203.0.113.9]:80", "  203.0.113.9\t", "[203.0.113.9]"]
)
async def test_a_port_makes_no_new_visitor(address: str) -> None:
    """Some proxies add the port, which is another one for every connection."""
    assert await seen("127.0.0.1", address) == "203.0.113.9"
    assert await seen("127.0.0.1", f"{FORGED}, {address}") == "203.0.113.9"


async def test_an_ipv6_port_makes_no_new_visitor() -> None:
    """In brackets or without them, with a port or without one, it is the same network."""
    for address in ("[2001:db8::1]:80", "[2001:db8::1]", "2001:db8::1", "[2001:db8::2]:65535"):
        assert await seen("127.0.0.1", address) == "2001:db8::/64"
    assert await seen("127.0.0.1", "203.0.113.9, [::1]:80") == "203.0.113.9"


GARBAGE = ["unknown", "_hidden", "", " ", "[::1", "::1]", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4/8", "256.1.1.1",
           "1.2.3.4:", "1.2.3.4:x", "[]:80", ":80", "[[::1]]", "for=1.2.3.4", "١.2.3.4".encode().decode("latin-1"),
           "6" * 9_999, "1.2.3.4;", '"1.2.3.4"', "localhost", "\x00", "::1::1", ":" * 9_999, "[" * 9_999]  # fmt: skip


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_garbage_from_a_proxy_is_one_visitor(garbage: str) -> None:
    """When the proxy itself does not know who asks, nobody looks further left, where anything may
    stand."""
    for left in ("", f"{FORGED}, ", f"{FORGED}, unknown, "):
        for peer in ("127.0.0.1", "10.16.3.80"):
            assert await seen(peer, left + garbage, on_spaces=True) in ("unknown", peer)


async def test_garbage_from_a_visitor_changes_nothing() -> None:
    """Garbage in the header changes nothing: the proxy's address comes after it."""
    for garbage in GARBAGE:
        assert await seen("127.0.0.1", f"{garbage}, 203.0.113.9") == "203.0.113.9"
        assert await seen("127.0.0.1", garbage, "203.0.113.9") == "203.0.113.9"


async def test_thousands_of_hops_change_nothing() -> None:
    """A header as long as a server takes it is neither an error nor a way around."""
    for hop in ("127.0.0.1", FORGED, "unknown", ""):
        many = ",".join([hop] * 10_000)
        assert await seen("203.0.113.9", many) == "203.0.113.9"
        assert await seen("127.0.0.1", many, "203.0.113.9") == "203.0.113.9"
    # said by proxies only
    assert await seen("127.0.0.1", ",".join([FORGED, *["127.0.0.1"] * 10_000])) == FORGED


@pytest.mark.parametrize(
    "name", ["X-Real-IP", "Forwarded", "X-Client-IP", "CF-Connecting-IP", "X_Forwarded_For"]
)
def test_other_headers_are_not_read(name: str) -> None:
    """Proxies pass on headers they do not know; a forger could set every one of them."""
    headers = Headers({name: FORGED})
    for peer in ("127.0.0.1", "203.0.113.9"):
        assert visitor(peer, headers, proxies=Proxies.of("", on_spaces=False)) == peer


def test_a_header_is_found_however_it_is_written() -> None:
    """Names of headers are the same in capitals and small letters, also where someone has made a
    dict of them."""
    for name in ("X-Forwarded-For", "x-forwarded-for", "X-FORWARDED-FOR"):
        assert (
            visitor("127.0.0.1", {name: "203.0.113.9"}, proxies=Proxies.of("", on_spaces=False))
            == "203.0.113.9"
        )


@pytest.mark.parametrize("peer", [None, "", "testclient", "unix:", "unknown"])
def test_visitors_without_an_address_are_one(peer: str | None) -> None:
    """Over a Unix socket all are one visitor, and no header counts unless every peer is trusted."""
    headers = {"x-forwarded-for": "203.0.113.9"}
    assert visitor(peer, headers, proxies=Proxies.of("", on_spaces=True)) == "unknown"
    assert visitor(peer, headers, proxies=Proxies.of("*", on_spaces=False)) == "203.0.113.9"


def test_a_user_is_a_visitor_at_any_address() -> None:
    """Where people log in, they are who they are at home and on the way, and no address can be
    mistaken for one."""
    proxies = Proxies.of("", on_spaces=False)
    for peer in ("203.0.113.9", "198.51.100.7", None):
        assert (
            visitor(peer, {"x-forwarded-for": FORGED}, proxies=proxies, user="anna") == "user:anna"
        )
    assert visitor("203.0.113.9", {}, proxies=proxies, user="203.0.113.9") != "203.0.113.9"
    assert visitor("203.0.113.9", {}, proxies=proxies, user="") == "203.0.113.9"


def test_proxies_are_a_value() -> None:
    """The same environment trusts the same proxies, and nobody adds one later."""
    assert Proxies.of("10.0.0.1, ", on_spaces=False) == Proxies.of("10.0.0.1/32", on_spaces=False)
    assert Proxies.of("", on_spaces=True) != Proxies.of("", on_spaces=False)
    with pytest.raises(AttributeError):
        Proxies.of("", on_spaces=False).every_peer = True  # type: ignore[misc]


# what FORWARDED_ALLOW_IPS says, whether on Spaces, who connects, what proxies write behind
ways = st.sampled_from([
    ("", False, None, []),
    ("", False, "127.0.0.1", []),
    ("", False, "::1", ["127.0.0.1"]),
    ("", True, "10.16.3.80", []),
    ("", True, "10.16.3.80", ["10.16.0.1", "127.0.0.1"]),
    ("", True, "127.0.0.1", ["10.16.3.80"]),
    ("", True, None, []),
    ("10.0.0.1", False, "10.0.0.1", []),
    ("10.0.0.0/8", False, "10.0.0.2", ["10.0.0.1"]),
    ("10.0.0.0/8", False, None, []),
    ("10.0.0.0/8", False, "127.0.0.1", ["10.0.0.1:443"]),
    ("*", False, "172.17.0.2", []),
    ("*", True, "10.16.3.80", ["10.16.0.1"]),
])  # fmt: skip
people = st.builds(IPv4Address, st.integers(0x0B000000, 0x63FFFFFF)) | st.builds(
    IPv6Address, st.integers(0x2001 << 112, (0x2002 << 112) - 1)
)
hops = st.sampled_from(
    [*GARBAGE, FORGED, "127.0.0.1", "10.0.0.1", "10.16.3.80", "::1", "[::1]:80"]
) | st.text(st.characters(max_codepoint=255), max_size=20)
written = st.lists(st.lists(hops, max_size=6).map(", ".join), max_size=3)


@given(way=ways, asking=people, forged=written, own_line=st.booleans())
async def test_no_header_makes_a_second_identity(
    way: tuple[str, bool, str | None, list[str]],
    asking: IPv4Address | IPv6Address,
    forged: list[str],
    own_line: bool,
) -> None:
    """On every way to the chat, whatever lines a visitor sends and however proxies add to them, the
    key is the one that the visitor has without writing anything, and it is the one of the visitor's
    address."""
    allow, on_spaces, peer, behind = way
    added = ", ".join([str(asking), *behind])
    honest, lines = [added], [*forged, added]
    if forged and not own_line:
        lines = [*forged[:-1], f"{forged[-1]}, {added}"]
    if peer is None:
        honest, lines = [], forged
    key = await seen(peer or str(asking), *lines, allow=allow, on_spaces=on_spaces)
    assert key == await seen(peer or str(asking), *honest, allow=allow, on_spaces=on_spaces)
    assert key == await seen(str(asking))


@given(way=ways, one=people, other=people)
async def test_two_addresses_are_two_visitors(
    way: tuple[str, bool, str | None, list[str]],
    one: IPv4Address | IPv6Address,
    other: IPv4Address | IPv6Address,
) -> None:
    """On every way to the chat people are told apart exactly as they would be without a proxy."""
    allow, on_spaces, peer, behind = way

    async def key(asking: IPv4Address | IPv6Address) -> str:
        lines = [", ".join([str(asking), *behind])] if peer else []
        return await seen(peer or str(asking), *lines, allow=allow, on_spaces=on_spaces)

    assert (await key(one) == await key(other)) == (await seen(str(one)) == await seen(str(other)))


@given(
    allow=st.text(st.characters(codec="utf-8")) | st.lists(hops).map(",".join),
    peer=hops,
    lines=written,
)
async def test_every_request_has_a_visitor_key(allow: str, peer: str, lines: list[str]) -> None:
    """Any environment, peer and header lead to a key."""
    proxies = Proxies.of(allow, on_spaces=False)
    for trusted in (UNREAD, *READ, allow):
        assert await one(peer, *lines, trusted=trusted, proxies=proxies)


Ask = Callable[..., Awaitable[list[str]]]


@asynccontextmanager
async def served(proxies: Proxies) -> AsyncIterator[Ask]:
    """A real server as Gradio starts it; asked with these lines of the header, it says whom API and
    page see."""

    async def keys(request: Request) -> JSONResponse:
        page = gr.Request(request)
        clients: list[Any] = [request, page]
        return JSONResponse(
            [visitor(each.client.host, each.headers, proxies=proxies) for each in clients]
        )

    listening = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/", keys)])
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=20
        ) as client:

            async def ask(*lines: str) -> list[str]:
                answer = await client.get(
                    "/", headers=[("X-Forwarded-For", line) for line in lines]
                )
                found: list[str] = answer.json()
                return found

            yield ask
    finally:
        server.should_exit = True
        await serving


@pytest.fixture(params=["", "127.0.0.1", "10.0.0.0/8", "127.0.0.1,10.0.0.0/8", "*"])
def allow(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """FORWARDED_ALLOW_IPS, not set where it is empty."""
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    if request.param:
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", request.param)
    return str(request.param)


async def test_a_real_server_behind_a_local_proxy_tells_visitors_apart(allow: str) -> None:
    """Over real HTTP, with whatever uvicorn was told to trust, page and API find the same visitor:
    the one whom the proxy names last, on a line of its own or not."""
    async with served(Proxies.of(allow, on_spaces=False)) as ask:
        assert await ask() == ["127.0.0.1"] * 2
        for address in ("203.0.113.9", "198.51.100.7"):
            assert await ask(address) == [address] * 2
            assert await ask(f"{FORGED}, {address}") == [address] * 2
            assert await ask(FORGED, address) == [address] * 2
            assert await ask(f"{FORGED}, 127.0.0.1", f"{address}:4711, 127.0.0.1") == [address] * 2
        for garbage in ("unknown", f"{FORGED}, _hidden", f"{FORGED}, [::1"):
            assert await ask(garbage) == ["unknown"] * 2
