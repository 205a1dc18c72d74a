"""Every page at 200 % zoom and on the narrowest phones."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, HttpCredentials, expect
from playwright.sync_api import Page as Tab

from streamchat.server import create
from streamchat.settings import Settings
from tests.page import Page
from tests.scripted_claude import ScriptedClaude, says

PASSWORD = "open, sesame"
OWNER: HttpCredentials = {"username": "eva", "password": PASSWORD}
LONG = "https://example.test/" + "a-word-without-an-end" * 20
ANSWER = f"""# A heading of some length, `code` and {LONG}

| one column | another column | a third column | a fourth column | a fifth column |
|---|---|---|---|---|
| words that stay whole | words | words | words | internationalisation |

```python
print("{"a line of code without an end " * 10}")
```

$$a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p + q + r + s + t + u + v + w = 1$$
"""
# of 1280 x 800 at 200 %, and of the narrowest phone
SIZES = [(640, 400), (320, 640)]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ScriptedClaude() as claude, pytest.MonkeyPatch.context() as patch:
        claude.play(*[says(ANSWER)] * 4)
        patch.setenv("ANTHROPIC_API_KEY", "sk-test")
        patch.setenv("ANTHROPIC_BASE_URL", claude.url)
        settings = Settings(
            data_dir=str(tmp_path_factory.mktemp("kept")),
            auth=f"eva:{PASSWORD}",
            owner_password=PASSWORD,
            sharing="public",
            titles="off",
        )
        with create(settings).launch() as running:
            yield running.url


OVERHANG = """() => {
    const scrolls = [document.documentElement, ...document.querySelectorAll("[role=log]")];
    const floats = [...document.querySelectorAll("dialog, [popover], #sidebar, #message")];
    return [
        ...scrolls.map(each => each.scrollWidth - each.clientWidth),
        ...floats.map(each => each.getBoundingClientRect().right - innerWidth),
    ];
}"""


def fits(tab: Tab, where: str) -> None:
    """Asserts that neither the page nor its log can be scrolled sideways, and that no panel goes
    beyond the window."""
    for width, height in SIZES:
        tab.set_viewport_size({"width": width, "height": height})
        tab.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        overhang = tab.evaluate(OVERHANG)
        assert max(overhang) <= 0, (where, width, overhang)


def press(tab: Tab, name: str) -> None:
    tab.get_by_role("button", name=name, exact=True).locator("visible=true").first.click()


@pytest.mark.process
def test_no_page_scrolls_sideways(url: str, chromium: Browser, context: BrowserContext) -> None:
    """The login, the chat with its panels, a shared conversation, the owner's page, `/docs` and a
    refusal fit."""
    tab = context.new_page()
    tab.goto(url)
    fits(tab, "login")
    tab.get_by_label("User").fill("eva")
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_label("Password").press("Enter")
    tab.close()
    page = Page(context, url)
    tab = page.browser
    fits(tab, "welcome")
    page.ask(LONG)
    page.shows("A heading")
    page.ready()
    fits(tab, "answer")
    tab.locator("#options-chip").click()
    fits(tab, "options")
    tab.keyboard.press("Escape")
    press(tab, "Menu")
    fits(tab, "menu")
    press(tab, "Share")
    press(tab, "Make a link")
    link = tab.get_by_role("dialog").get_by_label("Link", exact=True)
    expect(link).to_have_value(re.compile("/shared/"))
    fits(tab, "share")
    shared = link.input_value()
    tab.keyboard.press("Escape")
    press(tab, "Conversations")
    fits(tab, "sidebar")
    for path in (shared, f"{url}docs", f"{url}nothing/here"):
        tab.goto(path)
        fits(tab, path)
    with chromium.new_context(http_credentials=OWNER) as owner:
        tab = owner.new_page()
        tab.goto(f"{url}owner")
        expect(tab.locator("#all")).to_be_visible()
        fits(tab, "owner")
