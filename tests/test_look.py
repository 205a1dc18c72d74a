"""The page's own look: its header, its colours, its column."""

import pytest
from playwright.sync_api import Browser, expect

from tests.application import Application
from tests.page import Page
from tests.scripted_claude import ScriptedClaude


def test_the_header_has_three_places_and_a_menu(page: Page) -> None:
    """Other parts of the page fill the first two; the menu opens by a click and closes by
    Escape."""
    places = page.browser.locator("#bar > *")
    ids = places.evaluate_all("all => all.map(({ id }) => id)")
    assert ids == ["bar-start", "bar-middle", "bar-end"]
    more = page.browser.get_by_role("button", name="Menu")
    more.click()
    expect(page.browser.locator("#menu")).to_be_visible()
    expect(more).to_have_attribute("aria-expanded", "true")
    page.browser.keyboard.press("Escape")
    expect(page.browser.locator("#menu")).to_be_hidden()


@pytest.mark.parametrize(("system", "other"), [("light", "dark"), ("dark", "light")])
def test_a_chosen_theme_stays(
    chromium: Browser, app: Application, page_claude: ScriptedClaude, system: str, other: str
) -> None:
    """The page has the system's theme until the reader chooses one, which a reload keeps."""
    with chromium.new_context(color_scheme=system) as context:  # type: ignore[arg-type]
        page = Page(context, app.url)
        dark = "() => document.body.classList.contains('dark')"
        assert page.browser.evaluate(dark) == (system == "dark")
        page.browser.get_by_role("button", name="Menu").click()
        page.browser.get_by_role("button", name=f"{other.capitalize()} theme").click()
        assert page.browser.evaluate(dark) == (other == "dark")
        page.browser.reload()
        page.ready()
        assert page.browser.evaluate(dark) == (other == "dark")
        page.browser.get_by_role("button", name="Menu").click()
        page.browser.get_by_role("button", name="System theme").click()
        assert page.browser.evaluate(dark) == (system == "dark")
