"""Thumbs below answers, as readers give them on the page."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from streamchat.server import create
from streamchat.settings import Settings
from tests.attacks.test_feedback import OWNER, PASSWORD


@contextmanager
def a_page(chromium: Browser, folder: Path, feedback: str) -> Iterator[tuple[Tab, str]]:
    """A page that has asked two questions, and the chat's address."""
    settings = Settings(data_dir=str(folder), feedback=feedback, owner_password=PASSWORD)
    with create(settings).launch() as here, chromium.new_context() as context:
        tab = context.new_page()
        tab.goto(here.url)
        for number, question in enumerate(("Thanks", "Bye"), start=1):
            tab.locator("#message textarea").fill(question)
            tab.keyboard.press("Enter")
            expect(tab.locator(".bot.message")).to_have_count(number)
            expect(tab.get_by_label("Good answer")).to_have_count(number)
        yield tab, here.url


@pytest.fixture(autouse=True)
def without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")


def test_a_thumb_is_given_changed_and_taken_back(chromium: Browser, tmp_path: Path) -> None:
    """One press gives it, it outlives a reload, and a second press takes it back."""
    with a_page(chromium, tmp_path, "on") as (tab, url):
        good, bad = tab.get_by_label("Good answer"), tab.get_by_label("Bad answer")
        for thumb in (good.first, bad.last):
            with tab.expect_response("**/feedback") as given:
                thumb.click()
            assert given.value.status == 204
            expect(thumb).to_have_attribute("aria-pressed", "true")
        assert votes(url) == (1, 1)
        tab.reload()
        expect(good.first).to_have_attribute("aria-pressed", "true")
        expect(bad.last).to_have_attribute("aria-pressed", "true")
        good.last.click()
        expect(bad.last).to_have_attribute("aria-pressed", "false")
        expect(tab.get_by_text("Thank you.")).to_be_visible()
        with tab.expect_response("**/feedback") as taken_back:
            good.first.click()
        assert taken_back.value.status == 204
        expect(good.first).to_have_attribute("aria-pressed", "false")
        assert votes(url) == (1, 0)


def test_words_are_asked_for_with_a_warning(chromium: Browser, tmp_path: Path) -> None:
    """A reader is told who reads their words before they send any; the owner's page shows them as
    text."""
    with a_page(chromium, tmp_path, "text") as (tab, url):
        tab.get_by_label("Bad answer").last.click()
        expect(tab.get_by_text("The owner of this chat reads what you write")).to_be_visible()
        tab.get_by_label("What was good or bad about it?").fill("Too <b>short</b>")
        tab.locator(".words").get_by_role("button", name="Send").click()
        expect(tab.get_by_text("Thank you.")).to_be_visible()
        state = httpx.get(f"{url}owner/state", headers=OWNER, timeout=20).json()
        assert [(each["words"], each["up"]) for each in state["words"]] == [
            ("Too <b>short</b>", False)
        ]


def test_a_page_shows_no_thumbs_where_there_are_none(chromium: Browser, tmp_path: Path) -> None:
    """An owner who wants no thumbs has a page without them."""
    settings = Settings(data_dir=str(tmp_path), feedback="off")
    with create(settings).launch() as here, chromium.new_context() as context:
        tab = context.new_page()
        with tab.expect_response("**/feedback") as asked:
            tab.goto(here.url)
        assert asked.value.status == 404
        tab.locator("#message textarea").fill("Thanks")
        tab.keyboard.press("Enter")
        expect(tab.locator(".sc-receipt")).to_be_visible()
        expect(tab.locator(".thumbs")).to_have_count(0)


def votes(url: str) -> tuple[int, int]:
    today = httpx.get(f"{url}owner/state", headers=OWNER, timeout=20).json()["votes"][-1]
    return today["up"], today["down"]
