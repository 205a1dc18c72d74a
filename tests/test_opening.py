"""The page before Gradio's scripts run: link previews, blocked storage, an address hidden by a
proxy."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, expect
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from streamchat.web.page_head import PageHead, Preview, address
from tests.application import ROOT, Application
from tests.page import Page

FRAMING = "https://huggingface.co/spaces/someone/chat"
# a page of the internet that frames one of this machine is stopped otherwise, whatever the page
# does
FLAGS = ["--disable-gpu", "--disable-quic", "--disable-features=LocalNetworkAccessChecks"]


@pytest.fixture(scope="module")
def space() -> Iterator[Application]:
    """The demo as a Space, which Hugging Face shows in a frame."""
    variables = {
        "SYSTEM": "spaces",
        "SPACE_ID": "someone/chat",
        "SPACE_HOST": "someone-chat.hf.space",
    }
    with Application(cwd=ROOT, **variables) as app:
        yield app


@pytest.fixture
def without_storage(
    chromium: Browser, chromium_path: str, tmp_path: Path
) -> Iterator[BrowserContext]:
    """A browser in which storage and cookies throw, or stay empty."""
    preferences = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (tmp_path / "Default").mkdir()
    (tmp_path / "Default" / "Preferences").write_text(json.dumps(preferences))
    with chromium.browser_type.launch_persistent_context(
        str(tmp_path), executable_path=chromium_path, args=FLAGS
    ) as context:
        yield context


def framed(context: BrowserContext, url: str) -> FrameLocator:
    body = f"<iframe src='{url}/' width='900' height='600'></iframe>"
    context.route(FRAMING, lambda route: route.fulfill(content_type="text/html", body=body))
    page = context.new_page()
    page.goto(FRAMING)
    return page.frame_locator("iframe")


def asks(frame: FrameLocator, message: str) -> None:
    frame.locator("#message textarea").fill(message)
    frame.locator("#message textarea").press("Enter")


def test_the_chat_works_in_a_frame_without_storage(
    space: Application, without_storage: BrowserContext
) -> None:
    """Gradio would throw at its first access to storage, and the page would not open."""
    frame = framed(without_storage, space.url)
    asks(frame, "hello")
    expect(frame.get_by_test_id("bot").first).to_contain_text("Hello")
    assert frame.locator("body").evaluate("() => document.cookie") == ""
    for name in ("localStorage", "sessionStorage"):
        kept = frame.locator("body").evaluate(
            f"() => {name}.setItem('a', 1) ?? {name}.getItem('a')"
        )
        assert kept == "1"


def test_the_chat_works_in_a_window_without_storage(
    space: Application, without_storage: BrowserContext
) -> None:
    """With storage forbidden everywhere, a reload finds nothing again, and the page works."""
    page = Page(without_storage, space.url)
    page.ask("hello")
    page.shows("Hello")
    page.browser.reload()
    page.ready()
    assert page.errors == []


def test_working_storage_is_not_replaced(page: Page) -> None:
    """If the browser has storage, that is used."""
    assert (
        page.browser.evaluate("[String(localStorage), String(sessionStorage)]")
        == ["[object Storage]"] * 2
    )


META = re.compile(r'<meta (?:property|name)="([^"]+)" content="([^"]*)">')


def test_a_link_shows_our_title_sentence_and_picture(app: Application) -> None:
    """Each tag is there once, because preview readers take the first one; the picture is served."""
    page = httpx.get(app.url, headers={"Host": "localhost"}).text
    tags = META.findall(page)
    names = [name for name, _ in tags]
    assert len(names) == len(set(names))
    found = dict(tags)
    assert found["og:title"] == "StreamChat"
    assert "Claude" in found["og:description"]
    assert found["og:url"] == "http://localhost/"
    assert "<title>StreamChat</title>" in page
    head = page.partition("</head>")[0]
    previews = re.findall(r"<meta[^>]*(?:og:|twitter:)[^>]*>", head)
    assert previews
    assert not [tag for tag in previews if "radio" in tag]
    picture = httpx.get(app.url + found["og:image"].removeprefix("http://localhost"))
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    width, height = (int.from_bytes(picture.content[at : at + 4]) for at in (16, 20))
    assert (str(width), str(height)) == (found["og:image:width"], found["og:image:height"])


Scope = dict[str, object]


def scope(root: str = "", *headers: tuple[str, str], scheme: str = "https") -> Scope:
    raw = [(name.encode(), value.encode()) for name, value in headers]
    return {"type": "http", "path": f"{root}/", "root_path": root, "scheme": scheme, "headers": raw}


ADDRESSES: dict[str, tuple[Scope, str]] = {
    "plain": (scope("", ("host", "chat.example")), "https://chat.example"),
    "a path": (scope("/chat", ("host", "chat.example")), "https://chat.example/chat"),
    "hidden": (
        scope("", ("host", "127.0.0.1"), ("x-forwarded-host", "chat.example, x")),
        "https://chat.example",
    ),
    "set whole": (
        scope("https://chat.example/c/", ("host", "127.0.0.1")),
        "https://chat.example/c",
    ),
}


@pytest.mark.parametrize("case", ADDRESSES)
def test_a_preview_names_the_address_that_visitors_know(case: str) -> None:
    """The picture's address is the full one that visitors use, also behind a proxy."""
    given, expected = ADDRESSES[case]
    assert address(given) == expected


def test_a_preview_is_text() -> None:
    """Markup in a title or a host adds no tag."""
    tags = Preview('"><script>', "'<b>", "/p.png").tags('https://a"><script>')
    assert "<script" not in tags
    assert "<b>" not in tags


def test_a_page_without_gradios_tags_stays_as_it_is() -> None:
    """A changed template of Gradio's passes through unchanged."""
    page = Route("/", lambda _: HTMLResponse("<p>é</p>"))
    opening = Middleware(PageHead, Preview("a", "b", "/c").tags, "1", {})
    answer = TestClient(Starlette(routes=[page], middleware=[opening])).get("/")
    assert answer.text == "<p>é</p>"
    assert answer.headers["content-length"] == str(len(answer.content))


def test_gradios_footer_and_its_panels_are_gone(app: Application, context: BrowserContext) -> None:
    """Gradio's settings, its API page and its advertisement are removed, and no address opens
    them."""
    for panel in ("", "?view=settings", "?view=api"):
        page = Page(context, f"{app.url}/{panel}")
        expect(page.browser.locator("footer:visible")).to_have_count(0)
        expect(page.browser.locator(".api-docs")).to_have_count(0)
        assert "view" not in page.browser.url


def test_a_page_whose_scripts_are_not_to_be_had_says_so(
    app: Application, context: BrowserContext
) -> None:
    """The page says so if a proxy serves it without its scripts."""
    context.route("**/assets/index-*.js", lambda route: route.fulfill(status=404))
    page = Page(context, app.url, ready=False)
    expect(page.browser.get_by_role("alert")).to_contain_text("docs/proxies.md")
