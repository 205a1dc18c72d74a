"""The sidebar as its reader uses it, in front of the real server."""

import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, expect

from streamchat.server import StreamChat, create
from streamchat.settings import Settings
from streamchat.store import NAME
from tests.page import Page

COOKIE = "streamchat_browser"
PHONE = {"width": 390, "height": 780}
# a title that would do something where it is taken for markup
HOSTILE = "<img src=x onerror=document.title='taken'><b>bold</b>"
ADD = "INSERT INTO conversations (id, reader, title, at, owner, size) VALUES (?, ?, ?, ?, x'', 0)"
INDEX = (
    "INSERT INTO words (rowid, title, text) SELECT number, title, ? FROM conversations WHERE id = ?"
)


@dataclass
class Chat:
    """A running chat, and the file in which it keeps its conversations."""

    app: StreamChat
    url: str
    folder: Path

    def has(self, context: BrowserContext, titles: Sequence[str], text: str = "") -> None:
        """The browser has had these conversations, the first one last, a minute apart."""
        context.request.get(self.url)
        cookie = next(each["value"] for each in context.cookies() if each["name"] == COOKIE)
        reader = self.app.store.reader(f"browser:{cookie}")
        now = datetime.now().timestamp()
        with sqlite3.connect(self.folder / NAME, timeout=20) as file:
            for number, title in enumerate(titles):
                id_ = f"{cookie[:20]}-{number}"
                file.execute(ADD, (id_, reader, title, now - 60 * number))
                file.execute(INDEX, (text, id_))
        file.close()


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chat]:
    """In demo mode; each browser has conversations of its own."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANTHROPIC_API_KEY", "")
        app = create(Settings(data_dir=str(folder), rate_limit="off"))
    with app.launch() as running:
        yield Chat(app, running.url, folder)


class Side:
    """The sidebar of a page."""

    def __init__(self, chat: Chat, context: BrowserContext) -> None:
        self.page = Page(context, chat.url)
        self.browser = self.page.browser

    @property
    def rows(self) -> Locator:
        return self.browser.locator("#chats li")

    @property
    def search(self) -> Locator:
        return self.browser.get_by_role("searchbox", name="Search conversations")

    @property
    def aside(self) -> Locator:
        return self.browser.locator("#sidebar")

    def row(self, title: str) -> Locator:
        return self.rows.filter(has_text=title)

    def link(self, title: str) -> Locator:
        return self.row(title).get_by_role("link")

    def lists(self, *titles: str) -> None:
        """Waits until it lists these, in this order."""
        expect(self.browser.locator(".chat-title")).to_have_text(list(titles))

    def choose(self, title: str, choice: str) -> None:
        """From the menu of a conversation."""
        self.row(title).hover()
        self.row(title).get_by_role("button").click()
        self.browser.get_by_role("menuitem", name=choice).click()

    def press(self, name: str) -> None:
        self.browser.get_by_role("button", name=name, exact=True).click()

    def tells(self, sentence: str) -> None:
        """Waits for a toast."""
        expect(self.browser.locator(".toast").filter(has_text=sentence)).to_be_visible()


@pytest.fixture
def side(chat: Chat, emptied: BrowserContext) -> Callable[..., Side]:
    """A page whose sidebar lists conversations with these titles."""

    def opened(*titles: str, text: str = "") -> Side:
        chat.has(emptied, titles, text)
        it = Side(chat, emptied)
        it.lists(*titles)
        return it

    return opened


Opened = Callable[..., Side]


def test_a_question_is_listed_at_once(chat: Chat, emptied: BrowserContext) -> None:
    """Before the first one the list says what it is for; while the answer is written it is
    marked."""
    side = Side(chat, emptied)
    expect(side.aside).to_contain_text("Your conversations will be listed here.")
    side.page.ask("Write me 2,000 words about rivers")
    side.lists("Write me 2,000 words about rivers")
    expect(side.rows.get_by_label("An answer is being written")).to_be_visible()
    side.page.stop()
    expect(side.rows.get_by_label("An answer is being written")).to_have_count(0)


def test_conversations_stand_under_their_day(chat: Chat, context: BrowserContext) -> None:
    """In the reader's time; older ones stand under their month."""
    chat.has(context, ["Long ago"])
    had = datetime.now()
    side = Side(chat, context)
    for days, day in {0: "Today", 1: "Yesterday", 7: "Previous 7 days", 8: None}.items():
        now = had + timedelta(days=days)
        context.clock.set_fixed_time(now)
        side.browser.reload()
        month = had.strftime("%B") if now.year == had.year else f"{had:%B %Y}"
        expect(side.browser.locator("#chats h3")).to_have_text(day or month)


def test_two_hundred_are_listed_as_they_are_scrolled_to(
    chat: Chat, emptied: BrowserContext
) -> None:
    """The page asks for a part of them first, and for the next part at the end of the list."""
    titles = [f"Number {number:03}" for number in range(200)]
    chat.has(emptied, titles)
    side = Side(chat, emptied)
    expect(side.rows.first).to_be_visible()
    assert side.rows.count() <= 100
    while side.rows.count() < 200:
        before = side.rows.count()
        side.rows.last.scroll_into_view_if_needed()
        expect(side.rows.nth(before)).to_be_attached()
    side.lists(*titles)


def test_a_search_shows_where_it_found_the_words(side: Opened) -> None:
    """The match is marked; Escape takes the search back, and no match is told."""
    it = side("Heating", "Holidays", text="The radiator in the <i>hall</i> stays cold")
    it.search.fill("radiat")
    expect(it.row("Heating").locator("mark")).to_have_text("radiator")
    expect(it.row("Heating")).to_contain_text("in the <i>hall</i>")
    it.search.fill("Holid")
    it.lists("Holidays")
    it.search.fill("penguin")
    expect(it.aside).to_contain_text("No conversation matches.")
    it.search.press("Escape")
    it.lists("Heating", "Holidays")
    expect(it.search).to_have_value("")


def test_a_conversation_is_renamed_in_its_place(side: Opened) -> None:
    """Enter keeps the new name, also after a reload; Escape leaves the old one."""
    it = side("First name", "Other")
    it.choose("First name", "Rename")
    box = it.browser.get_by_label("Name of the conversation")
    expect(box).to_be_focused()
    box.fill("Never kept")
    box.press("Escape")
    it.lists("First name", "Other")
    it.link("First name").press("F2")
    box.fill("Second name")
    with it.browser.expect_response(re.compile("/conversations/")) as answered:
        box.press("Enter")
    assert answered.value.ok
    it.lists("Second name", "Other")
    expect(it.link("Second name")).to_be_focused()
    it.browser.reload()
    it.lists("Second name", "Other")


def test_a_deleted_conversation_can_be_taken_back(side: Opened) -> None:
    """By the toast, or by Ctrl+Z in the list, where the next row has the focus."""
    it = side("One", "Two", "Three")
    it.choose("Two", "Delete")
    it.lists("One", "Three")
    it.tells("Deleted “Two”")
    it.press("Undo")
    it.lists("One", "Two", "Three")
    it.link("One").press("Delete")
    it.lists("Two", "Three")
    expect(it.link("Two")).to_be_focused()
    it.browser.keyboard.press("Control+z")
    it.lists("One", "Two", "Three")
    it.choose("Three", "Delete")
    it.lists("One", "Two")
    it.browser.reload()
    it.lists("One", "Two")


def test_all_are_deleted_after_one_question(side: Opened) -> None:
    """Cancel and Escape delete nothing, and Undo brings all of them back."""
    it = side("One", "Two")
    dialog = it.browser.get_by_role("dialog", name="Delete all conversations?")
    it.press("Delete all")
    it.browser.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    it.press("Delete all")
    dialog.get_by_role("button", name="Cancel").click()
    it.lists("One", "Two")
    it.press("Delete all")
    dialog.get_by_role("button", name="Delete all").click()
    it.lists()
    it.tells("Deleted 2 conversations.")
    it.press("Undo")
    it.lists("One", "Two")


def test_the_list_is_used_by_keys_alone(side: Opened) -> None:
    """It is one stop of the Tab key; arrows move in it and in a menu, which gives the focus
    back."""
    it = side("One", "Two", "Three")
    keys = it.browser.keyboard
    it.search.focus()
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    expect(it.link("Two")).to_be_focused()
    keys.press("ArrowRight")
    options = it.row("Two").get_by_role("button")
    expect(options).to_be_focused()
    keys.press("Enter")
    expect(it.browser.get_by_role("menuitem", name="Rename")).to_be_focused()
    keys.press("ArrowUp")
    expect(it.browser.get_by_role("menuitem", name="Delete")).to_be_focused()
    keys.press("Escape")
    expect(it.browser.get_by_role("menu")).to_be_hidden()
    expect(options).to_be_focused()
    keys.press("End")
    expect(it.link("Three")).to_be_focused()
    keys.press("Shift+Tab")
    expect(it.search).to_be_focused()


def test_titles_are_text(side: Opened) -> None:
    """In the list, in its labels and in a toast."""
    it = side(HOSTILE, text=HOSTILE)
    expect(it.browser.locator(".chat-title")).to_have_text(HOSTILE)
    it.search.fill("onerror")
    expect(it.rows.locator("mark").first).to_have_text("onerror")
    it.choose(HOSTILE, "Delete")
    it.tells(f"Deleted “{HOSTILE}”")
    assert it.browser.locator(":is(#sidebar, #toasts) :is(img, b)").count() == 0
    assert it.browser.title() != "taken"
    assert it.page.errors == []


def test_another_browser_sees_none_of_them(side: Opened, chat: Chat, chromium: Browser) -> None:
    side("Mine")
    with chromium.new_context() as context:
        other = Side(chat, context)
        expect(other.aside).to_contain_text("Your conversations will be listed here.")
        other.lists()


def test_the_sidebar_stays_as_it_was_left(side: Opened) -> None:
    """Open at first, where there is room."""
    it = side("One")
    toggle = it.browser.get_by_role("button", name="Conversations")
    expect(toggle).to_have_attribute("aria-expanded", "true")
    toggle.click()
    expect(it.aside).to_be_hidden()
    it.browser.reload()
    it.page.ready()
    expect(it.aside).to_be_hidden()
    toggle.click()
    it.lists("One")


def test_on_a_phone_it_is_a_sheet(chat: Chat, chromium: Browser) -> None:
    """It holds the focus while it is open, closes by Escape or a tap beside it, and gives the focus
    back."""
    with chromium.new_context(viewport=PHONE, has_touch=True) as context:  # type: ignore[arg-type]
        chat.has(context, ["One"])
        it = Side(chat, context)
        expect(it.aside).to_be_hidden()
        toggle = it.browser.get_by_role("button", name="Conversations")
        toggle.click()
        sheet = it.browser.get_by_role("dialog", name="Saved conversations")
        expect(sheet.get_by_role("button", name="Close")).to_be_focused()
        for _ in range(12):
            it.browser.keyboard.press("Tab")
            assert it.browser.evaluate(
                "[document.body, document.documentElement].includes(document.activeElement)"
                " || Boolean(document.activeElement.closest('#sidebar, #toasts'))"
            )
        small = it.rows.first.get_by_role("button").bounding_box()
        assert small
        assert min(small["width"], small["height"]) >= 44
        it.browser.keyboard.press("Escape")
        expect(sheet).to_be_hidden()
        expect(toggle).to_be_focused()
        toggle.click()
        it.browser.mouse.click(380, 400)
        expect(sheet).to_be_hidden()
        wide = "document.documentElement.scrollWidth > innerWidth"
        assert not it.browser.evaluate(wide)


def test_a_refusal_is_one_sentence(side: Opened) -> None:
    """The server's own; the list is as it was before."""
    it = side("One")
    refusal = {"code": "paused", "message": "Nothing can be deleted now."}
    it.browser.route(
        re.compile("/conversations/"),
        lambda route: route.fulfill(status=503, body=json.dumps(refusal)),
    )
    it.choose("One", "Delete")
    it.tells("Nothing can be deleted now.")
    it.lists("One")
    expect(it.browser.locator(".toast")).to_have_count(1)


def test_a_list_that_cannot_be_had_comes_later(chat: Chat, emptied: BrowserContext) -> None:
    """It says so, and tries again by itself."""
    chat.has(emptied, ["One"])
    lists: Any = re.compile(r"/conversations\?")
    emptied.route(lists, lambda route: route.abort())
    it = Side(chat, emptied)
    expect(it.aside).to_contain_text("The chat cannot be reached.")
    emptied.unroute(lists)
    it.lists("One")
    expect(it.aside).not_to_contain_text("The chat cannot be reached.")


def test_a_conversation_is_opened_and_left(chat: Chat, emptied: BrowserContext) -> None:
    """Its row is marked as the one that is shown, New chat keeps it, and Back leads to it."""
    it = Side(chat, emptied)
    it.page.ask("What are you?")
    it.lists("What are you?")
    it.page.ready()
    expect(it.link("What are you?")).to_have_attribute("aria-current", "page")
    it.browser.keyboard.press("Control+Shift+O")
    expect(it.page.questions).to_have_count(0)
    it.page.ready()
    expect(it.rows.locator("[aria-current]")).to_have_count(0)
    it.lists("What are you?")
    it.link("What are you?").click()
    expect(it.page.questions).to_have_text("What are you?")
    expect(it.link("What are you?")).to_have_attribute("aria-current", "page")
    it.press("New chat")
    expect(it.page.questions).to_have_count(0)
    it.browser.go_back()
    expect(it.page.questions).to_have_text("What are you?")
    it.choose("What are you?", "Delete")
    expect(it.page.questions).to_have_count(0)


def test_an_export_is_imported_as_it_was(
    chat: Chat, emptied: BrowserContext, chromium: Browser
) -> None:
    """As JSON, in another browser too; as Markdown it is read."""
    it = Side(chat, emptied)
    it.page.ask("What are you?")
    expect(it.browser.locator(".stop-button")).to_be_visible()
    it.page.ready()
    it.lists("What are you?")
    answer = it.page.answers.first.inner_text()
    with it.browser.expect_download() as told:
        it.choose("What are you?", "Export Markdown")
    assert "What are you?" in told.value.path().read_text("utf-8")
    exports: list[Callable[[], None]] = [
        lambda: it.choose("What are you?", "Export JSON"),
        lambda: it.press("Export all"),
    ]
    for export in exports:
        with it.browser.expect_download() as told:
            export()
        with chromium.new_context() as elsewhere:
            other = Side(chat, elsewhere)
            with other.browser.expect_file_chooser() as chosen:
                other.press("Import")
            chosen.value.set_files(told.value.path())
            other.tells("Imported 1 conversation.")
            other.lists("What are you?")
            other.link("What are you?").click()
            expect(other.page.answers.first).to_have_text(answer, use_inner_text=True)


def test_a_file_that_is_none_is_refused(side: Opened, tmp_path: Path) -> None:
    """Before anything is sent."""
    it = side("One")
    large, broken = tmp_path / "large.json", tmp_path / "broken.json"
    with large.open("wb") as file:
        file.truncate(500_000_001)
    broken.write_bytes(b"{")
    for chosen, sentence in (
        (large, "This file is larger than 500 MB."),
        (broken, "This is no file of conversations: it is not JSON."),
    ):
        with it.browser.expect_file_chooser() as chooser:
            it.press("Import")
        chooser.value.set_files(chosen)
        it.tells(sentence)
