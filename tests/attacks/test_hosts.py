"""Attacks by pages of other sites, and by host names that point at the chat."""

import logging
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from streamchat.visitors.visitor import Proxies
from streamchat.web.hosts import SPACES_DOMAINS, HostCheck, Hosts, published
from tests.application import Application

STRANGER, PROXY = "203.0.113.7", "127.0.0.1"
PORT = 7860


async def chat(scope: Scope, receive: Receive, send: Send) -> None:
    """Stands in for Gradio: allows every site to read, and echoes the request's headers."""
    arrived = ",".join(sorted({name.decode() for name, _ in scope["headers"]}))
    allowed = {
        "Access-Control-Allow-Origin": "*",
        "access-control-allow-credentials": "true",
        "X-Arrived": arrived,
    }
    await PlainTextResponse("an answer", headers=allowed)(scope, receive, send)


def asks(
    headers: dict[str, str] | list[tuple[str, str]],
    method: str = "POST",
    path: str = "/gradio_api/queue/join",
    *,
    hosts: Hosts | None = None,
    peer: str = STRANGER,
    scheme: str = "http",
    root_path: str = "",
) -> Any:
    """The response to a request from `peer` with these headers, by default for 127.0.0.1:7860."""
    check = HostCheck(chat, hosts or Hosts(), Proxies.of("", on_spaces=False))
    transport = httpx.ASGITransport(check, client=(peer, 1), root_path=root_path)
    given = list(headers.items()) if isinstance(headers, dict) else headers
    if not any(name.lower() == "host" for name, _ in given):
        given.append(("Host", f"127.0.0.1:{PORT}"))
    return httpx.AsyncClient(transport=transport, base_url=f"{scheme}://x").request(
        method, path, headers=given
    )


KNOWN = [
    "127.0.0.1:7860",
    "192.168.1.5",
    "[::1]:7860",
    "[2001:db8::1]",
    "localhost:7860",
    "LOCALHOST",
    "localhost.",
]
KNOWN += ["my.localhost:7860", "203.0.113.9:80"]


@pytest.mark.parametrize("host", KNOWN)
async def test_addresses_and_localhost_are_always_known(host: str) -> None:
    """IP addresses and localhost are allowed hosts, because no site can have them as its name."""
    assert (await asks({"Host": host})).status_code == 200


UNKNOWN = [
    "rebind.test",
    "rebind.test:7860",
    "localhost.rebind.test",
    "127.0.0.1.rebind.test",
    "evil-localhost",
]
UNKNOWN += [
    "chat.local",
    "2130706433",
    "0x7f000001",
    "127.1",
    "localhost@rebind.test",
    "rebind.test#localhost",
    "a b",
]
UNKNOWN += [
    "[::1].rebind.test",
    "[::1",
    "localhost:7860:1",
    "localhost:99999",
    ":7860",
    "chat.hf.space",
    "é.test",
]
UNKNOWN += ["rebind.test/localhost", "localhost,rebind.test", "xlocalhost", "." * 300]


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("host", UNKNOWN)
async def test_a_site_cannot_point_its_name_at_the_chat(host: str, method: str) -> None:
    """DNS rebinding: a page whose name resolves to this machine gets neither the page nor a stream."""
    answer = await asks([("Host", host.encode("utf-8"))], method, "/")  # type: ignore[list-item]
    assert answer.status_code == 421
    assert method == "HEAD" or "STREAMCHAT_HOSTS" in answer.json()["message"]


@pytest.mark.parametrize(
    "hosts", [[], [("Host", "localhost"), ("Host", "rebind.test")], [("Host", "a"), ("Host", "a")]]
)
async def test_a_request_names_one_host(hosts: list[tuple[str, str]]) -> None:
    """A request without a Host header, or with several, is refused."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(name.lower().encode(), value.encode()) for name, value in hosts]
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": headers,
        "client": None,
        "scheme": "http",
    }
    await HostCheck(chat, Hosts(), Proxies.of("", on_spaces=False))(scope, never, send)
    assert sent[0]["status"] == 400


async def never() -> Message:
    raise AssertionError("the request is not read")


@pytest.mark.parametrize(
    "headers", [{"X-Forwarded-Host": "localhost"}, {"X-Gradio-Server": "http://localhost"}]
)
@pytest.mark.parametrize("peer", [STRANGER, PROXY])
async def test_a_forwarded_name_does_not_excuse_an_unknown_one(
    headers: dict[str, str], peer: str
) -> None:
    """X-Forwarded-Host does not make an unknown Host allowed."""
    assert (await asks({"Host": "rebind.test", **headers}, peer=peer)).status_code == 421


async def test_a_proxy_that_hides_the_name_does_not_hide_a_rebound_one() -> None:
    """Behind a proxy that connects by address, the forwarded host is checked."""
    assert (await asks({"X-Forwarded-Host": "rebind.test"}, peer=PROXY)).status_code == 421
    assert (
        await asks({"X-Forwarded-Host": "rebind.test, localhost"}, peer=PROXY)
    ).status_code == 421
    assert (
        await asks({"X-Forwarded-Host": "chat.example"}, peer=PROXY, hosts=Hosts(["chat.example"]))
    ).status_code == 200


async def test_a_stranger_cannot_choose_the_address_that_the_page_takes_for_its_own() -> None:
    """Forwarded headers reach Gradio only from a trusted proxy."""
    forged = {"X-Forwarded-Host": "evil.test", "X-Gradio-Server": "http://evil.test"}
    answer = await asks(forged)
    assert (answer.status_code, "x-forwarded-host" in answer.headers["x-arrived"]) == (200, False)
    assert "x-gradio-server" not in answer.headers["x-arrived"]


async def test_the_owners_names_are_known() -> None:
    """Hosts come from the settings, the machine, Gradio, the Space and the share link."""
    environment = {
        "SPACE_HOST": "eva-chat.hf.space",
        "GRADIO_ROOT_PATH": "https://proxy.example/chat",
    }
    hosts = Hosts(["chat.example", "other.example:8443", *published(environment)])
    hosts.add_machine("box.lan")
    for host in (
        "Chat.Example",
        "other.example",
        "eva-chat.hf.space",
        "proxy.example",
        "BOX.lan:7860",
    ):
        assert (await asks({"Host": host}, hosts=hosts)).status_code == 200
    assert (await asks({"Host": "abc.gradio.live"}, hosts=hosts)).status_code == 421
    hosts.add("https://abc.gradio.live")
    assert (await asks({"Host": "abc.gradio.live"}, hosts=hosts)).status_code == 200


async def test_a_space_is_known_by_every_name_of_spaces() -> None:
    """On Spaces every host below `hf.space` is allowed."""
    spaces = Hosts(domains=SPACES_DOMAINS)
    assert (await asks({"Host": "eva-chat.hf.space"}, hosts=spaces)).status_code == 200
    assert (await asks({"Host": "evil.test"}, hosts=spaces)).status_code == 421


async def test_a_star_knows_every_name_and_still_no_other_sites_page() -> None:
    """The setting `*` allows every host, and cross-site requests are still refused."""
    every = Hosts(["*"])
    assert (await asks({"Host": "any.example"}, hosts=every)).status_code == 200
    assert (
        await asks({"Host": "any.example", "Origin": "https://any.example"}, hosts=every)
    ).status_code == 200
    assert (
        await asks({"Host": "any.example", "Origin": "https://evil.test"}, hosts=every)
    ).status_code == 403


@pytest.mark.parametrize("name", ["rebind.test", "<script>", "x" * 150])
async def test_the_log_says_once_how_to_allow_a_name(
    caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """The log names the setting once, and the refused host only if it is a valid name."""
    check = HostCheck(chat, Hosts(), Proxies.of("", on_spaces=False))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(check), base_url="http://x"
    ) as client:
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                await client.get("/", headers={"Host": name})
    assert [("STREAMCHAT_HOSTS" in line, name in line) for line in caplog.messages] == [
        (True, name == "rebind.test")
    ]


FOREIGN = [
    "http://evil.test",
    "null",
    "",
    "http://127.0.0.1",
    "http://127.0.0.1:3000",
    "http://localhost:7860",
    "http://[",
]
FOREIGN += [
    "file://",
    "http://127.0.0.1:7860.evil.test",
    "http://evil.test@127.0.0.1:7860",
    "chrome-extension://abc",
]
FOREIGN += [
    "http://127.0.0.1:7860/",
    "http://127.0.0.1:7860 http://evil.test",
    "ws://127.0.0.1:7860",
    "//127.0.0.1:7860",
]


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/gradio_api/queue/join"), ("GET", "/config"), ("PUT", "/owner/pause")],
)
@pytest.mark.parametrize("origin", FOREIGN)
async def test_another_sites_page_can_neither_ask_nor_read(
    origin: str, method: str, path: str
) -> None:
    """A cross-site request is refused by its Origin, over http and https, for every method."""
    answer = await asks({"Origin": origin}, method, path)
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_page")


async def test_two_origins_are_none() -> None:
    """A request with two origins is refused."""
    assert (
        await asks([("Origin", f"http://127.0.0.1:{PORT}"), ("Origin", "http://evil.test")])
    ).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site", "odd", ""])
@pytest.mark.parametrize("headers", [{}, {"Origin": f"http://127.0.0.1:{PORT}"}])
async def test_a_browser_that_names_another_site_is_believed(
    site: str, headers: dict[str, str]
) -> None:
    """A request with `Sec-Fetch-Site: cross-site` is refused also without an Origin."""
    for method, path in [
        ("POST", "/"),
        ("GET", "/config"),
        ("GET", "/gradio_api/queue/data"),
        ("GET", "/owner/state"),
    ]:
        assert (await asks({"Sec-Fetch-Site": site, **headers}, method, path)).status_code == 403


async def test_another_site_may_link_to_a_page_and_frame_it() -> None:
    """A navigation from another site, and a frame of huggingface.co, open the page and nothing
    else."""
    for path in ("/", "/owner", "/login", "/docs"):
        link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        assert (await asks(link, "GET", path)).status_code == 200
        assert (await asks(link, "GET", path, root_path="/chat")).status_code == 200
        assert (await asks({**link, "Sec-Fetch-Mode": "no-cors"}, "GET", path)).status_code == 403
        assert (await asks(link, "POST", path)).status_code == 403


OWN = [
    ({"Host": "chat.example", "Origin": "https://chat.example"}, STRANGER),
    ({"Host": "chat.example:80", "Origin": "http://chat.example"}, STRANGER),
    ({"Host": "chat.example:8080", "Origin": "http://CHAT.example:8080"}, STRANGER),
    ({"Host": "chat.example", "Origin": "https://chat.example:443"}, STRANGER),
    ({"Host": "127.0.0.1:7860", "Origin": "https://chat.example"}, STRANGER),
    ({"Host": "chat.example", "Origin": "https://other.example:8443"}, STRANGER),
    (
        {
            "Host": "10.0.0.5",
            "X-Forwarded-Host": "localhost:8000",
            "Origin": "http://localhost:8000",
        },
        PROXY,
    ),
    ({"Host": "[::1]:7860", "Origin": "http://[::1]:7860"}, STRANGER),
]


@pytest.mark.parametrize(("headers", "peer"), OWN)
async def test_the_own_page_may_ask(headers: dict[str, str], peer: str) -> None:
    """An Origin is the chat's own if it has the Host, the trusted proxy's forwarded host, or a host
    of the owner."""
    hosts = Hosts(["chat.example", "other.example:8443"])
    assert (await asks(headers, peer=peer, hosts=hosts)).status_code == 200


OTHERS = [
    ({"Host": "chat.example", "Origin": "https://chat.example:8443"}, "http"),
    ({"Host": "chat.example", "Origin": "https://other.example"}, "http"),
    ({"Host": "chat.example", "Origin": "http://chat.example"}, "https"),
    (
        {
            "Host": "10.0.0.5",
            "X-Forwarded-Host": "localhost:8000",
            "Origin": "http://localhost:8000",
        },
        "http",
    ),
]


@pytest.mark.parametrize(("headers", "scheme"), OTHERS)
async def test_a_page_at_another_port_or_without_tls_is_another_sites(
    headers: dict[str, str], scheme: str
) -> None:
    """An Origin with another port or scheme is cross-site, whatever an untrusted client forwards."""
    hosts = Hosts(["chat.example", "other.example:8443"])
    assert (await asks(headers, scheme=scheme, hosts=hosts)).status_code == 403


async def test_no_answer_may_be_read_by_another_site() -> None:
    """CORS headers are taken off every response."""
    answer = await asks({"Origin": f"http://127.0.0.1:{PORT}"})
    assert answer.text == "an answer"
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "headers", [{"host": "rebind.test"}, {"host": "localhost", "origin": "http://evil.test"}]
)
async def test_a_socket_is_refused_as_a_request_is(headers: dict[str, str]) -> None:
    """A WebSocket from another origin is refused."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    given = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "websocket",
        "path": "/",
        "headers": given,
        "client": (PROXY, 1),
        "scheme": "ws",
    }
    await HostCheck(chat, Hosts(), Proxies.of("", on_spaces=False))(scope, never, send)
    assert sent == [{"type": "websocket.close"}]


EVERYWHERE = [
    "/",
    "/config",
    "/theme.css",
    "/gradio_api/info",
    "/gradio_api/queue/join",
    "/api/health",
    "/nothing",
]


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", EVERYWHERE)
def test_no_route_of_the_running_app_allows_another_site_anything(
    app: Application, method: str, path: str
) -> None:
    """No response has CORS headers, also for a preflight or the own origin."""
    for origin in ("http://evil.test", "null", app.url):
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        answer = httpx.request(method, app.url + path, headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert (answer.status_code == 403) == (origin != app.url)


def test_the_running_app_is_not_known_by_a_name_that_points_to_it(app: Application) -> None:
    """The app answers localhost and its address, and refuses other names."""
    port = app.url.rpartition(":")[2]
    for name, status in [
        ("rebind.test", 421),
        (f"localhost:{port}", 200),
        (f"127.0.0.1:{port}", 200),
    ]:
        assert httpx.get(app.url, headers={"Host": name}).status_code == status
        answer = httpx.post(f"{app.url}/api/streaming-chat", json={}, headers={"Host": name})
        assert answer.status_code == (421 if status == 421 else 422)
