"""The dialog in which a reader shares a conversation."""

from typing import Any

from playwright.sync_api import Browser, BrowserContext, expect

from tests.page import Page
from tests.test_sidebar import Chat, Side, chat

__all__ = ["chat"]


def test_a_link_is_made_copied_updated_and_withdrawn(
    chat: Chat, context: BrowserContext, chromium: Browser
) -> None:
    """By keys alone; the row has a mark, another browser reads it, and Escape stops nothing else."""
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    it = Side(chat, context)
    browser = it.browser
    it.page.ask("What are you?")
    it.lists("What are you?")
    it.page.ready()
    it.choose("What are you?", "Share")
    dialog = browser.get_by_role("dialog", name="Share conversation")
    expect(dialog).to_contain_text("Everybody who has the link can read it.")
    expect(dialog.get_by_role("button", name="Make a link")).to_be_focused()
    expect(it.rows.get_by_label("Shared")).to_have_count(0)
    browser.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="Copy")).to_be_focused()
    expect(it.rows.get_by_label("Shared")).to_be_visible()
    browser.keyboard.press("Enter")
    expect(dialog.get_by_role("status")).to_have_text("Copied.")
    link = browser.evaluate("navigator.clipboard.readText()")
    assert link == dialog.get_by_label("Link").input_value()
    with chromium.new_context() as elsewhere:
        loaded: list[str] = []
        stranger = elsewhere.new_page()
        stranger.on("request", lambda request: loaded.append(request.url))
        stranger.goto(link)
        expect(stranger.get_by_role("heading", level=1)).to_have_text("What are you?")
        expect(stranger.locator(".answer")).to_contain_text("prepared")
        assert {url.partition("?")[0] for url in loaded} == {link, f"{chat.url}logo"}
        assert elsewhere.cookies() == []
        stranger.get_by_role("link", name="Start your own chat").click()
        stranger.wait_for_url(chat.url)
        browser.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        expect(it.row("What are you?").get_by_role("button")).to_be_focused()
        browser.get_by_role("button", name="Menu", exact=True).click()
        browser.get_by_role("button", name="Share", exact=True).click()
        dialog.get_by_role("button", name="Update link").click()
        expect(dialog.get_by_role("status")).to_contain_text("as it is")
        dialog.get_by_role("button", name="Stop sharing").click()
        expect(dialog.get_by_role("button", name="Make a link")).to_be_focused()
        expect(it.rows.get_by_label("Shared")).to_have_count(0)
        answer = stranger.goto(link)
        assert answer
        assert answer.status == 404
    assert it.page.errors == []


def test_a_list_of_one_time_is_whole(chat: Chat, context: BrowserContext) -> None:
    """A file brings many at once; none is skipped, also if one that is not yet listed is shared."""
    titles = [f"No {number}" for number in range(120)]
    said = [{"role": "user", "text": "hi"}]
    file: dict[str, Any] = {"format": "streamchat-conversations", "version": 1}
    file["conversations"] = [{"title": title, "messages": said} for title in titles]
    context.request.get(chat.url)
    assert context.request.post(f"{chat.url}conversations/import", data=file).ok
    items = context.request.get(f"{chat.url}conversations?limit=100").json()["conversations"]
    it = Side(chat, context)
    expect(it.rows).to_have_count(50)
    it.browser.evaluate("(id) => window.streamchat.conversations.open(id)", items[99]["id"])
    expect(it.page.questions).to_have_count(1)
    it.browser.get_by_role("button", name="Menu", exact=True).click()
    it.browser.get_by_role("button", name="Share", exact=True).click()
    it.browser.get_by_role("button", name="Make a link").click()
    expect(it.browser.get_by_label("Link", exact=True)).to_be_visible()
    it.browser.keyboard.press("Escape")
    for loaded in (100, 120):
        it.rows.last.scroll_into_view_if_needed()
        expect(it.rows).to_have_count(loaded)
    it.lists(*titles)


def test_a_chat_that_keeps_nothing_has_no_list(page: Page) -> None:
    """A reader may begin a new chat, and reads in About that the old one is gone then."""
    expect(page.browser.get_by_role("button", name="New chat")).to_be_visible()
    expect(page.browser.locator("#sidebar")).to_have_count(0)
    expect(page.browser.get_by_role("button", name="Conversations")).to_have_count(0)
    page.browser.get_by_role("button", name="Menu", exact=True).click()
    expect(page.browser.get_by_role("button", name="Share", exact=True)).to_have_count(0)
    page.browser.get_by_role("button", name="About").click()
    expect(page.browser.get_by_role("dialog")).to_contain_text("Conversations are not kept here.")
