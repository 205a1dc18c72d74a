"""Attacks on the login: open paths, and cross-site requests of a browser that is logged in."""

import re
import socket
from collections.abc import Iterator
from http.cookies import SimpleCookie

import httpx
import pytest
from gradio_client import Client  # type: ignore[import-untyped]
from gradio_client.exceptions import AuthenticationError  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, expect
from playwright.sync_api import Page as Tab
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Message, Scope

from streamchat.look import Look
from streamchat.web.allowlist import gradios
from streamchat.web.login import LoginCheck, Logins, user_of
from streamchat.web.login_page import LoginPage
from streamchat.web.shell import Shell
from tests.application import ROOT, Application
from tests.page import Page
from tests.scripted_claude import ScriptedClaude, says

pytestmark = pytest.mark.process

USER, PASSWORD = "eva", "gehéim: ja"
ACCOUNT = {"username": USER, "password": PASSWORD}
HTML = {"Accept": "text/html,application/xhtml+xml"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def login_claude() -> Iterator[ScriptedClaude]:
    with ScriptedClaude() as scripted:
        scripted.play(says("Hello", " there"))
        yield scripted


@pytest.fixture(scope="module")
def guarded(login_claude: ScriptedClaude) -> Iterator[Application]:
    knobs = {"STREAMCHAT_AUTH": f"{USER}:{PASSWORD}", "STREAMCHAT_OWNER_PASSWORD": "open, sesame"}
    with Application(
        cwd=ROOT, ANTHROPIC_API_KEY="sk-test", ANTHROPIC_BASE_URL=login_claude.url, **knobs
    ) as application:
        yield application


@pytest.fixture
def visitor(guarded: Application) -> Iterator[httpx.Client]:
    """A program that is logged in."""
    with httpx.Client(base_url=guarded.url, timeout=20) as client:
        assert client.post("/login", data=ACCOUNT).json() == {"success": True}
        yield client


PATHS = [
    (method, re.sub(r"\{[^}]*\}", "x", route.path))
    for route in gradios()
    for method in route.methods or ()
]
OWN = [
    ("POST", "/api/streaming-chat"),
    ("GET", "/api/streaming-chat/x"),
    ("DELETE", "/api/streaming-chat/x"),
]
OWN += [
    ("GET", "/api/health"),
    ("OPTIONS", "/config"),
    ("GET", "//config"),
    ("GET", "/login/../config"),
]
OWN += [
    ("GET", "/gradio_api/token"),
    ("GET", "/ownerx"),
    ("GET", "/owner/../config"),
    ("GET", "/loginx"),
    ("GET", "/LOGIN"),
]


@pytest.mark.parametrize(("method", "path"), sorted({*PATHS, *OWN}))
def test_nothing_is_open_without_the_login(guarded: Application, method: str, path: str) -> None:
    """Without a login every route is closed, also those that Gradio leaves open."""
    cookies = {"access-token-x": "y", f"streamchat_{guarded.url.rpartition(':')[2]}": "x"}
    content = b"{}" if method == "POST" else None
    answer = httpx.request(
        method, guarded.url + path, cookies=cookies, headers=JSON, content=content
    )
    assert answer.status_code in (303, 401, 404, 405)
    assert answer.headers.get("location", "./login") == "./login"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_leads_to_the_login(guarded: Application, path: str) -> None:
    """A browser is redirected to the login by a relative address, which holds below a proxy's
    prefix."""
    answer = httpx.get(guarded.url + path, headers=HTML, follow_redirects=True)
    assert (answer.status_code, answer.url.path) == (200, "/login")
    assert 'name="password"' in answer.text
    policy = answer.headers["content-security-policy"]
    assert {"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"} <= set(
        policy.split("; ")
    )
    assert "unsafe" not in policy


def test_the_start_is_over_when_it_is_over(guarded: Application) -> None:
    """Gradio's requests to itself pass without a login during the start, and never after it."""
    assert httpx.get(f"{guarded.url}/gradio_api/startup-events").status_code == 401


def test_a_body_of_a_stranger_is_not_awaited(guarded: Application) -> None:
    """A request without a login is refused before its body is read."""
    where = ("127.0.0.1", int(guarded.url.rpartition(":")[2]))
    for path in ("/api/streaming-chat", "/gradio_api/queue/join", "/gradio_api/upload", "/login"):
        with socket.create_connection(where, timeout=20) as line:
            line.sendall(
                f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 31000000\r\n\r\n".encode()
            )
            assert line.recv(100).split()[1] in (b"401", b"404", b"413")


def test_a_wrong_password_says_so(guarded: Application) -> None:
    """A wrong password shows a sentence on the page or in JSON, and makes no session."""
    for given in ({**ACCOUNT, "password": "wrong"}, {**ACCOUNT, "username": "adam"}, {}):
        page = httpx.post(f"{guarded.url}/login", data=given, headers=HTML)
        assert page.status_code == 401
        assert "The user or the password is wrong." in page.text
        assert "set-cookie" not in page.headers
    program = httpx.post(f"{guarded.url}/login", data={})
    assert (program.status_code, program.json()["code"]) == (401, "wrong_password")


@pytest.mark.parametrize(
    "content", [b"", b"%", b"username=%ff&password=%00", b"\xff" * 100, b"&" * 9_000]
)
@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"]
)
def test_an_odd_form_is_a_wrong_password(guarded: Application, content: bytes, kind: str) -> None:
    """A malformed form counts as a wrong password."""
    from_elsewhere = {
        "X-Forwarded-For": f"203.0.113.{len(content) % 200 + len(kind)}",
        "Content-Type": kind,
    }
    assert httpx.post(
        f"{guarded.url}/login", content=content, headers=from_elsewhere
    ).status_code in (400, 401)


@pytest.mark.parametrize("origin", ["http://evil.test", "null", "http://localhost:1"])
def test_another_sites_page_neither_logs_in_nor_out(
    guarded: Application, visitor: httpx.Client, origin: str
) -> None:
    """A cross-site request can neither log a visitor in nor out."""
    assert (
        httpx.post(f"{guarded.url}/login", data=ACCOUNT, headers={"Origin": origin}).status_code
        == 403
    )
    assert visitor.post("/logout", headers={"Origin": origin}).status_code == 403
    assert visitor.post("/logout", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert visitor.get("/config").status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_no_picture_or_link_logs_out(visitor: httpx.Client, method: str) -> None:
    """A GET request does not log out."""
    assert (
        visitor.request(method, "/logout", headers={"X-HTTP-Method-Override": "POST"}).status_code
        == 405
    )
    assert visitor.get("/config").status_code == 200


def test_a_logout_ends_ones_own_session_only(guarded: Application, visitor: httpx.Client) -> None:
    """A logout ends this session on the server, and other sessions of the same user stay."""
    with httpx.Client(base_url=guarded.url) as other:
        other.post("/login", data=ACCOUNT)
        token = dict(other.cookies)
        assert other.post("/logout").status_code == 204
        assert not other.cookies
        assert httpx.get(f"{guarded.url}/config", cookies=token).status_code == 401
    assert visitor.get("/config").status_code == 200


def test_no_route_reveals_a_token(visitor: httpx.Client) -> None:
    """No response contains the session token, which scripts cannot read as a cookie."""
    token = next(iter(visitor.cookies.values()))
    for path in (
        "/",
        "/config",
        "/gradio_api/token",
        "/gradio_api/user",
        "/gradio_api/app_id",
        "/login",
    ):
        assert token not in visitor.get(path).text
    assert visitor.get("/gradio_api/token").status_code == 404


def test_a_session_is_not_one_that_somebody_else_has_set(guarded: Application) -> None:
    """Session fixation: a cookie from before the login opens nothing after it, and does not disturb
    the right one."""
    name = f"streamchat_{guarded.url.rpartition(':')[2]}"
    answer = httpx.post(
        f"{guarded.url}/login", data=ACCOUNT, cookies={name: "known-to-the-attacker"}
    )
    token = SimpleCookie(answer.headers["set-cookie"])[name].value
    assert (
        httpx.get(f"{guarded.url}/config", cookies={name: "known-to-the-attacker"}).status_code
        == 401
    )
    two = {"Cookie": f"{name}={token}; {name}=known-to-the-attacker"}
    assert httpx.get(f"{guarded.url}/config", headers=two).status_code == 200


def attributes(answer: httpx.Response) -> set[str]:
    return set(answer.headers["set-cookie"].split("; ")[1:])


def test_the_cookie_is_the_browsers_own(guarded: Application) -> None:
    """The session cookie is HttpOnly, SameSite=Lax, and Secure over https."""
    answer = httpx.post(f"{guarded.url}/login", data=ACCOUNT)
    assert attributes(answer) == {"Max-Age=604800", "Path=/", "HttpOnly", "SameSite=Lax"}
    https = httpx.post(f"{guarded.url}/login", data=ACCOUNT, headers={"X-Forwarded-Proto": "https"})
    assert attributes(https) == attributes(answer) | {"Secure"}


async def test_in_a_frame_of_hugging_face_the_cookie_is_of_that_frame() -> None:
    """In a frame of Hugging Face the cookie is partitioned; below a prefix it has the path of that
    prefix."""
    chat = app_behind(
        Logins(
            USER, PASSWORD, lambda *_: "visitor", LoginPage(Shell(Look), ["https://huggingface.co"])
        )
    )
    transport = httpx.ASGITransport(chat, root_path="/chat")
    async with httpx.AsyncClient(
        transport=transport, base_url="https://eva-chat.hf.space"
    ) as browser:
        answer = await browser.post("/chat/login", data=ACCOUNT, headers=HTML)
        assert attributes(answer) >= {
            "SameSite=None",
            "Secure",
            "Partitioned",
            "HttpOnly",
            "Path=/chat",
        }
        assert (answer.status_code, answer.headers["location"]) == (303, "/chat/")
        page = await browser.get("/chat/login")
        assert "frame-ancestors https://huggingface.co" in page.headers["content-security-policy"]
        assert (await browser.get("/chat/who")).text == USER


async def test_a_socket_needs_the_login_too() -> None:
    """A WebSocket without a login is closed before it opens."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError

    scope: Scope = {
        "type": "websocket",
        "path": "/x",
        "headers": [],
        "client": None,
        "scheme": "ws",
        "server": None,
    }
    await app_behind(Logins(USER, PASSWORD, lambda *_: "visitor", LoginPage(Shell(Look))))(
        scope, receive, send
    )
    assert sent == [{"type": "websocket.close"}]


def app_behind(logins: Logins) -> Starlette:
    async def who(request: Request) -> PlainTextResponse:
        return PlainTextResponse(user_of(request.scope))

    return Starlette(
        routes=[*logins.routes(), Route("/who", who)],
        middleware=[Middleware(LoginCheck, logins)],
    )


def test_gradios_own_client_logs_in(guarded: Application) -> None:
    """`gradio_client` logs in with `auth`, and raises an error for a wrong password."""
    client = Client(guarded.url, auth=(USER, PASSWORD), verbose=False)
    assert client.predict("hi", api_name="/chat") == "Hello there"
    for auth in [(USER, "wrong"), None]:
        with pytest.raises(AuthenticationError):
            Client(guarded.url, auth=auth, verbose=False)


def test_a_session_opens_the_routes_for_programs(visitor: httpx.Client) -> None:
    """The session cookie opens the HTTP API without the password."""
    assert visitor.post("/api/streaming-chat", json={"message": "hi"}).text == "Hello there"


def test_a_person_logs_in_asks_and_logs_out(guarded: Application, context: BrowserContext) -> None:
    """A person sees a wrong password refused, logs in, reads an answer and logs out, under the
    page's policy."""
    tab = context.new_page()
    complaints = complaints_of(tab)
    tab.goto(guarded.url)
    log_in(tab, "wrong password")
    expect(tab.get_by_role("alert")).to_have_text("The user or the password is wrong.")
    log_in(tab, PASSWORD)
    page = Page(context, guarded.url)
    page.ask("hi")
    page.shows("Hello there")
    tab.goto(f"{guarded.url}/login")
    tab.get_by_role("button", name="Log out").click()
    expect(tab.get_by_label("Password")).to_be_visible()
    tab.goto(guarded.url)
    expect(tab.get_by_label("Password")).to_be_visible()
    assert [line for line in complaints if "Content Security Policy" in line] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_login_fits_on_a_phone(guarded: Application, chromium: Browser, scheme: str) -> None:
    """The login page does not scroll sideways, focuses the user name, and follows the phone's
    theme."""
    with chromium.new_context(
        viewport={"width": 320, "height": 600},
        color_scheme=scheme,  # type: ignore[arg-type]
    ) as context:
        tab = context.new_page()
        tab.goto(guarded.url)
        expect(tab.get_by_label("User")).to_be_focused()
        assert tab.evaluate("document.documentElement.scrollWidth") == 320
        background = tab.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(24, 24, 28)"}[scheme]


def log_in(tab: Tab, password: str) -> None:
    tab.get_by_label("User").fill(USER)
    tab.get_by_label("Password").fill(password)
    tab.get_by_role("button", name="Log in").click()


def complaints_of(tab: Tab) -> list[str]:
    found: list[str] = []
    tab.on("console", lambda message: found.append(message.text))
    return found
