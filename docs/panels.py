"""How to lead a page to the states of its dialogs, and the owner's page to its figures."""

import httpx

from docs.states import STATES, answered, goto, press, row_menu, sidebar, state
from tests.page import Page

LONG = "Which of these rivers is the longest? " + "Nile, Amazon, Yangtze, Mississippi. " * 800


@state("rename")
def _rename(page: Page, url: str) -> None:
    row_menu(page, url)
    page.browser.get_by_role("menuitem", name="Rename").click()
    page.browser.locator(".chat-name").wait_for()


@state("delete-all")
def _delete_all(page: Page, url: str) -> None:
    sidebar(page, url)
    press(page.browser, "Delete all")
    page.browser.get_by_role("dialog", name="Delete all").wait_for()


@state("long", "nearly")
def _long(page: Page, _: str) -> None:
    answered(page, LONG)
    page.browser.locator("#long").wait_for()


@state("summary", "nearly")
def _summary(page: Page, url: str) -> None:
    _long(page, url)
    page.browser.locator("#long button").click()
    page.browser.locator(".placeholder-content").wait_for()
    page.ready()


@state("owner-figures", "busy")
def _figures(page: Page, url: str) -> None:
    # the first one is refused
    for _ in range(4):
        httpx.post(f"{url}api/streaming-chat", json={"message": "And now?"}, timeout=20)
    for number in range(3):
        answered(page, f"Which river is the longest? ({number})")
    page.browser.get_by_label("Bad answer").last.click()
    page.browser.locator(".words textarea").fill("The Amazon may be longer.")
    page.browser.locator(".words button").click()
    page.browser.get_by_text("Thank you").last.wait_for()
    saved = page.browser.request.get(f"{url}conversations").json()["conversations"]
    page.browser.request.post(f"{url}conversations/{saved[0]['id']}/share")
    goto(page.browser, f"{url}owner")


ALL = STATES
