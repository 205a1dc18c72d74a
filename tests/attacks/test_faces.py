"""The pages beside the chat: hostile names, their policies, and their fit on every screen."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from html.parser import HTMLParser

import httpx
import pytest
from playwright.sync_api import Browser

from streamchat.server import create
from streamchat.settings import Settings
from tests import violations

TITLE = """</title></script>"><script>ran = 1</script> ' & <b>$head{0}"""
TAGLINE = """"><img src=x: onerror="ran = 1"> </style> '"""
PASSWORD = "open, sesame"
OWNER = {"username": "eva", "password": PASSWORD}
PATHS = ["login", "owner", "docs", "nothing/at/all"]
BROWSER = {"accept": "text/html,*/*;q=0.8"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A chat with a login, an owner's page, and a name that would break out of any page."""
    settings = Settings(
        data_dir="",
        title=TITLE,
        tagline=TAGLINE,
        auth=f"eva:{PASSWORD}",
        owner_password=PASSWORD,
    )
    with create(settings).launch() as running:
        yield running.url


@contextmanager
def logged_in(url: str) -> Iterator[httpx.Client]:
    """A browser that has logged in to the chat, and knows the owner's password."""
    login = ("eva", PASSWORD)
    with httpx.Client(base_url=url, headers=BROWSER, auth=login, timeout=20) as client:
        client.post("/login", data=OWNER)
        yield client


class Tags(HTMLParser):
    """The tags of a page, and the contents of its meta tags by their names."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.meta: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = {name: value or "" for name, value in attributes}
        assert not [name for name in found if name.startswith("on")]
        if tag == "meta":
            name = found.get("property") or found.get("name", "")
            self.meta.setdefault(name, found.get("content", ""))


@pytest.mark.parametrize("path", ["", *PATHS])
def test_a_name_with_markup_is_text_on_every_page(url: str, path: str) -> None:
    """The name adds no tag and no attribute to titles, headers and previews of links."""
    with logged_in(url) as client:
        html = client.get(f"/{path}").text
    page = Tags(html)
    assert page.tags.count("b") == 0
    titles = re.findall(r"<title>(.*?)</title>", html, re.DOTALL)
    assert unescape(titles[0]).endswith(TITLE)
    if "og:title" in page.meta:
        assert page.meta["og:title"] == TITLE
        assert page.meta["og:description"] == TAGLINE
    assert ("og:title" in page.meta) == (path in ("", "login"))
    assert page.meta["theme-color"] == "#ffffff"


@pytest.mark.parametrize("path", PATHS)
def test_a_page_runs_only_what_is_its_own(url: str, path: str) -> None:
    """Each policy allows one inline style and one inline script by their hashes, and no other site."""
    with logged_in(url) as client:
        answer = client.get(f"/{path}")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; base-uri 'none'")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert ("form-action 'none'" in policy) == (path != "login")
    assert "frame-ancestors 'none'" in policy
    assert ("connect-src" in policy) == (path in ("owner", "docs"))


REFUSALS = {
    "unknown": ("GET", "/a/b", {}, 404, "../"),
    "unknown name": ("GET", "/", {"host": "evil.test"}, 421, "./"),
    "without password": ("GET", "/owner", {"authorization": ""}, 401, "./"),
    "no such page": ("GET", "/owner/x", {}, 404, "../"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_person_reads_a_refusal_on_a_page(url: str, name: str) -> None:
    """The page has the same status and headers; programs and scripts of pages get JSON."""
    method, path, headers, status, root = REFUSALS[name]
    with logged_in(url) as client:
        auth = None if headers.get("authorization") == "" else ("eva", PASSWORD)
        page = client.request(method, path, headers=headers, auth=auth)
        fetched = client.request(
            method, path, headers={**headers, "sec-fetch-mode": "cors"}, auth=auth
        )
        other = client.request(method, path, headers={**headers, "accept": "*/*"}, auth=auth)
    assert (page.status_code, fetched.status_code, other.status_code) == (status,) * 3
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers.get_list("cache-control") == ["no-store"]
    assert fetched.json() == other.json()
    assert other.json()["message"] in page.text.replace("&#x27;", "'")
    assert f'class="button main-button" href="{root}"' in page.text
    assert page.headers.get("www-authenticate") == other.headers.get("www-authenticate")
    assert page.headers["referrer-policy"] == "no-referrer"


@pytest.mark.process
@pytest.mark.parametrize("path", PATHS)
def test_a_page_fits_every_screen(url: str, chromium: Browser, path: str) -> None:
    """Pages do not scroll sideways at 360 px or 200 % zoom. A finger hits what can be pressed. Nothing
    violates the policy, and no script of the name runs."""
    login = {"username": "eva", "password": PASSWORD}
    with chromium.new_context(
        viewport={"width": 360, "height": 640},
        has_touch=True,
        is_mobile=True,
        http_credentials=login,  # type: ignore[arg-type]
        color_scheme="dark",
    ) as context:
        violated = violations.watch(context)
        context.request.post(f"{url}login", form={**login})
        if path == "login":
            context.clear_cookies()
        tab = context.new_page()
        tab.goto(f"{url}{path}")
        tab.wait_for_load_state("networkidle")
        assert tab.evaluate("typeof ran") == "undefined"
        for width in (360, 320):
            tab.set_viewport_size({"width": width, "height": 640})
            assert tab.evaluate("document.documentElement.scrollWidth") == width
        small = """() => [...document.querySelectorAll("a, button, input, select")]
            .filter((one) => one.checkVisibility() && !one.closest("p.note"))
            .filter((one) => one.getBoundingClientRect().height < 44).map((one) => one.outerHTML)"""
        assert tab.evaluate(small) == []
        assert tab.evaluate("getComputedStyle(document.body).color") == "rgb(236, 236, 241)"
        tab.evaluate("localStorage.setItem('streamchat.theme', 'light')")
        tab.reload()
        assert tab.evaluate("getComputedStyle(document.body).color") == "rgb(28, 28, 33)"
        assert violated == []
