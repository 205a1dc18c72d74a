"""StreamChat's page as its reader uses it: they type, press and read."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urljoin

from playwright.sync_api import BrowserContext, Error, Locator, Request, ViewportSize, expect
from playwright.sync_api import Page as Tab

expect.set_options(timeout=15_000)
# an address of every app, without scripts
RESTING = "/theme.css"
VIEWPORT: ViewportSize = {"width": 1280, "height": 720}


def rest(tab: Tab) -> None:
    """Leaves the app in this tab for an address where nothing runs. The next page that opens in
    the tab finds its process, in which the scripts are already compiled. Closes the tab if the app
    has ended."""
    try:
        tab.unroute_all()
        tab.set_viewport_size(VIEWPORT)
        tab.emulate_media(media="null", color_scheme="null", reduced_motion="null")
        tab.goto(urljoin(tab.url, RESTING))
        tab.evaluate("() => { localStorage.clear(); sessionStorage.clear() }")
    except Error:
        tab.close()


def is_resting(tab: Tab) -> bool:
    return tab.url.endswith(RESTING)


class Page:
    def __init__(self, context: BrowserContext, url: str, *, ready: bool = True) -> None:
        self.browser = next(filter(is_resting, context.pages), None) or context.new_page()
        self.errors: list[str] = []
        self.browser.on("pageerror", lambda error: self.errors.append(str(error)))
        self.browser.goto(url)
        if ready:
            self.ready()

    @property
    def box(self) -> Locator:
        return self.browser.locator("#message textarea")

    @property
    def answers(self) -> Locator:
        return self.browser.get_by_test_id("bot")

    @property
    def questions(self) -> Locator:
        return self.browser.get_by_test_id("user")

    def ready(self) -> None:
        """Waits until a message can be sent: no reply is running."""
        expect(self.browser.locator(".submit-button")).to_be_visible()
        expect(self.box).to_be_enabled()

    def ask(self, message: str) -> None:
        self.ready()
        self.box.fill(message)
        self.box.press("Enter")

    @contextmanager
    def comes_back(self) -> Iterator[None]:
        """Waits until the page has reloaded itself after a lost connection."""
        with self.browser.expect_event("load", timeout=60_000):
            yield

    @contextmanager
    def finds_again(self) -> Iterator[None]:
        """Waits until the page, which is loaded meanwhile, has restored its conversation, even an
        empty one."""
        told: list[str] = []

        def last(request: Request) -> bool:
            if request.is_navigation_request():
                told.append("page")
            elif told and request.url.endswith("/run/predict"):
                told.append("event")
            # it claims its tab; it tells what it shows
            return told.count("event") == 2

        with self.browser.expect_event("requestfinished", last, timeout=60_000):
            yield

    def stop(self) -> None:
        self.browser.locator(".stop-button").click()

    def press(self, title: str) -> None:
        self.browser.get_by_title(title, exact=True).locator("visible=true").last.click()

    def new_chat(self) -> None:
        self.browser.get_by_role("button", name="New chat", exact=True).first.click()

    def shows(self, text: str) -> None:
        """Waits until a text stands in an answer or a note."""
        expect(self.answers.filter(has_text=text).last).to_be_visible()

    def shows_not(self, text: str) -> None:
        expect(self.answers.filter(has_text=text)).to_have_count(0)

    def example(self, text: str) -> None:
        self.browser.get_by_role("button", name=re.compile(re.escape(text))).click()
