"""The app behind web servers with their documented settings, and with the usual mistakes."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from gradio_client import Client  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, expect

from tests.application import ROOT, Application
from tests.page import Page
from tests.scripted_claude import ScriptedClaude, says
from tests.webserver import CADDY, NGINX, WebServer

pytestmark = pytest.mark.process

NAME = "chat.example"
PASSED_ON = {
    "Host": "$http_host",
    "X-Forwarded-For": "$proxy_add_x_forwarded_for",
    "X-Forwarded-Proto": "$scheme",
}
HIDDEN = NGINX | {"X-Forwarded-Host": "$http_host", "X-Forwarded-Proto": "$scheme"}
CONFIGURATIONS = {"nginx, Host": PASSED_ON, "nginx, X-Forwarded-Host": HIDDEN, "Caddy": CADDY}
LOGIN, PASSWORD = "eva", "gehéim: ja"


def an_app(claude: ScriptedClaude, **environment: str) -> Application:
    claude.play(says("Hello", " there"))
    return Application(
        cwd=ROOT,
        ANTHROPIC_API_KEY="sk-test",
        ANTHROPIC_BASE_URL=claude.url,
        STREAMCHAT_KEEP_SECONDS="0",
        STREAMCHAT_RATE_LIMIT="off",
        STREAMCHAT_OWNER_PASSWORD="open, sesame",
        **environment,
    )


@pytest.fixture(scope="module")
def proxied_claude() -> Iterator[ScriptedClaude]:
    with ScriptedClaude() as scripted:
        yield scripted


@pytest.fixture(scope="module")
def named(proxied_claude: ScriptedClaude) -> Iterator[Application]:
    """The app as its owner configures it for chat.example."""
    with an_app(proxied_claude, STREAMCHAT_HOSTS=NAME) as application:
        yield application


@pytest.fixture(scope="module")
def below(proxied_claude: ScriptedClaude) -> Iterator[Application]:
    """The app below a prefix, with a login."""
    login = {"STREAMCHAT_AUTH": f"{LOGIN}:{PASSWORD}"}
    with an_app(proxied_claude, GRADIO_ROOT_PATH="/chat", **login) as application:
        yield application


def port(app: Application) -> int:
    return int(app.url.rpartition(":")[2])


@contextmanager
def visiting(chromium: Browser, server: WebServer) -> Iterator[BrowserContext]:
    """A browser that resolves every name to the web server."""
    with chromium.new_context(proxy={"server": server.url}) as context:
        yield context


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_page_and_programs_ask_behind_a_web_server(
    named: Application, name: str, chromium: Browser
) -> None:
    """The page opens, asks and is answered, whether or not the web server passes the name on."""
    with (
        WebServer(port(named), CONFIGURATIONS[name]) as server,
        visiting(chromium, server) as context,
    ):
        page = Page(context, f"http://{NAME}")
        page.ask("hi")
        page.shows("Hello there")


@pytest.mark.parametrize("configuration", [NGINX, PASSED_ON])
@pytest.mark.parametrize("path", ["/", "/chat/", "/chat", "/chat?__theme=dark"])
def test_the_page_finds_its_server_wherever_a_web_server_puts_it(
    named: Application, configuration: dict[str, str], path: str, chromium: Browser
) -> None:
    """It works if the web server hides the name, uses a path unknown to the chat, or omits the
    path's slash."""
    prefix = "/chat" if path != "/" else ""
    with (
        WebServer(port(named), configuration, prefix=prefix) as server,
        visiting(chromium, server) as context,
    ):
        page = Page(context, f"http://{NAME}{path}")
        page.ask("hi")
        page.shows("Hello there")
        page.ready()
        page.browser.reload()
        page.shows("Hello there")
        assert page.errors == []


def test_a_page_that_may_not_ask_says_why(named: Application, chromium: Browser) -> None:
    """If the web server hides an unknown name, the page opens and names the missing setting."""
    with WebServer(port(named), NGINX) as server, visiting(chromium, server) as context:
        page = Page(context, "http://forgotten.example", ready=False)
        expect(page.browser.get_by_role("alert")).to_contain_text("STREAMCHAT_HOSTS")


def test_an_unknown_path_prefix_is_a_404(named: Application) -> None:
    """If the web server does not strip its path, the answer names the setting."""
    with WebServer(port(named), PASSED_ON) as server:
        answer = httpx.get(f"{server.url}/chat/", headers={"Host": NAME})
    assert answer.status_code == 404
    assert "GRADIO_ROOT_PATH" in answer.json()["message"]


@pytest.mark.parametrize("configuration", [NGINX, *CONFIGURATIONS.values()])
def test_programs_and_own_pages_ask_behind_a_web_server(
    named: Application, configuration: dict[str, str]
) -> None:
    """They are let in even if the web server hides the name; other sites' pages are not."""
    with WebServer(port(named), configuration) as server:
        url, question, host = f"{server.url}/api/streaming-chat", {"message": "hi"}, {"Host": NAME}
        assert httpx.post(url, json=question, headers=host).text == "Hello there"
        own = {"Origin": f"https://{NAME}", "Sec-Fetch-Site": "same-origin"}
        assert httpx.post(url, json=question, headers=host | own).text == "Hello there"
        other = {"Origin": "https://evil.test", "Sec-Fetch-Site": "cross-site"}
        assert httpx.post(url, json=question, headers=host | other).status_code == 403


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_an_unknown_name_is_refused_with_the_setting(named: Application, name: str) -> None:
    """The owner reads which setting is missing."""
    with WebServer(port(named), CONFIGURATIONS[name]) as server:
        answer = httpx.get(server.url, headers={"Host": "forgotten.example"})
    assert answer.status_code == 421
    assert "STREAMCHAT_HOSTS" in answer.json()["message"]


def test_a_hidden_unknown_name_is_refused_as_the_page_asks(named: Application) -> None:
    """The web server asks by address, and the question of a page with an unknown origin is refused with the
    setting's name."""
    headers = {"Host": "forgotten.example", "Origin": "https://forgotten.example"}
    with WebServer(port(named), NGINX) as server:
        answer = httpx.post(
            f"{server.url}/api/streaming-chat", json={"message": "hi"}, headers=headers
        )
    assert answer.status_code == 403
    assert "STREAMCHAT_HOSTS" in answer.json()["message"]


@pytest.mark.parametrize("configuration", [PASSED_ON, CADDY])
@pytest.mark.parametrize("takes_prefix_away", [True, False])
def test_all_of_it_works_below_a_prefix(
    below: Application,
    configuration: dict[str, str],
    takes_prefix_away: bool,
    context: BrowserContext,
) -> None:
    """Login, page, answer, a reply's address, the owner's page and the logout work below a
    prefix."""
    prefix = "/chat" if takes_prefix_away else ""
    with WebServer(port(below), configuration, prefix=prefix) as server:
        tab = context.new_page()
        tab.goto(f"{server.url}/chat/")
        assert tab.url == f"{server.url}/chat/login"
        tab.get_by_label("User").fill(LOGIN)
        tab.get_by_label("Password").fill(PASSWORD)
        tab.get_by_role("button", name="Log in").click()
        tab.wait_for_url(f"{server.url}/chat/")
        page = Page(context, f"{server.url}/chat/")
        page.ask("hi")
        page.shows("Hello there")
        with httpx.Client(base_url=server.url, auth=(LOGIN, PASSWORD.encode())) as program:
            answer = program.post("/chat/api/streaming-chat", json={"message": "hi"})
            assert answer.text == "Hello there"
            assert answer.headers["location"].startswith("/chat/api/streaming-chat/")
        owner = httpx.get(f"{server.url}/chat/owner", auth=("x", "open, sesame"))
        assert "Path=/chat/owner" in owner.headers["set-cookie"]
        tab = context.new_page()
        tab.goto(f"{server.url}/chat/login")
        tab.get_by_role("button", name="Log out").click()
        expect(tab.get_by_label("Password")).to_be_visible()


def test_gradios_own_client_asks_below_a_prefix(below: Application) -> None:
    """`gradio_client` works below a prefix, with a login too."""
    with WebServer(port(below), PASSED_ON, prefix="/chat") as server:
        client = Client(f"{server.url}/chat/", auth=(LOGIN, PASSWORD), verbose=False)
        assert client.predict("hi", api_name="/chat") == "Hello there"


def test_a_site_that_points_its_name_here_reaches_nothing(
    named: Application, chromium: Browser
) -> None:
    """In a real browser, a rebound name gets neither the page nor an answer."""
    with (
        WebServer(port(named), {"Host": "$http_host"}) as server,
        visiting(chromium, server) as context,
    ):
        tab = context.new_page()
        response = tab.goto("http://rebind.test/")
        assert response
        assert response.status == 421
        tab.route(
            "http://rebind.test/before",
            lambda route: route.fulfill(body="a page", content_type="text/html"),
        )
        tab.goto("http://rebind.test/before")
        asks = """async () => [(await fetch('/config')).status, (await fetch('/api/streaming-chat', {
            method: 'POST', headers: {'Content-Type': 'application/json', 'X-Forwarded-Host': 'localhost'},
            body: '{"message": "hi"}'})).status]"""
        assert tab.evaluate(asks) == [421, 421]


def test_another_sites_page_asks_nothing_over_plain_http(
    named: Application, chromium: Browser
) -> None:
    """Browsers send no Sec-Fetch-Site over http; a page of another name still cannot ask or
    read."""
    with (
        WebServer(port(named), {"Host": "$http_host"}) as server,
        visiting(chromium, server) as context,
    ):
        tab = context.new_page()
        tab.route(
            "http://evil.test/",
            lambda route: route.fulfill(body="a page", content_type="text/html"),
        )
        tab.goto("http://evil.test/")
        asks = """async ([url, options]) => (await fetch(url, options).then(a => a.status, e => e.name))"""
        join = {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": "{}"}
        for url in (
            f"http://{NAME}/gradio_api/queue/join",
            f"http://{NAME}/api/streaming-chat",
            f"http://{NAME}/config",
        ):
            assert tab.evaluate(asks, [url, join]) == "TypeError"
            assert tab.evaluate(asks, [url, {}]) == "TypeError"
        with tab.expect_response(f"http://{NAME}/gradio_api/queue/join") as sent:
            plain = {"method": "POST", "mode": "no-cors", "body": "{}"}
            tab.evaluate(asks, [f"http://{NAME}/gradio_api/queue/join", plain])
        assert sent.value.status == 403
