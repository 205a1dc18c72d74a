"""How to lead a page to each of its states."""

from collections.abc import Callable

from playwright.sync_api import Locator, expect
from playwright.sync_api import Page as Tab

from tests.page import Page

PASSWORD = "open, sesame"  # noqa: S105 (of a chat that runs for the pictures)
RIVERS = "Write me 2,000 words about rivers"
SEARCH = "Search the web for the longest river"
TOUR = "Show me everything Markdown can do"

State = Callable[[Page, str], None]
STATES: dict[str, tuple[str, State]] = {}


def state(name: str, chat: str = "demo") -> Callable[[State], State]:
    """A state of one of the chats below."""

    def add(lead: State) -> State:
        STATES[name] = (chat, lead)
        return lead

    return add


def asks(name: str, question: str, *, waits: float = 0) -> None:
    """The state after a question, or so many seconds later, while the answer is written."""

    def lead(page: Page, _: str) -> None:
        if not waits:
            answered(page, question)
        else:
            page.ask(question)
            page.browser.wait_for_timeout(1000 * waits)

    state(name)(lead)


def answered(page: Page, question: str) -> None:
    """Asks, and waits until the whole answer is there."""
    before = page.answers.count()
    page.ask(question)
    expect(page.answers).not_to_have_count(before)
    # a moment after the first word the page says that it answers
    page.browser.wait_for_timeout(600)
    expect(page.browser.locator("html[data-answering]")).to_have_count(0, timeout=90_000)
    page.ready()


def opens(name: str, path: str, chat: str = "claude") -> None:
    state(name, chat)(lambda page, url: goto(page.browser, url + path))


def goto(tab: Tab, address: str) -> None:
    tab.goto(address)
    tab.wait_for_load_state("networkidle")


state("welcome")(lambda _page, _url: None)
asks("thinking", "Think it through: why is the sky blue?", waits=2)
asks("writing", RIVERS, waits=3)
asks("tour-end", TOUR)
asks("searching", SEARCH, waits=2)
asks("sources", SEARCH)
asks("search-failed", "Let a search fail")
asks("search-paused", "Pause in the middle of a search", waits=7)
asks("file-rejected", "Reject this file")
asks("retrying", "Be busy at first", waits=2)
asks("failed", "Fail in the middle")
asks("failed-at-once", "Fail before the first word")
asks("cut", "Stop in the middle of a sentence")
asks("refused", "Refuse to answer this")
asks("empty", "Say nothing at all")
asks("long-question", "\n".join(f"Line {number} of a long question." for number in range(30)))
opens("owner", "owner")
opens("docs", "docs")
opens("login", "login", "locked")
opens("refusal", "nothing/here")
opens("nothing-shared", "shared/x")
opens("card", "preview.png")


@state("tour")
def _tour(page: Page, _: str) -> None:
    answered(page, TOUR)
    page.browser.get_by_role("log").evaluate("log => log.scrollTo(0, 0)")


@state("sources-open")
def _sources_open(page: Page, _: str) -> None:
    answered(page, SEARCH)
    for line in page.browser.locator(".bot details:not(.sc-receipt) > summary").all():
        line.click()


@state("sources-shared")
def _sources_shared(page: Page, _: str) -> None:
    answered(page, SEARCH)
    _shares(page)


@state("stopped")
def _stopped(page: Page, _: str) -> None:
    page.ask(RIVERS)
    page.answers.last.get_by_text("river").first.wait_for()
    page.stop()
    page.shows("Stopped.")
    page.ready()


@state("versions")
def _versions(page: Page, _: str) -> None:
    answered(page, "Who are you?")
    page.press("Retry")
    page.browser.wait_for_timeout(1_500)
    page.ready()


@state("edit")
def _edit(page: Page, _: str) -> None:
    answered(page, "Who are you?")
    page.press("Edit")


@state("menu")
def _menu(page: Page, _: str) -> None:
    press(page.browser, "Menu")


@state("about")
def _about(page: Page, _: str) -> None:
    _menu(page, "")
    press(page.browser, "About")


@state("share")
def _share(page: Page, _: str) -> None:
    answered(page, "Who are you?")
    _menu(page, "")
    press(page.browser, "Share")
    press(page.browser, "Make a link")
    page.browser.get_by_role("button", name="Copy").last.wait_for()


@state("shared")
def _shared(page: Page, _: str) -> None:
    answered(page, TOUR)
    _shares(page)


def _shares(page: Page) -> None:
    _menu(page, "")
    press(page.browser, "Share")
    press(page.browser, "Make a link")
    link = page.browser.get_by_role("dialog").get_by_label("Link", exact=True)
    link.wait_for()
    goto(page.browser, link.input_value())


@state("sidebar")
def sidebar(page: Page, _: str) -> None:
    for question in ("Who are you?", "How do I connect Claude?", "Thanks"):
        answered(page, question)
        press(page.browser, "New chat")
    open_sidebar(page.browser)


@state("search")
def _search(page: Page, url: str) -> None:
    sidebar(page, url)
    page.browser.get_by_role("searchbox").fill("claude")
    page.browser.locator("#chats mark").first.wait_for()


@state("row-menu")
def row_menu(page: Page, url: str) -> None:
    sidebar(page, url)
    page.browser.locator("#chats li").first.get_by_role("button").click()


@state("deleted")
def _deleted(page: Page, url: str) -> None:
    row_menu(page, url)
    page.browser.get_by_role("menuitem", name="Delete").click()
    page.browser.locator(".toast").first.wait_for()


@state("thumb", "claude")
def _thumb(page: Page, _: str) -> None:
    answered(page, "Which river is the longest?")
    page.browser.get_by_label("Bad answer").last.click()
    page.browser.locator(".words").wait_for()


@state("receipt", "claude")
def _receipt(page: Page, _: str) -> None:
    answered(page, "Which river is the longest?")
    page.browser.locator(".sc-receipt summary").last.click()


@state("options", "claude")
def _options(page: Page, _: str) -> None:
    page.browser.locator("#options-chip").click()
    page.browser.get_by_role("dialog", name="Options").wait_for()


@state("spent", "poor")
def _spent(page: Page, _: str) -> None:
    answered(page, "Which river is the longest?")


@state("paused", "paused")
def _paused(page: Page, _: str) -> None:
    answered(page, "Which river is the longest?")


@state("no-credit", "broke")
def _no_credit(page: Page, _: str) -> None:
    answered(page, "Which river is the longest?")


def press(tab: Tab, name: str) -> None:
    found: Locator = tab.get_by_role("button", name=name, exact=True).locator("visible=true")
    found.last.click()


def open_sidebar(tab: Tab) -> None:
    """Opens it where it is a sheet, as on a phone."""
    if not tab.locator("#chats").is_visible():
        press(tab, "Conversations")


ANSWER = "The **Nile** and the **Amazon** are about 6,650 km long; which one is longer is disputed."
MODELS = "claude-haiku-5-5,claude-opus-5-5"
CHATS: dict[str, dict[str, object]] = {
    "demo": {"visitor_replies": 100},
    "claude": {"models": MODELS, "feedback": "text", "web_search": "ask"},
    "locked": {"auth": f"eva:{PASSWORD}"},
    "poor": {"visitor_budget_usd": 0.01},
    "paused": {},
    "broke": {},
    "nearly": {"visitor_budget_usd": 0.24},
    "busy": {"feedback": "text"},
}
